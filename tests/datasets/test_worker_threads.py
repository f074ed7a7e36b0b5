"""Calls in threads: all results, and an end within moments whoever wants to stop."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.datasets import worker_threads
from rovervision.datasets.worker_threads import in_threads
from rovervision.sources.http.addresses import allowed_hosts
from rovervision.sources.http.client import HttpTransport
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.stopping import GivenUp, check_wanted, heeding, pause
from tests.archive_server.catalog import make_catalog
from tests.archive_server.faults import Fault, Kind
from tests.archive_server.server import archive_server


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(), max_size=40), st.integers(min_value=1, max_value=6))
def test_every_call_is_made_once(numbers: list[int], threads: int) -> None:
    assert sorted(in_threads((partial(int, number) for number in numbers), threads)) == sorted(numbers)


def test_no_more_calls_at_once_than_threads() -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def call() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.005)
        with lock:
            inside -= 1

    assert len(list(in_threads([call] * 20, 3))) == 20
    assert most == 3


def waiting(ended: list[type[BaseException]]) -> None:
    try:
        pause(60.0)
    except BaseException as error:
        ended.append(type(error))
        raise


@pytest.mark.parametrize("way", ["error", "enough"])
def test_whoever_stops_waits_for_nobody(way: str) -> None:
    ended: list[type[BaseException]] = []
    begun: list[int] = []

    def fail() -> int:
        time.sleep(0.05)
        if way == "error":
            raise OSError("no room")
        return 1

    def later(number: int) -> int:
        begun.append(number)
        return number

    calls: list[Callable[[], object]] = [fail, partial(waiting, ended), partial(waiting, ended)]
    started_s = time.monotonic()
    results = in_threads([*calls, *(partial(later, number) for number in range(1000))], 3)
    if way == "error":
        with pytest.raises(OSError, match="no room"):
            list(results)
    else:
        assert next(results) == 1
        results.close()
    assert time.monotonic() - started_s < 1.0
    assert ended == [GivenUp, GivenUp]
    assert len(begun) <= 12, "no more than four for each thread before somebody reads"


def test_one_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_threads, "_GRACE_S", 0.1)
    free = threading.Event()
    results = in_threads([lambda: 1, free.wait], 2)
    assert next(results) == 1
    started_s = time.monotonic()
    results.close()
    assert time.monotonic() - started_s < 0.5
    free.set()


def test_waits_outside_of_such_threads_are_waits() -> None:
    started_s = time.monotonic()
    pause(0.02)
    check_wanted()
    assert time.monotonic() - started_s >= 0.02
    stop = threading.Event()
    with heeding(stop):
        pause(0.0)
        stop.set()
        with pytest.raises(GivenUp):
            check_wanted()
        with pytest.raises(GivenUp):
            pause(60.0)
    check_wanted()


def test_who_waits_as_a_server_told_does_not_hold_up_a_stop() -> None:
    catalog = make_catalog({"mars2020": range(100, 101)})
    faults = {name: Fault(Kind.RATE_LIMITED_THEN_OK, 99, retry_after="60") for name in catalog.names("mars2020")}
    http = HttpConfig(connections_per_host=2)
    with archive_server(catalog, faults=faults) as server:
        transport = HttpTransport(http, allowed_hosts(http, server.addresses()))
        urls = [
            image["image_files"]["full_res"].replace("@HOST@", server.base_url) for image in catalog.images["mars2020"]
        ]
        calls = [partial(transport.get_file, url, max_bytes=1 << 20) for url in urls]
        before = threading.active_count()
        results = in_threads([lambda: b"one", *calls], 6)
        assert next(results) == b"one"
        time.sleep(0.2)
        assert threading.active_count() >= before + 5, "they wait"
        started_s = time.monotonic()
        results.close()
        assert time.monotonic() - started_s < 1.0
        assert not [thread for thread in threading.enumerate() if "_work" in thread.name]
        assert len(server.requests) <= 4, "nobody asked again"


def test_who_waits_for_a_place_does_not_ask_any_more() -> None:
    catalog = make_catalog({"mars2020": range(100, 101)})
    faults = {name: Fault(Kind.SLOW, delay_s=0.5) for name in catalog.names("mars2020")}
    http = HttpConfig(connections_per_host=1)
    with archive_server(catalog, faults=faults) as server:
        transport = HttpTransport(http, allowed_hosts(http, server.addresses()))
        told = [image["image_files"]["full_res"] for image in catalog.images["mars2020"]]
        urls = [url.replace("@HOST@", server.base_url) for url in told]
        results = in_threads(
            [lambda: b"one", *(partial(transport.get_file, url, max_bytes=1 << 20) for url in urls)], 4
        )
        assert next(results) == b"one"
        time.sleep(0.2)
        results.close()
        assert len(server.requests) == 1


HANGING = """
import socket
from rovervision.datasets.worker_threads import in_threads
silent = socket.create_server(("127.0.0.1", 0))
def read():
    with socket.create_connection(silent.getsockname()) as line:
        print("reading", flush=True)
        line.recv(1)
list(in_threads([read], 1))
"""


def test_a_process_ends_though_a_thread_hangs_in_the_network() -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", HANGING], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ}
    )
    assert running.stdout is not None and running.stdout.readline() == b"reading\n"
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=10) != 0
    running.stdout.close()
