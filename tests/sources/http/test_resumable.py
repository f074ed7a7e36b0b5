"""However often and wherever reading is broken off, what is read in the end is the file."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import Clock, Reply, Server
from test_ranges import ranged

from rovervision.sources.http.client import HttpTransport
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.resumable import ResumableCopy, download_whole
from rovervision.sources.http.transport import FetchError, RangedAnswer

URL = "https://planetarydata.jpl.nasa.gov/edrindex.tab"
TABLE = b"".join(b'"mer1po_0xxx"\t%06d\r\n' % n for n in range(10_000))


class Archive:
    """A `get_range` without network that breaks off after given numbers of bytes."""

    def __init__(self, body: bytes, cuts: list[int], *, ranges: bool = True, validator: str | None = '"v1"') -> None:
        self.body, self.cuts, self.ranges, self.validator = body, list(cuts), ranges, validator
        self.tells_length = True
        self.chunk_bytes = 1000
        self.n_asked = 0
        self.n_sent = 0

    @contextmanager
    def get_range(self, url: str, offset_bytes: int, validator: str | None) -> Iterator[RangedAnswer]:
        self.n_asked += 1
        same = validator in (None, self.validator)
        start = offset_bytes if self.ranges and same and offset_bytes <= len(self.body) else 0
        total = len(self.body) if self.tells_length or start else None
        yield RangedAnswer(start, total, self.validator, self._chunks(start))

    def _chunks(self, start: int) -> Iterator[bytes]:
        cut = self.cuts.pop(0) if self.cuts else len(self.body)
        sent = self.body[start : start + cut]
        for at in range(0, len(sent), self.chunk_bytes):
            self.n_sent += len(sent[at : at + self.chunk_bytes])
            yield sent[at : at + self.chunk_bytes]
        if start + cut < len(self.body):
            raise FetchError("truncated", "cut")


def copy_of(archive: Archive, folder: Path, *, attempts: int = 3, max_bytes: int = 10**6) -> ResumableCopy:
    return ResumableCopy(
        archive,  # type: ignore[arg-type]
        URL, folder / "index" / "edrindex.tab", max_bytes=max_bytes, config=HttpConfig(attempts=attempts),
        sleep=lambda _: None,
    )  # fmt: skip


bodies = st.lists(st.sampled_from([b"\n", b"\r\n", b"ab", b"\x00", b"\xff1", b"one line\n"]), min_size=1).map(b"".join)


@given(
    bodies, st.lists(st.integers(0, 60), max_size=12), st.lists(st.integers(0, 12), max_size=5), st.booleans(),
    st.sampled_from(['"v1"', None]), st.booleans(),
)  # fmt: skip
def test_cut_anywhere_any_number_of_times_it_is_the_file(
    body: bytes, cuts: list[int], abandoned: list[int], ranges: bool, validator: str | None, tells_length: bool
) -> None:
    """Streams break off after `cuts` bytes, readers give up after `abandoned` lines and come back as new processes."""
    archive = Archive(body, cuts, ranges=ranges, validator=validator)
    archive.tells_length, archive.chunk_bytes = tells_length, 7
    with TemporaryDirectory() as folder:
        for n_lines in abandoned:
            copy = copy_of(archive, Path(folder), attempts=20)
            lines = copy.lines()
            assert list(islice(lines, n_lines)) == body.splitlines(keepends=True)[:n_lines] or b"\r" in body
            lines.close()  # type: ignore[attr-defined]
            assert body.startswith(copy.path.read_bytes() if copy.path.exists() else b"")
        copy = copy_of(archive, Path(folder), attempts=20)
        lines = list(copy.lines())
        assert b"".join(lines) == body
        assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines[:-1])
        assert copy.complete and copy.path.read_bytes() == body
        n_asked = archive.n_asked
        assert b"".join(copy_of(archive, Path(folder)).lines()) == body
        assert archive.n_asked == n_asked, "a complete copy costs no request"


def test_nothing_is_sent_twice(tmp_path: Path) -> None:
    archive = Archive(TABLE, [10_000, 3, 40_000])
    next(islice(copy_of(archive, tmp_path).lines(), 100, None))
    assert b"".join(copy_of(archive, tmp_path).lines()) == TABLE
    assert archive.n_sent <= len(TABLE) + 1000, "a chunk that was stored is not asked for again"


def test_attempts_count_from_the_last_progress(tmp_path: Path) -> None:
    archive = Archive(TABLE, [10_000, 0, 0, 10_000, 0, 0, 10_000, 0, 0, 0])
    with pytest.raises(FetchError, match="cut"):
        list(copy_of(archive, tmp_path, attempts=4).lines())
    assert archive.n_asked == 10
    archive.cuts = [0, 0, 0]
    with pytest.raises(FetchError, match="cut"):
        list(copy_of(archive, tmp_path, attempts=3).lines())


@pytest.mark.parametrize("new", [TABLE + b"more\r\n", TABLE[:9000], b"x" + TABLE[1:]])
def test_a_changed_file_starts_anew(tmp_path: Path, new: bytes) -> None:
    next(islice(copy_of(Archive(TABLE, []), tmp_path).lines(), 1000, None))
    archive = Archive(new, [], validator='"v2"')
    assert b"".join(copy_of(archive, tmp_path).lines()) == new
    assert copy_of(archive, tmp_path).complete


def test_another_address_starts_anew(tmp_path: Path) -> None:
    copy = copy_of(Archive(TABLE, []), tmp_path)
    list(copy.lines())
    note = tmp_path / "index" / "edrindex.tab.version.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "url": "https://mirror.example/edrindex.tab"}))
    assert not copy.complete
    assert b"".join(copy.lines()) == TABLE


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_changes_while_it_is_read_is_told_and_right_the_next_time(tmp_path: Path, ranges: bool) -> None:
    archive = Archive(TABLE, [20_000], ranges=ranges)
    lines = copy_of(archive, tmp_path).lines()
    next(lines)
    archive.body, archive.validator = TABLE[::-1], '"v2"'
    with pytest.raises(FetchError, match="changed while it was read"):
        list(lines)
    assert b"".join(copy_of(archive, tmp_path).lines()) == TABLE[::-1]


@pytest.mark.parametrize("note", ["", "{", "[]", '{"url": 1}', "null", "\x00"])
def test_a_spoiled_note_starts_anew(tmp_path: Path, note: str) -> None:
    copy = copy_of(Archive(TABLE, []), tmp_path)
    next(copy.lines())
    (tmp_path / "index" / "edrindex.tab.version.json").write_text(note)
    assert b"".join(copy.lines()) == TABLE


@pytest.mark.parametrize("html", [b"<!doctype html><p>", b" \n<HTML><head>"])
def test_a_web_page_is_no_table(tmp_path: Path, html: bytes) -> None:
    with pytest.raises(FetchError) as told:
        list(copy_of(Archive(html * 3, []), tmp_path, attempts=1).lines())
    assert told.value.reason == "html_page"


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FetchError) as told:
        list(copy_of(Archive(b"", []), tmp_path).lines())
    assert told.value.reason == "empty"


def test_limits(tmp_path: Path) -> None:
    assert b"".join(copy_of(Archive(TABLE, []), tmp_path / "a", max_bytes=len(TABLE)).lines()) == TABLE
    archive = Archive(TABLE, [])
    with pytest.raises(FetchError) as told:
        list(copy_of(archive, tmp_path / "b", max_bytes=len(TABLE) - 1).lines())
    assert told.value.reason == "too_large" and archive.n_sent <= 1000


def test_two_readers_at_once_share_a_copy(tmp_path: Path) -> None:
    archive, other = Archive(TABLE, []), Archive(TABLE, [])
    other.chunk_bytes = 700  # their pieces overlap
    one, two = copy_of(archive, tmp_path).lines(), copy_of(other, tmp_path).lines()
    mixed = [b"".join(each) for each in zip(*zip(one, two, strict=True), strict=True)]
    assert mixed == [TABLE, TABLE]
    assert copy_of(archive, tmp_path).path.read_bytes() == TABLE
    assert copy_of(archive, tmp_path).complete


def test_a_copy_that_another_reader_emptied_gets_no_hole(tmp_path: Path) -> None:
    archive = Archive(TABLE, [])
    lines = copy_of(archive, tmp_path).lines()
    next(islice(lines, 2000, None))
    copy = copy_of(archive, tmp_path)
    copy.path.write_bytes(b"")
    assert sum(map(len, lines)) > len(TABLE) // 2
    assert TABLE.startswith(copy.path.read_bytes()) and not copy.complete
    assert b"".join(copy.lines()) == TABLE and copy.complete


def test_threads_share_a_copy(tmp_path: Path) -> None:
    read: list[bytes] = []
    archive = Archive(TABLE, [])
    threads = [Thread(target=lambda: read.append(b"".join(copy_of(archive, tmp_path).lines()))) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert read == [TABLE] * 3
    assert copy_of(archive, tmp_path).path.read_bytes() == TABLE


READER = """
import sys
from pathlib import Path
from rovervision.sources.http.client import HttpTransport
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.resumable import ResumableCopy
copy = ResumableCopy(HttpTransport(HttpConfig(), frozenset({"127.0.0.1"})), sys.argv[1], Path(sys.argv[2]))
for line in copy.lines():
    pass
