"""Files from an offset on, with servers that know ranges, half know them, and know nothing of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import Asked, Reply, Server

from rovervision.sources.http.client import HttpTransport
from rovervision.sources.http.ranges import content_range, range_headers, validator_of
from rovervision.sources.http.transport import FetchError

BODY = bytes(range(256)) * 40


def ranged(body: bytes, asked: Asked, etag: str | None = '"v1"', heeds_condition: bool = True) -> Reply:
    """Answer like a server that knows ranges."""
    headers = {"ETag": etag} if etag else {}
    found = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("Range", ""))
    if not found or (heeds_condition and asked.headers.get("If-Range", etag) != etag):
        return Reply(body=body, headers=headers)
    first = int(found[1])
    if first >= len(body):
        return Reply(416, headers={**headers, "Content-Range": f"bytes */{len(body)}"})
    told = f"bytes {first}-{len(body) - 1}/{len(body)}"
    return Reply(206, body=body[first:], headers={**headers, "Content-Range": told})


def fetch(
    transport: HttpTransport, server: Server, offset: int, validator: str | None
) -> tuple[int, int | None, bytes]:
    with transport.get_range(f"{server.url}/a.tab", offset, validator) as answer:
        return answer.offset_bytes, answer.total_bytes, b"".join(answer.chunks)


@pytest.mark.parametrize("offset", [0, 1, 5000, len(BODY) - 1, len(BODY)])
@pytest.mark.parametrize("validator", ['"v1"', None])
def test_the_rest_of_a_file(server: Server, transport: HttpTransport, offset: int, validator: str | None) -> None:
    server.rule = lambda asked, n: ranged(BODY, asked)
    assert fetch(transport, server, offset, validator) == (offset, len(BODY), BODY[offset:])
    (asked,) = server.asked
    assert asked.headers.get("Range") == (f"bytes={offset}-" if offset else None)
    assert asked.headers.get("If-Range") == (validator if offset else None)
    assert asked.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("heeds_condition", [True, False])
@pytest.mark.parametrize("offset", [5000, len(BODY), len(BODY) + 7])
def test_a_changed_file_comes_from_its_start(
    server: Server, transport: HttpTransport, offset: int, heeds_condition: bool
) -> None:
    server.rule = lambda asked, n: ranged(BODY, asked, '"v2"', heeds_condition)
    assert fetch(transport, server, offset, '"v1"') == (0, len(BODY), BODY)


def test_a_copy_longer_than_the_file_is_no_copy_of_it(server: Server, transport: HttpTransport) -> None:
    server.rule = lambda asked, n: ranged(BODY, asked)
    assert fetch(transport, server, len(BODY) + 1, '"v1"') == (0, len(BODY), BODY)


def test_a_weak_etag_is_compared_here_not_there(server: Server, transport: HttpTransport) -> None:
    server.rule = lambda asked, n: ranged(BODY, asked, 'W/"v1"')
    assert fetch(transport, server, 100, 'W/"v1"') == (100, len(BODY), BODY[100:])
    assert fetch(transport, server, 100, 'W/"v0"') == (0, len(BODY), BODY)
    assert all("If-Range" not in each.headers for each in server.asked)


@pytest.mark.parametrize("told", ["", "bytes 9-10/11", "bytes 100-50/900", "bytes 100-200/150", "pages 100-200/900"])
def test_a_part_that_was_not_asked_for_is_not_taken(server: Server, transport: HttpTransport, told: str) -> None:
    server.script(Reply(206, body=BODY, headers={"Content-Range": told}), Reply(body=BODY))
    assert fetch(transport, server, 100, '"v1"') == (0, len(BODY), BODY)
    server.asked.clear()
    server.script(Reply(206, body=BODY, headers={"Content-Range": told}))
    with pytest.raises(FetchError, match="another part"):
        fetch(transport, server, 100, '"v1"')


def test_it_is_one_attempt_and_a_broken_stream_is_told(server: Server, transport: HttpTransport) -> None:
    server.script(Reply(503))
    with pytest.raises(FetchError) as told:
        fetch(transport, server, 0, None)
    assert told.value.reason == "busy" and told.value.may_pass and len(server.asked) == 1
    server.script(Reply(body=BODY, length=len(BODY) + 5))
    with pytest.raises(FetchError) as told:
        fetch(transport, server, 0, None)
    assert told.value.reason == "truncated" and told.value.may_pass and len(server.asked) == 2


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(1, 10**12) | st.none())
def test_content_ranges(first: int, length: int, beyond: int | None) -> None:
    last = first + length
    total = None if beyond is None else last + beyond
    assert content_range(f" Bytes {first}-{last}/{'*' if total is None else total}") == (first, last, total)
    assert content_range(f"bytes */{last}") == (None, None, last)
    assert content_range(f"bytes {last + 1}-{last}/*") is None


@given(st.text())
def test_odd_content_ranges_are_none(text: str) -> None:
    assert content_range(text) is None or text.strip().lower().startswith("bytes")


def test_validators() -> None:
    date = "Fri, 20 Nov 2026 10:00:00 GMT"
    assert validator_of({"ETag": '"a"', "Last-Modified": date}) == '"a"'
    assert validator_of({"ETag": 'W/"a"', "Last-Modified": date}) == date
    assert validator_of({"ETag": 'W/"a"'}) == 'W/"a"'
    assert validator_of({}) is None
    assert range_headers(5, date) == {"Range": "bytes=5-", "If-Range": date}
    assert range_headers(5, 'W/"a"') == range_headers(5, None) == {"Range": "bytes=5-"}
