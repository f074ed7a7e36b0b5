"""What the transport does with each kind of answer, shown against a server on this machine."""

import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import Clock, Reply, Server

from rovervision.sources.http.client import AGENT, HttpTransport, with_params
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import FetchError, Transport

BODY = bytes(range(256)) * 40
HTML = b"\xef\xbb\xbf \n<!DOCTYPE html><html><body>Not found</body></html>"
OPEN = Callable[..., HttpTransport]


def reason(call: Callable[..., object], *args: object, **named: object) -> str:
    with pytest.raises(FetchError) as told:
        call(*args, **named)
    assert told.value.reason == "unsafe_address" or "http://" not in str(told.value)
    assert str(told.value).endswith(".")
    return told.value.reason


def get(transport: Transport, server: Server, max_bytes: int = 10**6) -> bytes:
    return transport.get_file(f"{server.url}/a.png", max_bytes=max_bytes)


# --- whole files


@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_comes_whole(server: Server, transport: HttpTransport, chunked: bool) -> None:
    server.script(Reply(body=BODY, chunked=chunked))
    assert get(transport, server) == BODY
    (asked,) = server.asked
    assert asked.headers["User-Agent"] == AGENT and AGENT.startswith("rovervision/")
    assert asked.headers["Accept-Encoding"] == "identity"


def test_a_connection_serves_many_requests(server: Server, transport: HttpTransport) -> None:
    server.rule = lambda asked, n: Reply(404 if "b" in asked.path else 200, body=BODY)
    for _ in range(3):
        get(transport, server)
        assert reason(transport.get_file, f"{server.url}/b.txt", max_bytes=9) == "not_found"
    assert len({each.connection for each in server.asked}) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(server: Server, transport: HttpTransport, clock: Clock, status: int) -> None:
    server.script(Reply(status), Reply(status, body=b"x" * 10), Reply(body=BODY))
    assert get(transport, server) == BODY
    assert clock.slept_s == [1.0, 2.0]


@pytest.mark.parametrize(
    ("status", "told", "n_asked"),
    [(400, "refused", 1), (401, "refused", 1), (403, "refused", 1), (404, "not_found", 1), (410, "not_found", 1),
     (408, "timeout", 3), (425, "busy", 3), (429, "busy", 3), (500, "server_error", 3), (501, "server_error", 1),
     (503, "busy", 3), (505, "server_error", 1), (204, "unexpected_answer", 1), (304, "unexpected_answer", 1)],
)  # fmt: skip
def test_statuses(server: Server, open_transport: OPEN, status: int, told: str, n_asked: int) -> None:
    server.script(Reply(status))
    assert reason(get, open_transport(attempts=3), server) == told
    assert len(server.asked) == n_asked


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (Reply(body=BODY, length=len(BODY) + 1), "truncated"),
        (Reply(body=b"", length=5), "truncated"),
        (Reply(body=b""), "empty"),
        (Reply(body=b"", chunked=True), "empty"),
        (Reply(body=BODY, delay_s=0.6), "timeout"),
        (Reply(body=HTML), "html_page"),
        (Reply(body=b"not gzip", headers={"Content-Encoding": "gzip"}), "truncated"),
    ],
)
def test_spoiled_bodies_are_asked_for_again(server: Server, open_transport: OPEN, bad: Reply, told: str) -> None:
    server.script(bad, Reply(body=BODY))
    assert get(open_transport(read_timeout_s=0.3), server) == BODY
    transport = open_transport(read_timeout_s=0.3, attempts=3)
    get(transport, server)  # a host that never answered is worth less patience
    server.asked.clear()
    server.script(bad)
    assert reason(get, transport, server) == told
    assert len(server.asked) == (2 if told == "html_page" else 3)


def test_html_is_only_what_looks_like_it(server: Server, transport: HttpTransport) -> None:
    server.script(Reply(body=BODY, headers={"Content-Type": "text/html"}))
    assert get(transport, server) == BODY
    server.script(Reply(body=b"<?xml version='1.0'?><Product_Observational/>"))
    assert get(transport, server).startswith(b"<?xml")


@pytest.mark.parametrize("chunked", [False, True])
def test_nothing_beyond_the_limit_is_read(server: Server, transport: HttpTransport, chunked: bool) -> None:
    server.script(Reply(body=BODY, chunked=chunked))
    assert len(get(transport, server, len(BODY))) == len(BODY)
    assert reason(get, transport, server, len(BODY) - 1) == "too_large"
    assert len(server.asked) == 2


def test_a_long_promise_is_refused_before_the_body(server: Server, transport: HttpTransport) -> None:
    server.script(Reply(body=b"", length=10**12))
    assert reason(get, transport, server) == "too_large"


