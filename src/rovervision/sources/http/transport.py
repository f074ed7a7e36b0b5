"""What a source needs from the network, so that tests and other libraries can stand in for it."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from rovervision.errors import RovervisionError

FailureReason = Literal[
    "unreachable",      # no connection, or none that lasted
    "timeout",          # connected, and no answer in time
    "not_found",        # 404, 410
    "refused",          # 401, 403 and other answers of the 400 kind
    "busy",             # 429 or 503 for longer than we wait
    "server_error",     # other answers of the 500 kind, again and again
    "empty",            # no bytes
    "truncated",        # fewer bytes than promised, or an image that ends early
    "html_page",        # a page for people where an image or JSON was asked for
    "not_an_image",     # other bytes
    "undecodable",      # begins like an image and is none
    "wrong_dimensions",  # decodes to another size than the record says
    "too_large",        # beyond the limits on bytes or pixels
    "unsafe_address",   # not https, or a host that is not allowed
    "unexpected_answer",  # not what the archive's schema promises
]  # fmt: skip


PASSING: Final[frozenset[FailureReason]] = frozenset(
    {"unreachable", "timeout", "busy", "server_error", "empty", "truncated", "html_page"}
)
"""Reasons that another request may overcome, unless the error says otherwise."""


class FetchError(RovervisionError):
    """Something on the web could not be had. The sentence is short and names no address: its table row does."""

    def __init__(self, reason: FailureReason, sentence: str, *, may_pass: bool | None = None) -> None:
        super().__init__(sentence)
        self.reason: Final = reason
        self.may_pass: Final = reason in PASSING if may_pass is None else may_pass
        """True where it makes sense to ask again soon."""


@dataclass(frozen=True, slots=True)
class RangedAnswer:
    """The part of a file from an offset on."""

    offset_bytes: int
    """Where the part begins: 0 where the server sends the whole file after all."""
    total_bytes: int | None
    """Length of the whole file, where the server tells."""
    validator: str | None
    """ETag or Last-Modified: equal while the file is the same."""
    chunks: Iterator[bytes]


class Transport(Protocol):
    """The network, politely. One object serves a whole run, so that its limits hold for all sources together.

    Each method retries what may pass, and raises FetchError for what does not. Threads may share it.
    """

    def get_json(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        spacing_s: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the decoded JSON of an answer. Requests with spacing to one host start at least so far apart."""
        ...

    def get_text(self, url: str, *, max_bytes: int) -> str:
        """Return a small text file, read as UTF-8 with replacement."""
        ...

    def get_file(self, url: str, *, max_bytes: int) -> bytes:
        """Return a whole file, as long as the server promised. A page of HTML is a failure."""
        ...

    def size_bytes(self, url: str) -> int | None:
        """Return the length of a file without fetching it; None where the server does not say."""
        ...

    def get_range(self, url: str, offset_bytes: int, validator: str | None) -> AbstractContextManager[RangedAnswer]:
        """Stream a file from an offset on; from its start where it has changed since `validator` or ranges are unknown.

        One attempt: the caller, who keeps what has arrived, asks again from there.
        """
        ...
