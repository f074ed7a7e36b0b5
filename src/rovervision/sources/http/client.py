"""The network, politely: requests that are paced, bounded, checked and repeated where that may help."""

import json
import logging
import random
import re
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from itertools import count
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

import rovervision
from rovervision.sources.http.addresses import host_of, safe_address
from rovervision.sources.http.answers import Pace, chunks_of, discard, promised_bytes, read_body
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.faults import html_fault, looks_like_html, network_fault, status_fault
from rovervision.sources.http.host_gate import HostGate
from rovervision.sources.http.ranges import content_range, range_headers, validator_of
from rovervision.sources.http.transport import FetchError, RangedAnswer
from rovervision.sources.http.waits import backoff_s, told_wait_s
from rovervision.sources.stopping import pause

AGENT: Final = f"rovervision/{rovervision.__version__} (research; asks slowly, keeps what it gets)"
MAX_REDIRECTS: Final = 5

_HTML_ATTEMPTS: Final = 2  # a page in place of an image is seldom an accident
_FIRST_ATTEMPTS: Final = 2  # to a host that has never answered
_FIRST_CONTACT_S: Final = 6.0  # of connecting to each of its addresses: one lost packet is allowed for
_FIRST_ANSWER_S: Final = 40.0  # of silence; the slow feed takes up to 30
_FIRST_PATIENCE_S: Final = 10.0  # a first attempt that took longer is the only one
_WHOLE: Final = {"Accept-Encoding": "identity"}  # so that Content-Length is the length of the file
_SECRETS: Final = re.compile(r"((?:api_)?key|token)=[^&#]*", re.IGNORECASE)

_logger = logging.getLogger(__name__)
_T = TypeVar("_T")


