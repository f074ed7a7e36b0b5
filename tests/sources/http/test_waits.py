"""Waiting as long as the server asks, and not longer than makes sense."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.sources.http.waits import backoff_s, spoken_wait, told_wait_s

NOW_S = 1_790_000_000.0


def http_date(moment_s: float) -> str:
    return format_datetime(datetime.fromtimestamp(moment_s, UTC), usegmt=True)


@given(st.integers(0, 10**6), st.sampled_from([429, 503]), st.booleans())
def test_seconds_and_dates_mean_the_same(wait_s: int, status: int, is_date: bool) -> None:
    told = http_date(NOW_S + wait_s) if is_date else f" {wait_s} "
    assert told_wait_s(status, {"Retry-After": told}, NOW_S) == wait_s


@given(st.integers(1, 10**6), st.integers(-(10**6), 10**6))
def test_a_date_is_read_by_the_servers_clock(wait_s: int, error_s: int) -> None:
    server_s = NOW_S + error_s
    headers = {"Retry-After": http_date(server_s + wait_s), "Date": http_date(server_s)}
    assert told_wait_s(429, headers, NOW_S) == wait_s


@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_retry_after_belongs_to_busy_answers(status: int) -> None:
    assert told_wait_s(status, {"Retry-After": "9"}, NOW_S) == 0


@given(st.integers(1, 10**6), st.sampled_from(["delta", "epoch", "epoch_ms"]), st.sampled_from([200, 429]))
def test_rate_headers(wait_s: int, kind: str, status: int) -> None:
    reset = {"delta": wait_s, "epoch": NOW_S + wait_s, "epoch_ms": (NOW_S + wait_s) * 1000}[kind]
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(reset))}
    assert told_wait_s(status, headers, NOW_S) == wait_s
    assert told_wait_s(status, {**headers, "X-RateLimit-Remaining": "1"}, NOW_S) == 0


@given(st.text(), st.text(), st.sampled_from([200, 429, 503]))
def test_nonsense_is_no_wait_and_no_error(text: str, date: str, status: int) -> None:
    headers = {"Retry-After": text, "Date": date, "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": text}
    assert 0 <= told_wait_s(status, headers, NOW_S) <= 1e9


@pytest.mark.parametrize("text", ["9" * 400, "-5", "1e9", "٣", "Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 99 Xyz 2026", ""])
def test_odd_values(text: str) -> None:
    wait_s = told_wait_s(429, {"Retry-After": text}, NOW_S)
    assert wait_s == (1e9 if len(text) == 400 else 0)
    assert "UTC" in spoken_wait(wait_s, NOW_S)


@given(st.integers(1, 5000), st.floats(0, 60), st.floats(0, 100), st.floats(0, 1, exclude_max=True))
def test_back_off_doubles_up_to_a_limit(attempt: int, base_s: float, longest_s: float, fraction: float) -> None:
    pause_s = backoff_s(attempt, base_s, longest_s, fraction)
    assert 0 <= pause_s <= longest_s
    assert pause_s <= base_s * 2.0 ** min(attempt - 1, 900)
    assert backoff_s(3, 1.0, 30.0, 1.0) == 4.0 and backoff_s(9, 1.0, 30.0, 1.0) == 30.0
