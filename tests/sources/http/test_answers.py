"""Lengths are compared here too: not every version of the library underneath does it."""

from collections.abc import Iterator

import pytest
import requests

from rovervision.sources.http.answers import promised_bytes, read_body
from rovervision.sources.http.transport import FetchError


class Answer(requests.Response):
    def __init__(self, body: bytes, **headers: str) -> None:
        super().__init__()
        self.body = body
        self.headers.update({name.replace("_", "-"): value for name, value in headers.items()})

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[bytes]:  # type: ignore[override]
        yield from (self.body[at : at + 3] for at in range(0, len(self.body), 3))


def test_a_short_body_is_told() -> None:
    assert read_body(Answer(b"12345", Content_Length="5"), "mars", 9) == b"12345"
    with pytest.raises(FetchError, match="5 of 6 bytes came") as told:
        read_body(Answer(b"12345", Content_Length="6"), "mars", 9)
    assert told.value.reason == "truncated"


@pytest.mark.parametrize(
    ("headers", "promised"),
    [({}, None), ({"Content_Length": "-1"}, None), ({"Content_Length": "7, 7"}, None), ({"Content_Length": " 7"}, 7),
     ({"Content_Length": "7", "Content_Encoding": "gzip"}, None), ({"Content_Length": "\u0667"}, None),
     ({"Content_Length": "7", "Content_Encoding": "identity"}, 7),
     ({"Content_Length": "7", "Transfer_Encoding": "chunked"}, None)],
)  # fmt: skip
def test_promised_lengths(headers: dict[str, str], promised: int | None) -> None:
    assert promised_bytes(Answer(b"", **headers)) == promised