class HttpTransport:
    """A `Transport` over HTTP. Threads share it; its limits hold for all of them together.

    `hosts`: who may be asked, in lower case, see `addresses.allowed_hosts`. `clock` never goes back, `now` is Unix
    time; both are in seconds, like `sleep`. `jitter` returns numbers in [0, 1).
    """

    def __init__(
        self,
        config: HttpConfig,
        hosts: Container[str],
        *,
        sleep: Callable[[float], object] = pause,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._config = config
        self._hosts = hosts
        self._sleep, self._clock, self._now, self._jitter = sleep, clock, now, jitter
        self._pace = Pace(config.min_bytes_per_s, config.read_timeout_s, clock)
        self._session = _session(config)
        self._gates: dict[str, HostGate] = {}
        self._making_gates = threading.Lock()

    def get_json(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        spacing_s: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the decoded JSON of an answer. Requests with spacing to one host start at least so far apart."""
        address = with_params(url, params or {})

        def once() -> Any:
            with self._answer("GET", address, headers or {}, spacing_s) as (answer, host):
                return _decoded(read_body(answer, host, self._config.max_page_bytes, self._pace), host)

        return self._patiently(address, once)

    def get_text(self, url: str, *, max_bytes: int) -> str:
        """Return a small text file, read as UTF-8 with replacement."""

        def once() -> str:
            with self._answer("GET", url, {}) as (answer, host):
                return read_body(answer, host, max_bytes, self._pace).decode("utf-8", "replace")

        return self._patiently(url, once)

    def get_file(self, url: str, *, max_bytes: int) -> bytes:
        """Return a whole file, as long as the server promised. A page of HTML is a failure."""

        def once() -> bytes:
            with self._answer("GET", url, _WHOLE) as (answer, host):
                body = read_body(answer, host, max_bytes, self._pace)
                if looks_like_html(body):
                    raise html_fault(host)
                return body

        return self._patiently(url, once)

    def size_bytes(self, url: str) -> int | None:
        """Return the length of a file without fetching it; None where the server does not say."""

        def once() -> int | None:
            with self._answer("HEAD", url, _WHOLE, accepted=(405, 501)) as (answer, _):
                return promised_bytes(answer) if answer.ok else None

        return self._patiently(url, once)

    @contextmanager
    def get_range(self, url: str, offset_bytes: int, validator: str | None) -> Iterator[RangedAnswer]:
        """Stream a file from an offset on; from its start where it has changed since `validator` or ranges are unknown.

        One attempt: the caller, who keeps what has arrived, asks again from there.
        """
        asked = {**_WHOLE, **range_headers(offset_bytes, validator)}
        with self._answer("GET", url, asked, accepted=(416,)) as (answer, host):
            part = self._ranged(answer, host, offset_bytes, validator)
            if part:
                yield part
                return
        with self._answer("GET", url, _WHOLE) as (answer, host):
            whole = self._ranged(answer, host, 0, None)
            if not whole:
                raise FetchError("unexpected_answer", f"{host} sent another part of the file than was asked for.")
            yield whole

    def _ranged(
        self, answer: requests.Response, host: str, offset_bytes: int, validator: str | None
    ) -> RangedAnswer | None:
        """Return what an answer to a request for a part holds; None where the file must be asked for from its start."""
        found = validator_of(answer.headers)
        told = content_range(answer.headers.get("Content-Range", ""))
        if answer.status_code == 200:
            return RangedAnswer(0, promised_bytes(answer), found, chunks_of(answer, host, self._pace))
        if not told or (validator and found and found != validator):
            return None
        if answer.status_code == 416:
            at_end = offset_bytes > 0 and told.total_bytes == offset_bytes
            return RangedAnswer(offset_bytes, offset_bytes, found, iter(())) if at_end else None
        if told.first != offset_bytes or offset_bytes == 0:
            return None
        return RangedAnswer(offset_bytes, told.total_bytes, found, chunks_of(answer, host, self._pace))

    def _patiently(self, url: str, once: Callable[[], _T]) -> _T:
        """Call until it succeeds, as often as makes sense for what goes wrong."""
        gate = self._gate(host_of(url))
        started_s = self._clock()
        for attempt in count(1):
            try:
                return once()
            except FetchError as error:
                if not error.may_pass or attempt >= self._attempts(error, gate, self._clock() - started_s):
                    gate.give_up(error)
                    raise
                pause_s = backoff_s(attempt, self._config.backoff_s, self._config.backoff_max_s, self._jitter())
                _logger.debug("attempt %d: %s Again in %.1f s.", attempt, error, pause_s)
                self._sleep(pause_s)
        raise AssertionError("count() has no end")

    def _attempts(self, error: FetchError, gate: HostGate, elapsed_s: float) -> int:
        """Return how many attempts an error is worth."""
        most = self._config.attempts
        if error.reason == "html_page":
            return min(most, _HTML_ATTEMPTS)
        if error.reason in ("unreachable", "timeout") and not gate.answered:
            return min(most, _FIRST_ATTEMPTS) if elapsed_s < _FIRST_PATIENCE_S else 1
        return most

    @contextmanager
    def _answer(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        spacing_s: float = 0.0,
        accepted: tuple[int, ...] = (),
    ) -> Iterator[tuple[requests.Response, str]]:
        """One request, redirects followed by hand: yield the answer, if it is a good one, and the host that gave it."""
        address, first_host = url, host_of(url)
        for _ in range(MAX_REDIRECTS + 1):
            address = safe_address(address, self._hosts)
            host = host_of(address)
            gate = self._gate(host)
            with gate.entered(spacing_s):
                own = headers if host == first_host else _WHOLE  # what was meant for one host is not told another
                with self._sent(method, address, own, gate) as answer:
                    target = _target(answer, address)
                    if target is None:
                        self._check(answer, gate, accepted)
                        yield answer, host
                        return
                    discard(answer)
            address = target
        raise FetchError("unexpected_answer", f"{first_host} redirects more than {MAX_REDIRECTS} times.")

    @contextmanager
    def _sent(
        self, method: str, address: str, headers: Mapping[str, str], gate: HostGate
    ) -> Iterator[requests.Response]:
        started_s = self._clock()
        contact_s, answer_s = self._config.connect_timeout_s, self._config.read_timeout_s
        if not gate.answered and not gate.tried:
            contact_s, answer_s = min(contact_s, _FIRST_CONTACT_S), min(answer_s, _FIRST_ANSWER_S)
        gate.tried = True
        try:
            answer = self._session.request(
                method,
                address,
                headers=dict(headers),
                timeout=(contact_s, answer_s),
                stream=True,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise network_fault(error, gate.host) from error
        gate.answered = True
        shown = _SECRETS.sub(r"\1=...", address)
        _logger.debug("%s %s: %d after %.2f s", method, shown, answer.status_code, self._clock() - started_s)
        with answer:
            yield answer

    def _check(self, answer: requests.Response, gate: HostGate, accepted: tuple[int, ...]) -> None:
        """Do what the headers ask for, and raise FetchError for a status that brings no file."""
        status = answer.status_code
        is_good = status in (200, 206) or status in accepted
        wait_s = told_wait_s(status, answer.headers, self._now())
        if wait_s > 0:
            try:
                gate.hold(wait_s)
            except FetchError:
                if not is_good:
                    raise  # a good answer is kept; the next request is told
        if not is_good:
            discard(answer)
            raise status_fault(status, gate.host)

    def _gate(self, host: str) -> HostGate:
        with self._making_gates:
            if host not in self._gates:
                limits = self._config.connections_per_host, self._config.wait_max_s
                self._gates[host] = HostGate(host, *limits, self._clock, self._now, self._sleep)
            return self._gates[host]


def with_params(url: str, params: Mapping[str, str]) -> str:
    """Return the address with a query: each key once, spaces as plus, `|` escaped, commas and colons as they are.

    Raises FetchError("unsafe_address") for what is no address.
    """
    host_of(url)
    if not params:
        return url
    parts = urlsplit(url)
    merged = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **params}
    return urlunsplit(parts._replace(query=urlencode(merged, safe=",:")))


class _Session(requests.Session):
    """Leaves redirects alone. Told not to follow them, requests still reads their bodies, however long."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is none."""


def _session(config: HttpConfig) -> requests.Session:
    session = _Session()
    session.headers["User-Agent"] = AGENT
    session.headers["Accept-Encoding"] = "gzip, deflate"
    session.auth = _no_credentials
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=32, pool_maxsize=config.connections_per_host + 8, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stand in the place where requests would look into the user's .netrc, once for every request."""
    return request


def _target(answer: requests.Response, address: str) -> str | None:
    """Return where an answer redirects to, not yet checked; None where it does not."""
    if not answer.is_redirect:
        return None
    try:
        return urljoin(address, answer.headers["Location"].encode("latin-1").decode("utf-8"))
    except ValueError as error:
        raise FetchError("unsafe_address", f"{host_of(address)} redirects to no address at all.") from error


def _decoded(body: bytes, host: str) -> Any:
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise html_fault(host)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FetchError("unexpected_answer", f"The answer of {host} is not JSON.") from error
