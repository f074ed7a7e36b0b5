"""Reading an answer to its end, and no further than a limit."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from rovervision.sources.http.faults import stream_fault
from rovervision.sources.http.transport import FetchError
from rovervision.sources.stopping import check_wanted

_CHUNK_BYTES: Final = 1 << 16
_DISCARDED_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Pace:
    """How slowly a body may come. A server that sends a byte a minute is never silent, and never done."""

    min_bytes_per_s: float
    """On average since the body began."""
    after_s: float
    """Only waiting longer than this in all is judged."""
    clock: Callable[[], float] = time.monotonic

    def check(self, n_bytes: int, waited_s: float, host: str) -> None:
        """Raise FetchError where bytes came too slowly."""
        if waited_s > self.after_s and n_bytes < self.min_bytes_per_s * waited_s:
            raise FetchError("timeout", f"{host} sends too slowly: {n_bytes} bytes in {waited_s:.0f} s.")


def promised_bytes(answer: requests.Response) -> int | None:
    """Return the length that the body will have as it is handed on; None where the server does not say."""
    if "Transfer-Encoding" in answer.headers or answer.headers.get("Content-Encoding", "identity") != "identity":
        return None
    text = answer.headers.get("Content-Length", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def chunks_of(answer: requests.Response, host: str, pace: Pace) -> Iterator[bytes]:
    """Yield the decoded body as it arrives; what breaks off or comes too slowly raises FetchError."""
    n_bytes, waited_s = 0, 0.0
    while True:
        asked_s = pace.clock()
        try:
            chunk: bytes = answer.raw.read1(_CHUNK_BYTES, decode_content=True)  # what one look at the socket brings
        except HTTPError as error:
            raise stream_fault(error, host) from error
        check_wanted()
        if not chunk:
            return
        n_bytes, waited_s = n_bytes + len(chunk), waited_s + pace.clock() - asked_s
        pace.check(n_bytes, waited_s, host)
        yield chunk


def read_body(answer: requests.Response, host: str, max_bytes: int, pace: Pace) -> bytes:
    """Return the whole body. Raises FetchError: too_large as soon as the limit is passed, truncated, empty."""
    promised = promised_bytes(answer)
    _check_size(promised or 0, max_bytes)
    chunks, n_bytes = [], 0
    for chunk in chunks_of(answer, host, pace):
        n_bytes += len(chunk)
        _check_size(n_bytes, max_bytes)
        chunks.append(chunk)
    if promised is not None and n_bytes < promised:
        raise FetchError("truncated", f"{n_bytes} of {promised} bytes came.")
    if not n_bytes:
        raise FetchError("empty", f"{host} sent no bytes.")
    return b"".join(chunks)


def discard(answer: requests.Response) -> None:
    """Read a short body that nobody wants, so that its connection can serve again."""
    if (promised_bytes(answer) or _DISCARDED_BYTES) < _DISCARDED_BYTES:
        try:
            _ = answer.content
        except requests.RequestException:
            return  # the connection is lost: no harm


def _check_size(n_bytes: int, max_bytes: int) -> None:
    if n_bytes > max_bytes:
        raise FetchError("too_large", f"The answer is longer than the limit of {max_bytes} bytes.")
