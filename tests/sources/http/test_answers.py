"""Lengths are compared here too: not every version of the library underneath does it."""

import io

import pytest
import requests

from rovervision.sources.http.answers import Pace, chunks_of, promised_bytes, read_body
from rovervision.sources.http.transport import FetchError

PACE = Pace(min_bytes_per_s=10.0, after_s=5.0)


class Body(io.BytesIO):
    """Gives three bytes at a time; each time costs so long."""

    def __init__(self, body: bytes, costs_s: float) -> None:
        super().__init__(body)
        self.costs_s, self.now_s = costs_s, 0.0

    def read1(self, amt: int | None = -1, decode_content: bool = False) -> bytes:  # type: ignore[override]
        self.now_s += self.costs_s
        return super().read1(3)


class Answer(requests.Response):
    def __init__(self, body: bytes, costs_s: float = 0.0, **headers: str) -> None:
        super().__init__()
        self.raw = Body(body, costs_s)
        self.headers.update({name.replace("_", "-"): value for name, value in headers.items()})


def test_a_short_body_is_told() -> None:
    assert read_body(Answer(b"12345", Content_Length="5"), "mars", 9, PACE) == b"12345"
    with pytest.raises(FetchError, match="5 of 6 bytes came") as told:
        read_body(Answer(b"12345", Content_Length="6"), "mars", 9, PACE)
    assert told.value.reason == "truncated"


def test_a_server_that_drips_is_cut_off() -> None:
    answer = Answer(bytes(3000), costs_s=1.0)
    with pytest.raises(FetchError, match=r"mars sends too slowly: 18 bytes in 6 s\.") as told:
        read_body(answer, "mars", 9999, Pace(10.0, 5.0, lambda: answer.raw.now_s))
    assert told.value.reason == "timeout" and told.value.may_pass


def test_time_that_the_reader_takes_is_not_the_servers() -> None:
    answer = Answer(bytes(300), costs_s=0.1)
    for _ in chunks_of(answer, "mars", Pace(10.0, 5.0, lambda: answer.raw.now_s)):
        answer.raw.now_s += 100.0


@pytest.mark.parametrize(
    ("headers", "promised"),
    [({}, None), ({"Content_Length": "-1"}, None), ({"Content_Length": "7, 7"}, None), ({"Content_Length": " 7"}, 7),
     ({"Content_Length": "7", "Content_Encoding": "gzip"}, None), ({"Content_Length": "\u0667"}, None),
     ({"Content_Length": "7", "Content_Encoding": "identity"}, 7),
     ({"Content_Length": "7", "Transfer_Encoding": "chunked"}, None)],
)  # fmt: skip
def test_promised_lengths(headers: dict[str, str], promised: int | None) -> None:
    assert promised_bytes(Answer(b"", **headers)) == promised
