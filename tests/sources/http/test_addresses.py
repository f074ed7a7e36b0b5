"""No host outside the list is ever asked, however its address is written."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util import parse_url

from rovervision.sources.http.addresses import ARCHIVE_HOSTS, allowed_hosts, host_of, safe_address
from rovervision.sources.http.config import ArchiveAddresses, HttpConfig
from rovervision.sources.http.transport import FetchError

HOSTS = frozenset({"mars.nasa.gov", "archive.example", "127.0.0.1", "localhost", "::1"})


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("https://mars.nasa.gov/a/b.jpg?x=1", "https://mars.nasa.gov/a/b.jpg?x=1"),
        ("HTTPS://MARS.nasa.GOV", "https://mars.nasa.gov/"),
        ("https://mars.nasa.gov:8443/a", "https://mars.nasa.gov:8443/a"),
        ("http://mars.nasa.gov/a", "https://mars.nasa.gov/a"),
        ("http://mars.nasa.gov:80/a", "https://mars.nasa.gov/a"),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a"),
        ("http://localhost?x", "http://localhost?x"),
        ("http://[::1]:8000/a", "http://[::1]:8000/a"),
        ("https://archive.example/@x:y/a b.png", "https://archive.example/@x:y/a b.png"),
    ],
)
def test_what_may_be_asked(address: str, asked: str) -> None:
    assert safe_address(address, HOSTS) == asked
    assert safe_address(asked, HOSTS) == asked


UNSAFE = [
    "http://archive.example/a",  # plain http
    "https://evil.example/",
    "https://mars.nasa.gov.evil.example/",
    "https://evilmars.nasa.gov/",
    "https://mars.nasa.gov@evil.example/",
    "https://user:word@mars.nasa.gov/",
    "https://evil.example\\@mars.nasa.gov/",
    "https://mars.nasa.gov\\.evil.example/",
    "https://mars.nasa.gov\\evil",
    "https://mars.nasa.gov/a\\b",
    "http\u017f://mars.nasa.gov/",  # a long s, which is an s where case is ignored
    "https://localhost\u212a/",
    "https://mars.nasa.gov./",
    "https://mars%2enasa.gov/",
    "https://mars。nasa.gov/",
    "https://ｍars.nasa.gov/",
    "https://mаrs.nasa.gov/",  # a Cyrillic a
    "https://mars.nasa.gov:99999999/",
    "https://mars.nasa.gov:x/",
    "//evil.example/a",
    "/a/b",
    "",
    "file:///etc/passwd",
    "ftp://mars.nasa.gov/",
    "https:mars.nasa.gov/",
    "https:///mars.nasa.gov/",
    "https://[::1/",
    "https://mars.nasa.gov/a\r\nHost: evil.example",
    "https://mars.nasa.gov\t.evil.example/",
    " https://mars.nasa.gov/",
    "http://2130706433/",  # 127.0.0.1 as one number
    "http://127.1/",
    "http://127.0.0.1.nip.io/",
]


@pytest.mark.parametrize("address", UNSAFE)
def test_what_may_not_be_asked(address: str) -> None:
    with pytest.raises(FetchError) as told:
        safe_address(address, HOSTS)
    assert told.value.reason == "unsafe_address" and not told.value.may_pass


PIECES = st.sampled_from(
    [*"/\\@:?#.%[] \t", "//", "http", "https", "://", "mars.nasa.gov", "MARS.NASA.GOV", "evil.example", "127.0.0.1",
     "user:word@", ":80", ":443", "%40", "%2f", "。", "ａ", "\u200b", "..", "a", "\n", "[::1]", "-", "xn--", "1"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=9).map("".join))
@example("https://mars.nasa.gov:443@evil.example/")
def test_every_reader_of_an_address_sees_a_host_of_the_list(address: str) -> None:
    for written in (address, f"https://mars.nasa.gov{address}", f"https://{address}/x"):
        try:
            asked = safe_address(written, HOSTS)
        except FetchError as error:
            assert error.reason == "unsafe_address"
            continue
        seen = {urlsplit(asked).hostname, (parse_url(asked).host or "").strip("[]"), host_of(asked).strip("[]")}
        assert len(seen) == 1 and seen <= HOSTS, (written, asked, seen)
        assert asked.startswith("https://") or seen <= {"127.0.0.1", "localhost", "::1"}


def test_hosts_are_those_of_the_archives_the_configured_and_the_added() -> None:
    addresses = ArchiveAddresses(rss_api="http://127.0.0.1:8000/rss/api", mars_photos_key_variable="KEY")
    hosts = allowed_hosts(HttpConfig(allowed_hosts=(" Mirror.Example ",)), addresses)
    assert hosts == {*ARCHIVE_HOSTS, "127.0.0.1", "rovers.nebulum.one", "mirror.example"}


def test_an_archives_address_that_is_none_is_told() -> None:
    with pytest.raises(FetchError, match=r"ingestion\.addresses\.rss_api: 'mars"):
        allowed_hosts(HttpConfig(), ArchiveAddresses(rss_api="mars.nasa.gov/rss"))