def test_bytes_after_the_promised_length_are_never_part_of_the_file(server: Server, transport: HttpTransport) -> None:
    server.script(Reply(body=BODY + b"more", length=len(BODY)))
    assert [get(transport, server) for _ in range(3)] == [BODY] * 3


def test_text_is_read_leniently(server: Server, transport: HttpTransport) -> None:
    server.script(Reply(body=b"<html>a\xffb\r\n"))
    assert transport.get_text(f"{server.url}/", max_bytes=20) == "<html>a\ufffdb\r\n"
    assert reason(transport.get_text, f"{server.url}/", max_bytes=3) == "too_large"


# --- JSON


def test_json_and_its_query(server: Server, transport: HttpTransport) -> None:
    server.script(Reply(body=gzip.compress(b'{"images": []}'), headers={"Content-Encoding": "gzip"}))
    params = {"order": "sol desc", "search": "|MCZ_LEFT|", "condition_2": "5:sol:gte", "category": "mars2020,ingenuity"}
    answer = transport.get_json(f"{server.url}/rss/api/?feed=raw_images&order=x", params, headers={"X-Own": "1"})
    assert answer == {"images": []}
    assert server.asked[0].path == (
        "/rss/api/?feed=raw_images&order=sol+desc&search=%7CMCZ_LEFT%7C&condition_2=5:sol:gte&category=mars2020,ingenuity"
    )
    assert server.asked[0].headers["X-Own"] == "1"


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=4), st.dictionaries(st.text(min_size=1), st.text()))
def test_queries_say_what_was_meant_each_key_once(first: dict[str, str], second: dict[str, str]) -> None:
    from urllib.parse import parse_qsl, urlsplit

    url = with_params(with_params("https://mars.nasa.gov/x", first), second)
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=bool({**first, **second}))
    assert dict(pairs) == {**first, **second} and len(pairs) == len({**first, **second})
    assert "|" not in url and " " not in url


@pytest.mark.parametrize(
    ("body", "told"),
    [(HTML, "html_page"), (b"<p>no</p>", "html_page"), (b"{", "unexpected_answer"), (b"", "empty"),
     (b"\xff\xfe\x00", "unexpected_answer"), (b"[" * 100_000, "unexpected_answer")],
)  # fmt: skip
def test_what_is_not_json(server: Server, transport: HttpTransport, body: bytes, told: str) -> None:
    server.script(Reply(body=body, headers={"Content-Type": "application/json"}))
    assert reason(transport.get_json, server.url) == told


def test_a_redirect_to_a_web_page_is_told(server: Server, transport: HttpTransport) -> None:
    moved = Reply(302, headers={"Location": "/not-json.html"})
    server.rule = lambda asked, n: Reply(body=HTML) if "html" in asked.path else moved
    assert reason(transport.get_json, f"{server.url}/rss/api", {"order": "a+b"}) == "html_page"


def test_a_bomb_in_a_small_answer_is_stopped(server: Server, open_transport: OPEN) -> None:
    bomb = gzip.compress(json.dumps(["0" * 5_000_000]).encode())
    assert len(bomb) < 10_000
    server.script(Reply(body=bomb, headers={"Content-Encoding": "gzip"}))
    assert reason(open_transport(max_page_bytes=100_000).get_json, server.url) == "too_large"
    assert len(open_transport(max_page_bytes=6_000_000).get_json(server.url)[0]) == 5_000_000


# --- lengths


@pytest.mark.parametrize(
    ("reply", "size"),
    [(Reply(body=BODY), len(BODY)), (Reply(length=-1), None), (Reply(405), None), (Reply(501), None),
     (Reply(length=9, headers={"Content-Encoding": "gzip"}), None)],
)  # fmt: skip
def test_lengths(server: Server, transport: HttpTransport, reply: Reply, size: int | None) -> None:
    server.script(reply)
    assert transport.size_bytes(f"{server.url}/a.png") == size
    assert [each.method for each in server.asked] == ["HEAD"]
    assert server.asked[0].headers["Accept-Encoding"] == "identity"


def test_the_length_of_nothing_is_an_error(server: Server, transport: HttpTransport) -> None:
    server.script(Reply(404))
    assert reason(transport.size_bytes, f"{server.url}/a.png") == "not_found"


# --- redirects


def test_redirects_are_followed_within_the_hosts(server: Server, transport: HttpTransport) -> None:
    moved = {"/a.png": "/b", "/b": f"{server.url}/c/", "/c/": "../d?x=1", "/d?x=1": f"//{server.url[7:]}/e", "/e": "f"}
    server.rule = lambda asked, n: (
        Reply(302, headers={"Location": moved[asked.path]}) if asked.path in moved else Reply(body=BODY)
    )
    assert get(transport, server) == BODY
    assert [each.path for each in server.asked] == ["/a.png", "/b", "/c/", "/d?x=1", "/e", "/f"]


