"""A server, a clock and a transport for every test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from loopback import Clock, Server

from rovervision.sources.http.client import HttpTransport
from rovervision.sources.http.config import HttpConfig

LOOPBACK = frozenset({"127.0.0.1"})


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_transport(clock: Clock) -> Callable[..., HttpTransport]:
    """Make a transport on the clock above; keywords are fields of HttpConfig."""

    def make(hosts: frozenset[str] = LOOPBACK, **fields: Any) -> HttpTransport:
        return HttpTransport(
            HttpConfig(**fields), hosts, sleep=clock.sleep, clock=clock, now=clock.unix, jitter=lambda: 1.0
        )

    return make


@pytest.fixture
def transport(open_transport: Callable[..., HttpTransport]) -> HttpTransport:
    return open_transport(read_timeout_s=0.4)
