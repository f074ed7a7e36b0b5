"""Reading an answer to its end, and no further than a limit."""

from collections.abc import Iterator
from typing import Final

import requests

from rovervision.sources.http.faults import network_fault
from rovervision.sources.http.transport import FetchError

_CHUNK_BYTES: Final = 1 << 14  # what arrived of a chunk is lost when the connection breaks within it
_DISCARDED_BYTES: Final = 1 << 16


def promised_bytes(answer: requests.Response) -> int | None:
    """Return the length that the body will have as it is handed on; None where the server does not say."""
    if "Transfer-Encoding" in answer.headers or answer.headers.get("Content-Encoding", "identity") != "identity":
        return None
    text = answer.headers.get("Content-Length", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def chunks_of(answer: requests.Response, host: str) -> Iterator[bytes]:
    """Yield the decoded body; what breaks off raises FetchError."""
    try:
        yield from answer.iter_content(_CHUNK_BYTES)
    except requests.RequestException as error:
        raise network_fault(error, host) from error


def read_body(answer: requests.Response, host: str, max_bytes: int) -> bytes:
    """Return the whole body. Raises FetchError: too_large as soon as the limit is passed, truncated, empty."""
    promised = promised_bytes(answer)
    _check_size(promised or 0, max_bytes)
    chunks, n_bytes = [], 0
    for chunk in chunks_of(answer, host):
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