def test_circles_end(server: Server, transport: HttpTransport) -> None:
    server.script(Reply(301, headers={"Location": "/a.png"}))
    assert reason(get, transport, server) == "unexpected_answer"
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    "target",
    ["http://localhost:{port}/x", "//evil.example/", "https://mars.nasa.gov@evil.example/", "ftp://127.0.0.1/",
     "http://127.0.0.1.evil.example/", "/\\evil.example", "http://[bad/", "file:///etc/passwd", "http://\xff\xfe/"],
)  # fmt: skip
def test_no_redirect_leads_out(server: Server, transport: HttpTransport, target: str) -> None:
    port = server.url.rpartition(":")[2]
    server.rule = lambda asked, n: (
        Reply(302, headers={"Location": target.format(port=port)}) if asked.path == "/a.png" else Reply(body=BODY)
    )
    assert reason(get, transport, server) == "unsafe_address"
    assert len(server.asked) == 1


def test_the_body_of_a_redirect_is_not_read(server: Server, open_transport: OPEN) -> None:
    endless = Reply(302, body=b"", length=10**12, headers={"Location": "/b"})
    server.rule = lambda asked, n: endless if asked.path == "/a.png" else Reply(body=BODY)
    assert get(open_transport(attempts=1), server) == BODY


def test_headers_for_one_host_are_not_told_another(server: Server, open_transport: OPEN) -> None:
    target = server.url.replace("127.0.0.1", "localhost") + "/there"
    server.rule = lambda asked, n: (
        Reply(body=b"1") if asked.path == "/there" else Reply(302, headers={"Location": target})
    )
    transport = open_transport(frozenset({"127.0.0.1", "localhost"}))
    assert transport.get_json(server.url, headers={"X-Key": "secret"}) == 1
    assert ["X-Key" in each.headers for each in server.asked] == [True, False]


@pytest.mark.parametrize("method", ["get_json", "get_text", "get_file", "size_bytes", "get_range"])
def test_every_way_of_asking_checks_the_address(server: Server, open_transport: OPEN, method: str) -> None:
    transport = open_transport(frozenset({"mars.nasa.gov"}))
    limits = {"max_bytes": 10} if method in ("get_text", "get_file") else {}

    def ask() -> None:
        if method == "get_range":
            with transport.get_range(server.url, 0, None):
                raise AssertionError("asked")
        getattr(transport, method)(server.url, **limits)

    assert reason(ask) == "unsafe_address"
    assert server.asked == []


def test_no_credentials_and_no_cookies_travel(
    server: Server, transport: HttpTransport, tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"  # type: ignore[operator]
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.script(Reply(body=BODY, headers={"Set-Cookie": "a=b; Path=/"}))
    get(transport, server)
    get(transport, server)
    assert all({"Authorization", "Cookie"} & each.headers.keys() == set() for each in server.asked)


# --- being asked to wait


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, {"Retry-After": "7"}, 7),
        (503, {"Retry-After": "7"}, 7),
        (429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "12"}, 12),
    ],
)
def test_a_wait_that_is_asked_for_is_kept(
    server: Server, transport: HttpTransport, clock: Clock, status: int, headers: dict[str, str], wait_s: float
) -> None:
    server.script(Reply(status, headers=headers), Reply(body=BODY))
    before_s = clock()
    assert get(transport, server) == BODY
    assert clock() - before_s == pytest.approx(wait_s)


def test_a_date_is_a_wait_too(server: Server, transport: HttpTransport, clock: Clock) -> None:
    moment = formatdate(time.time() + 100, usegmt=True)  # the server of http.server sends its own Date
    server.script(Reply(429, headers={"Retry-After": moment}), Reply(body=BODY))
    before_s = clock()
    get(transport, server)
    assert 98 <= clock() - before_s <= 101


def test_a_pause_holds_every_thread_that_asks_the_host(server: Server, open_transport: OPEN) -> None:
    start_s = time.monotonic()
    transport = HttpTransport(HttpConfig(backoff_s=0.0), frozenset({"127.0.0.1"}))
    server.rule = lambda asked, n: (
        Reply(429, headers={"Retry-After": "1"}) if len(server.asked) == 1 else Reply(body=BODY)
    )
    first = threading.Thread(target=get, args=(transport, server))
    first.start()
    while not server.asked:
        time.sleep(0.005)
    time.sleep(0.1)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: get(transport, server), range(3)))
    first.join()
    assert all(each.at_s - start_s >= 1.0 for each in server.asked[1:]) and len(server.asked) == 5


