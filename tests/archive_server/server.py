"""The archives behind one port of this machine, HTTP/1.1 with connections that stay open."""

import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from rovervision.sources.http.config import ArchiveAddresses
from tests.archive_server import items, legacy, rss, volumes
from tests.archive_server.answers import Answer, page
from tests.archive_server.catalog import Catalog, make_catalog
from tests.archive_server.faults import Fault, Misbehaviour, good_answer, misbehave
from tests.archive_server.legacy import CLONE, RETIRED, Quota

IMAGE_FOLDERS: Final = ("/msl-raw-images/", "/insight-raw-images/", "/mars2020-raw-images/")


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    started_s: float
    """Of the monotonic clock."""


@dataclass(repr=False)
class ArchiveServer:
    """The running server: where it is, what it holds, what it was asked."""

    catalog: Catalog
    faults: dict[str, Fault]
    """By the image's file name; may be changed while the server runs."""
    latency_s: float
    quota: Quota
    base_url: str = ""
    requests: list[Request] = field(default_factory=list)
    most_at_once: int = 0
    """Largest number of requests that were in work at a time."""
    most_at_once_by_kind: Counter[str] = field(default_factory=Counter)
    """The same for each kind of path, see `kind_of`."""
    _inside: Counter[str] = field(default_factory=Counter)
    _asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    _volume_paths: tuple[int, frozenset[str]] = (0, frozenset())
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def addresses(self, mars_photos: Literal["clone", "retired"] = "clone") -> ArchiveAddresses:
        """Return the addresses that lead here."""
        return ArchiveAddresses(
            raw_image_items=f"{self.base_url}/api/v1/raw_image_items",
            rss_api=f"{self.base_url}/rss/api",
            exploration_rovers=f"{self.base_url}{volumes.BASE}",
            mars_photos=f"{self.base_url}{CLONE if mars_photos == 'clone' else RETIRED}",
        )

    def count(self, word: str = "") -> int:
        """Return how many requests had the word in their path."""
        return sum(word in request.path for request in self.requests)

    def paths(self) -> Counter[str]:
        """Return how often each path was asked for."""
        return Counter(request.path for request in self.requests)

    def forget_requests(self) -> None:
        """Begin a new log, with new counters and maxima. Faults that pass after a time keep their count."""
        with self._lock:
            self.requests.clear()
            self.most_at_once_by_kind.clear()
            self.most_at_once = 0

    @contextmanager
    def served(self, request: Request) -> Iterator[int]:
        """Log a request and count it as in work; yield how often the same was asked for before."""
        kind = kind_of(request.path)
        with self._lock:
            self.requests.append(request)
            before = self._asked[request.method, request.path]
            self._asked[request.method, request.path] += 1
            self._inside[kind] += 1
            self.most_at_once_by_kind[kind] = max(self.most_at_once_by_kind[kind], self._inside[kind])
            self.most_at_once = max(self.most_at_once, self._inside.total())
        try:
            yield before
        finally:
            with self._lock:
                self._inside[kind] -= 1

    def respond(self, request: Request, before: int) -> Misbehaviour:
        """Return what to do with a request."""
        name = unquote(request.path.rpartition("/")[2])
        is_image = request.path.startswith((*IMAGE_FOLDERS, volumes.BASE)) and self._holds(name, request.path)
        if is_image and name in self.faults:
            return misbehave(self.faults[name], name, before, self.base_url)
        if is_image or request.path.startswith(("/moved/", "/elsewhere/")):
            return Misbehaviour(good_answer(name))
        with self.catalog.lock:
            return Misbehaviour(self._answer(request))

    def _answer(self, request: Request) -> Answer:
        path, query = request.path, request.query
        if path.rstrip("/") == "/rss/api":
            return rss.answer(query, self.catalog, self.base_url)
        if path.startswith("/api/v1/raw_image_items"):
            return items.answer(path, query, self.catalog, self.base_url)
        if path.startswith((CLONE, RETIRED)):
            return legacy.answer(path, query, self.catalog, self.quota, self.base_url)
        if path.startswith(volumes.BASE):
            return volumes.answer(path, dict(request.headers), self.catalog)
        return page(200 if path == "/not-json.html" else 404)

    def _holds(self, name: str, path: str) -> bool:
        if path.startswith(volumes.BASE):
            if self._volume_paths[0] != len(self.catalog.products):
                self._volume_paths = len(self.catalog.products), volumes.image_paths(self.catalog)
            return path in self._volume_paths[1]
        return name.lower().endswith((".png", ".jpg"))


def kind_of(path: str) -> str:
    """Return what a path is for: rss, items, legacy, volumes, image or page."""
    if path.lower().endswith((".png", ".jpg", ".img")):
        return "image"
    kinds = {"/rss": "rss", "/api": "items", CLONE: "legacy", RETIRED: "legacy", volumes.BASE: "volumes"}
    return next((kind for start, kind in kinds.items() if path.startswith(start)), "page")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Http"

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        archive = self.server.archive
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, parts.query, headers, time.monotonic())
        with archive.served(request) as before:
            act = archive.respond(request, before)
            self.server.stopping.wait(archive.latency_s)
        # Done before the answer leaves: a client that has it may ask the next before this thread runs again.
        self.server.stopping.wait(act.delay_s)
        self._act(act)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _act(self, act: Misbehaviour) -> None:
        if act.answer is None:
            self.close_connection = True
            return
        body = b"" if self.command == "HEAD" else act.answer.body[: int(act.sent_frac * len(act.answer.body))]
        self.close_connection |= act.sent_frac < 1
        try:
            # One write: a header that waits for its body costs 40 ms by Nagle's rule.
            self.wfile.write(_head(act.answer) + body)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the requests are logged in ArchiveServer.requests."""


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    archive: ArchiveServer
    stopping: threading.Event

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell what went wrong here, but not that a client hung up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _head(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", "Server: Apache"]
    lines += [f"Content-Type: {answer.content_type}", f"Content-Length: {len(answer.body)}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in answer.headers.items()), "", ""]).encode()


@contextmanager
def archive_server(
    catalog: Catalog | None = None,
    *,
    faults: Mapping[str, Fault] | None = None,
    latency_s: float = 0.0,
    quota: int = 1_000,
    quota_window_s: float = 3_600.0,
    port: int = 0,
) -> Iterator[ArchiveServer]:
    """Run the archives while the block lasts.

    Args:
        catalog: What they hold; a few dozen sols of every mission by default.
        faults: Misbehaviour of single images, by file name.
        latency_s: Silence before each answer.
        quota: Answers that the legacy service gives in a window of time.
        quota_window_s: Length of that window.
        port: 0 takes any that is free.
    """
    archive = ArchiveServer(catalog or make_catalog(), dict(faults or {}), latency_s, Quota(quota, quota_window_s))
    with _Http(("127.0.0.1", port), _Handler) as server:
        server.archive, server.stopping = archive, threading.Event()
        archive.base_url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield archive
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()
