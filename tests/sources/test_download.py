"""One file from the web, served here by this machine: whole or not at all."""

import errno
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from rovervision.errors import RovervisionError
from rovervision.sources.download import NamedHost, downloaded, is_address
from rovervision.sources.http.config import HttpConfig

BODY = bytes(range(256)) * 2000
HTTP = HttpConfig(attempts=2, backoff_s=0.0)


class Archive(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []
    ranges: ClassVar[list[str]] = []
    cut_at: ClassVar[int | None] = None

    def do_GET(self) -> None:
        Archive.asked.append(self.path)
        Archive.ranges.append(self.headers.get("Range", ""))
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/large.zip":
            self.send_rest()
            return
        promised = {"/missing.zip": 0, "/cut.zip": len(BODY) + 500, "/vague.zip": None}.get(self.path, len(BODY))
        self.send_response(404 if self.path == "/missing.zip" else 200)
        if promised is not None:
            self.send_header("Content-Length", str(promised))
        self.end_headers()
        if promised != 0:
            self.wfile.write(BODY)

    def send_rest(self) -> None:
        """Send the file from the offset asked for, at first not to its end."""
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if first else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(BODY) - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(BODY) - 1}/{len(BODY)}")
        self.end_headers()
        self.wfile.write(BODY[first : Archive.cut_at])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Archive)
    Archive.asked.clear()
    Archive.ranges.clear()
    Archive.cut_at = None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_is_downloaded_once(tmp_path: Path, address: str) -> None:
    for _ in range(2):
        path = downloaded(f"{address}/set%201.zip?download=1", tmp_path / "cache", len(BODY), HTTP)
        assert path == tmp_path / "cache" / "set 1.zip"
        assert path.read_bytes() == BODY
    assert len(Archive.asked) == 1


def test_a_length_that_is_not_told_is_fine(tmp_path: Path, address: str) -> None:
    assert downloaded(f"{address}/vague.zip", tmp_path, len(BODY), HTTP).read_bytes() == BODY


@pytest.mark.parametrize(
    ("name", "most", "fault"),
    [
        ("missing.zip", 10**9, "404"),
        ("cut.zip", 10**9, "could not be downloaded"),
        ("set.zip", len(BODY) - 1, "longer than the limit"),
        ("vague.zip", len(BODY) - 1, "longer than the limit"),
        ("", 10**9, "names no file"),
    ],
)
def test_what_cannot_be_had_leaves_nothing(tmp_path: Path, address: str, name: str, most: int, fault: str) -> None:
    with pytest.raises(RovervisionError, match=fault):
        downloaded(f"{address}/{name}", tmp_path, most, HTTP)
    assert not list(tmp_path.iterdir())


def test_what_came_is_gone_on_with(tmp_path: Path, address: str) -> None:
    Archive.cut_at = 100_000
    with pytest.raises(RovervisionError, match="could not be downloaded"):
        downloaded(f"{address}/large.zip", tmp_path, len(BODY), HTTP)
    assert not (tmp_path / "large.zip").exists()
    Archive.cut_at = None
    Archive.ranges.clear()
    assert downloaded(f"{address}/large.zip", tmp_path, len(BODY), HTTP).read_bytes() == BODY
    assert Archive.ranges == ["bytes=100000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["large.zip"]


def test_redirects_are_followed_but_not_into_plain_http(tmp_path: Path, address: str) -> None:
    path = downloaded(f"{address}/to/{address}/set.zip", tmp_path, len(BODY), HTTP)
    assert path.read_bytes() == BODY
    with pytest.raises(RovervisionError, match="Plain http is refused"):
        downloaded(f"{address}/to/http://files.example.org/other.zip", tmp_path, len(BODY), HTTP)
    with pytest.raises(RovervisionError, match="Plain http is refused"):
        downloaded("http://files.example.org/other.zip", tmp_path, len(BODY), HTTP)


def test_the_web_does_not_lead_to_this_machine() -> None:
    hosts = NamedHost("zenodo.org")
    assert "zenodo.org" in hosts and "store.example.org" in hosts
    assert not any(name in hosts for name in ("localhost", "127.0.0.1", "[::1]", "::1"))
    assert "127.0.0.1" in NamedHost("127.0.0.1") and "localhost" not in NamedHost("127.0.0.1")


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RovervisionError, match=r"could not be downloaded.*ingestion\.archive"):
        downloaded("http://127.0.0.1:9/set.zip", tmp_path, 10, HTTP)


def test_many_threads_download_once(tmp_path: Path, address: str) -> None:
    threads = [
        threading.Thread(target=downloaded, args=(f"{address}/set.zip", tmp_path, len(BODY), HTTP)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Archive.asked) == 1


def test_addresses_are_no_paths() -> None:
    assert is_address("https://zenodo.org/x.zip") and is_address("HTTP://a/b.zip")
    assert not is_address("data/x.zip") and not is_address("/http://x.zip")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_no_fault_of_the_server(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(code, "no room", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OSError, match="no room") as told:
        downloaded(f"{address}/set.zip", tmp_path, len(BODY), HTTP)
    assert told.value.errno == code