def test_a_wait_too_long_is_told_at_once_and_to_all(server: Server, open_transport: OPEN, clock: Clock) -> None:
    transport = open_transport(wait_max_s=100)
    server.script(Reply(429, headers={"Retry-After": "3600"}))
    for _ in range(3):
        with pytest.raises(FetchError, match=r"127.0.0.1 asks to be left alone until \d{4}.*UTC, in 60 min") as told:
            get(transport, server)
        assert told.value.reason == "busy"
    assert len(server.asked) == 1 and clock.slept_s == []
    clock.now_s += 3601
    server.script(Reply(body=BODY))
    assert get(transport, server) == BODY


def test_an_answer_that_uses_up_the_quota_is_kept(server: Server, open_transport: OPEN) -> None:
    transport = open_transport(wait_max_s=100)
    server.script(Reply(body=BODY, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3600"}))
    assert get(transport, server) == BODY
    assert reason(get, transport, server) == "busy"
    assert len(server.asked) == 1


# --- no network


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_host_that_never_answered_is_given_up_soon(open_transport: OPEN, clock: Clock) -> None:
    transport = open_transport(attempts=10)
    with pytest.raises(FetchError, match=r"127\.0\.0\.1 cannot be reached: the connection is refused.*run the") as told:
        transport.get_json(f"http://127.0.0.1:{closed_port()}/")
    assert told.value.reason == "unreachable"
    assert len(clock.slept_s) == 1, "two attempts"


def test_a_host_that_takes_the_connection_and_says_nothing_is_given_up_too(server: Server, clock: Clock) -> None:
    server.script(Reply(delay_s=0.5))
    transport = HttpTransport(
        HttpConfig(attempts=10, read_timeout_s=0.1), frozenset({"127.0.0.1"}), sleep=clock.sleep, clock=clock
    )
    for _ in range(2):
        assert reason(transport.get_json, server.url) == "timeout"
    assert len(server.asked) == 2, "two attempts, and those who come after are told without asking"


def test_the_first_answer_is_not_waited_for_as_long_as_later_ones(
    server: Server, open_transport: OPEN, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def request(self: object, *_: object, timeout: tuple[float, float], **__: object) -> requests.Response:
        waits.append(timeout[1])
        raise requests.ReadTimeout

    monkeypatch.setattr(requests.Session, "request", request)
    reason(open_transport(read_timeout_s=60.0).get_json, server.url)
    assert waits[0] == 40.0


def test_the_threads_after_it_are_told_without_asking(server: Server, open_transport: OPEN, clock: Clock) -> None:
    transport = open_transport()
    for _ in range(3):
        assert reason(transport.get_file, f"http://127.0.0.1:{closed_port()}/", max_bytes=9) == "unreachable"
    assert len(clock.slept_s) == 1
    clock.now_s += 31
    server.script(Reply(body=BODY))
    assert get(transport, server) == BODY


def test_a_slow_failure_is_not_repeated(open_transport: OPEN, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = open_transport()

    def connect(*args: object, **named: object) -> None:
        clock.now_s += 12
        raise OSError("no route")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    assert reason(transport.get_json, "http://127.0.0.1:9/") == "unreachable"
    assert clock.slept_s == []


def test_a_name_that_nobody_knows(open_transport: OPEN, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(FetchError, match=r"^mars\.nasa\.gov cannot be reached: its name is not found\. Check"):
        open_transport(frozenset({"mars.nasa.gov"})).get_json("https://mars.nasa.gov/rss/api")


def test_a_host_that_did_answer_is_worth_more_patience(server: Server, open_transport: OPEN, clock: Clock) -> None:
    transport = open_transport(attempts=5)
    server.script(Reply(body=BODY))
    get(transport, server)
    port = closed_port()
    assert reason(transport.get_file, f"http://127.0.0.1:{port}/", max_bytes=9) == "unreachable"
    assert clock.slept_s == [1.0, 2.0, 4.0, 8.0]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=60)
    | st.sampled_from([b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200,
                       b"HTTP/1.1 999 \xff\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                       b"HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n\r\nabcd", b"HTTP/1.1 200 " + b"x" * 70_000,
                       b"HTTP/1.1 302 OK\r\nLocation: \xff\xfe\r\n\r\n"])
)  # fmt: skip
def test_garbage_is_a_fetch_error_or_a_body(open_transport: OPEN, garbage: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    peer.recv(4096)
                    peer.sendall(garbage)

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        try:
            open_transport(attempts=2, read_timeout_s=0.5).get_file(url, max_bytes=100)
        except FetchError:
            pass
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def test_requests_are_logged_without_keys(
    server: Server, transport: HttpTransport, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(Reply(503), Reply(body=b"1"))
    with caplog.at_level(logging.DEBUG, "rovervision"):
        transport.get_json(server.url, {"api_key": "secret", "sol": "5"})
    told = [each.getMessage() for each in caplog.records if each.name.startswith("rovervision")]
    assert len(told) == 3 and "503" in told[0] and "attempt 1" in told[1] and "200" in told[2]
    assert "secret" not in "".join(told) and "sol=5" in told[0]
