"""One file from the web, served here by this machine: whole or not at all."""

import errno
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from rovervision.errors import RovervisionError
from rovervision.sources.download import downloaded, is_address

BODY = bytes(range(256)) * 2000


class Archive(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Archive.asked.append(self.path)
        promised = {"/missing.zip": 0, "/cut.zip": len(BODY) + 500, "/vague.zip": None}.get(self.path, len(BODY))
        self.send_response(404 if self.path == "/missing.zip" else 200)
        if promised is not None:
            self.send_header("Content-Length", str(promised))
        self.end_headers()
        if promised != 0:
            self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Archive)
    Archive.asked.clear()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_is_downloaded_once(tmp_path: Path, address: str) -> None:
    for _ in range(2):
        path = downloaded(f"{address}/set%201.zip?download=1", tmp_path / "cache", len(BODY))
        assert path == tmp_path / "cache" / "set 1.zip"
        assert path.read_bytes() == BODY
    assert len(Archive.asked) == 1


def test_a_length_that_is_not_told_is_fine(tmp_path: Path, address: str) -> None:
    assert downloaded(f"{address}/vague.zip", tmp_path, len(BODY)).read_bytes() == BODY


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
        downloaded(f"{address}/{name}", tmp_path, most)
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RovervisionError, match=r"could not be downloaded.*ingestion\.archive"):
        downloaded("http://127.0.0.1:9/set.zip", tmp_path, 10)


def test_many_threads_download_once(tmp_path: Path, address: str) -> None:
    threads = [threading.Thread(target=downloaded, args=(f"{address}/set.zip", tmp_path, len(BODY))) for _ in range(4)]
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
        downloaded(f"{address}/set.zip", tmp_path, len(BODY))
    assert told.value.errno == code
