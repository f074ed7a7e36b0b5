"""How many requests are inside, how far apart they start: for threads, with real and with told time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import Clock, Reply, Server

from rovervision.sources.http.client import HttpTransport
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.host_gate import HostGate

LOOPBACK = frozenset({"127.0.0.1"})


@pytest.mark.parametrize("connections", [1, 3])
def test_no_more_requests_than_connections(server: Server, connections: int) -> None:
    server.rule = lambda asked, n: Reply(body=b"x" * 1000, delay_s=0.02)
    transport = HttpTransport(HttpConfig(connections_per_host=connections), LOOPBACK)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: transport.get_file(f"{server.url}/{n}", max_bytes=1000), range(16)))
    assert server.most_inside == connections


def test_each_host_has_connections_of_its_own(server: Server) -> None:
    server.rule = lambda asked, n: Reply(body=b"x", delay_s=0.05)
    transport = HttpTransport(HttpConfig(connections_per_host=1), LOOPBACK | {"localhost"})
    urls = [server.url, server.url.replace("127.0.0.1", "localhost")] * 4
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda url: transport.get_text(url, max_bytes=9), urls))
    assert server.most_inside == 2


def test_spaced_requests_start_apart_and_files_do_not_wait(server: Server) -> None:
    server.rule = lambda asked, n: Reply(body=b"1")
    transport = HttpTransport(HttpConfig(connections_per_host=2), LOOPBACK)
    with ThreadPoolExecutor(6) as threads:
        pages = [threads.submit(transport.get_json, f"{server.url}/page", spacing_s=0.1) for _ in range(4)]
        files = [threads.submit(transport.get_file, f"{server.url}/file", max_bytes=9) for _ in range(20)]
        [each.result() for each in [*pages, *files]]
    starts = sorted(each.at_s for each in server.asked if each.path == "/page")
    # seen at the server, where a start may come late; none may come early, measured from the first
    assert all(at - starts[0] >= 0.1 * n - 0.03 for n, at in enumerate(starts)) and len(starts) == 4
    assert all(each.at_s < starts[-1] for each in server.asked if each.path == "/file")


@given(st.lists(st.sampled_from([0.0, 0.5, 2.0]), min_size=1, max_size=12))
def test_spacing_is_between_starts_not_ends(spacings: list[float]) -> None:
    clock = Clock()
    gate = HostGate("mars", 1, 10.0, clock, clock.unix, clock.sleep)
    starts: list[float] = []
    for spacing_s in spacings:
        with gate.entered(spacing_s):
            if spacing_s:
                assert not starts or clock() - starts[-1] >= spacing_s - 1e-6
                starts.append(clock())
            clock.now_s += 0.7
    assert all(wait_s <= 2.0 for wait_s in clock.slept_s)


def test_a_thread_never_waits_for_itself() -> None:
    gate = HostGate("mars", 1, 10.0, time.monotonic, time.time, time.sleep)
    with ExitStack() as inside:
        for _ in range(3):
            inside.enter_context(gate.entered())
        waiting = threading.Event()

        def other() -> None:
            with gate.entered():
                waiting.set()

        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        assert not waiting.wait(0.05), "another thread waits"
    assert waiting.wait(2)
    thread.join()


def test_a_request_that_fails_leaves_its_place() -> None:
    gate = HostGate("mars", 1, 10.0, time.monotonic, time.time, time.sleep)
    for _ in range(3):
        with pytest.raises(ValueError, match="x"), gate.entered():
            raise ValueError("x")
    assert gate._inside == 0