"""


def test_a_killed_process_is_gone_on_from(server: Server, transport: HttpTransport, tmp_path: Path) -> None:
    path, url = tmp_path / "edrindex.tab", f"{server.url}/edrindex.tab"
    part = ranged(TABLE, fake_asked()).headers
    half = len(TABLE) // 2
    server.rule = lambda asked, n: (
        Reply(body=TABLE[:half], length=len(TABLE), headers=part, stall_s=20) if n == 0 else ranged(TABLE, asked)
    )
    process = subprocess.Popen([sys.executable, "-c", READER, url, str(path)])
    try:
        until_s = time.monotonic() + 20
        while (not path.exists() or path.stat().st_size < half // 2) and time.monotonic() < until_s:
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    assert TABLE.startswith(path.read_bytes()) and 0 < path.stat().st_size < len(TABLE)
    copy = ResumableCopy(transport, url, path)
    assert b"".join(copy.lines()) == TABLE and copy.complete
    assert server.asked[-1].headers["Range"].startswith("bytes=")


def fake_asked():  # type: ignore[no-untyped-def]
    from loopback import Asked

    return Asked("GET", "/", {}, 0.0, ("", 0))


def test_over_http_a_stream_that_breaks_is_gone_on_with(
    server: Server, transport: HttpTransport, tmp_path: Path
) -> None:
    def rule(asked, n):  # type: ignore[no-untyped-def]
        reply = ranged(TABLE, asked)
        if n < 4:
            reply.length, reply.body = len(reply.body), reply.body[:40_000]
        return reply

    server.rule = rule
    copy = ResumableCopy(transport, f"{server.url}/x.tab", tmp_path / "x.tab", sleep=Clock().sleep)
    assert b"".join(copy.lines()) == TABLE
    starts = [int(each.headers.get("Range", "bytes=0-")[6:-1]) for each in server.asked]
    assert starts == sorted(set(starts)) and len(starts) == 5


# --- whole files


def test_a_download_goes_on_and_leaves_only_the_file(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    archive = Archive(TABLE, [50_000, 0, 0])
    with pytest.raises(FetchError):
        download_whole(archive, URL, path, 10**6, config=HttpConfig(attempts=2, backoff_s=0))  # type: ignore[arg-type]
    assert not path.exists()
    download_whole(archive, URL, path, 10**6, config=HttpConfig(backoff_s=0))  # type: ignore[arg-type]
    assert path.read_bytes() == TABLE and archive.n_sent == len(TABLE)
    assert [each.name for each in tmp_path.iterdir()] == ["set.zip"]


@pytest.mark.parametrize("body", [TABLE, b""])
def test_what_cannot_be_gone_on_with_leaves_nothing(tmp_path: Path, body: bytes) -> None:
    archive = Archive(body, [50_000, 0, 0], validator=None)
    with pytest.raises(FetchError):
        download_whole(archive, URL, tmp_path / "set.zip", 10**6, config=HttpConfig(attempts=2, backoff_s=0))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_lines_that_never_end_are_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rovervision.sources.http.resumable._LONGEST_LINE_BYTES", 100)
    numbers = b" ".join(b"%d" % n for n in islice(count(), 200))
    with pytest.raises(FetchError) as told:
        list(copy_of(Archive(numbers, []), tmp_path).lines())
    assert told.value.reason == "unexpected_answer"
