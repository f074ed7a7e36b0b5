"""What the listing of a feed needs to know of it: how to ask, and how to read the answer. Nothing here is I/O."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rovervision.sources.frame import Frame

Record = dict[str, Any]
"""One image as a feed describes it."""


@dataclass(frozen=True, slots=True)
class SolRange:
    """Sols from the first to the last, both included."""

    first: int
    last: int

    def __contains__(self, sol: int) -> bool:
        return self.first <= sol <= self.last

    def __str__(self) -> str:
        return f"{self.first:05d}-{self.last:05d}"


@dataclass(frozen=True, slots=True)
class Request:
    """One question: an address, and its parameters before any encoding."""

    url: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer."""

    records: Sequence[Any]
    is_last: bool
    is_foreign: bool = False
    """True where the answer itself says that it is of another mission."""


@dataclass(frozen=True, slots=True)
class Latest:
    """How far an archive has come."""

    stamp: str
    """Equal as long as nothing came in. ISO 8601 for the feeds that can be asked what came in since."""
    newest_sol: int
    grown_sols: frozenset[int] = frozenset()
    """Sols that the archive names as just grown."""
    totals: Mapping[int, int] | None = None
    """Images of each sol that has any, for an archive that counts them; those of the cameras asked for."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What decides whether a record belongs to what was asked."""

    sol: int
    instrument: str
    """As the feed's own camera names are spelled, but in upper case; empty where the record does not say."""
    is_ours: bool
    """False for a record of another mission."""
    received_utc: str | None = None


class Feed(Protocol):
    """One mission's part of a feed. Its methods are pure; `headers` alone may look at the environment."""

    @property
    def name(self) -> str:
        """The source's name in a query."""

    @property
    def address(self) -> str:
        """Where the service answers."""

    @property
    def rover(self) -> str:
        """Whose images these are."""

    @property
    def block_sols(self) -> int:
        """How many sols one request spans, and one file of the listing cache."""

    @property
    def is_slow(self) -> bool:
        """Whether requests must keep their distance."""

    def headers(self) -> Mapping[str, str] | None:
        """Return headers that the service wants beside the usual ones."""

    def instruments(self, cameras: Collection[str], query_name: str) -> tuple[str, ...]:
        """Return the feed's names of cameras; RovervisionError for one that it does not know."""

    def latest_requests(self) -> Sequence[Request]:
        """Return the questions after the newest sol; each is asked only where those before it are not known."""

    def parse_latest(self, body: Any, instruments: Collection[str]) -> Latest:
        """Read how far the archive has come."""

    def absent(self) -> str:
        """Say what to do where the service does not know the questions of `latest_requests`."""

    def request(self, sols: SolRange, instruments: Sequence[str], page: int) -> Request:
        """Ask for one page, the first being 0, of the images of some sols, newest first."""

    def arrivals_request(self, since_utc: str, instruments: Sequence[str], page: int) -> Request | None:
        """Ask for one page of what came in since a time, latest first; None where the feed keeps no such order."""

    def parse(self, body: Any) -> Page:
        """Read one page."""

    def key_of(self, record: Any) -> str | None:
        """Return what tells a record from others; None where it has no such thing."""

    def mark_of(self, record: Any) -> Mark:
        """Read what decides whether a record belongs; BadRecordError where it does not say."""

    def frame_of(self, record: Record, text: str) -> Frame:
        """Describe one image; BadRecordError for a record without an address.

        Args:
            record: The feed's own record.
            text: The same as JSON.
        """
