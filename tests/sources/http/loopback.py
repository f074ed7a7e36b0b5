"""A little server on this machine that answers as each test says, and clocks that nobody has to wait for."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """What the server sends. Without `length` the body's own; -1 sends none and closes."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    delay_s: float = 0.0
    chunked: bool = False
    stall_s: float = 0.0
    """Silence after the body, before the connection ends."""


@dataclass
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    at_s: float
    connection: tuple[str, int]


class Server:
    """Answers by `rule(asked, n)`, where n counts the requests for the same path from 0."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.inside = 0
        self.most_inside = 0
        self.rule: Callable[[Asked, int], Reply] = lambda asked, n: Reply(404)
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def script(self, *replies: Reply) -> None:
        """Answer with these in turn, the last one again and again."""
        self.rule = lambda asked, n: replies[min(len(self.asked), len(replies)) - 1]

    def enter(self, handler: BaseHTTPRequestHandler) -> Reply:
        with self._lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            asked = Asked(
                handler.command,
                handler.path,
                dict(handler.headers.items()),
                time.monotonic(),
                handler.client_address[:2],
            )
            n = sum(each.path == asked.path for each in self.asked)
            self.asked.append(asked)
            return self.rule(asked, n)

    def leave(self) -> None:
        with self._lock:
            self.inside -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                reply = server.enter(self)
                time.sleep(reply.delay_s)
                server.leave()  # before the answer: once the client has it, this request is over
                try:
                    send(self, reply)
                except OSError:
                    self.close_connection = True

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    promised = len(reply.body) if reply.length is None else reply.length
    if reply.chunked:
        handler.send_header("Transfer-Encoding", "chunked")
    elif promised >= 0:
        handler.send_header("Content-Length", str(promised))
    if promised != len(reply.body) and not reply.chunked:
        handler.send_header("Connection", "close")
        handler.close_connection = True
    handler.end_headers()
    if handler.command == "HEAD":
        return
    if reply.chunked:
        handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(reply.body), reply.body) if reply.body else b"0\r\n\r\n")
    else:
        handler.wfile.write(reply.body)
        handler.wfile.flush()
        time.sleep(reply.stall_s)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.slept_s: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now_s

    def unix(self) -> float:
        return 1_700_000_000.0 + self.now_s

    def sleep(self, wait_s: float) -> None:
        with self._lock:
            self.slept_s.append(wait_s)
            self.now_s += wait_s
