"""How long to wait: what a server asks for in its headers, and exponential back-off where it asks for nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_EPOCH_FROM_S: Final = 1e9
"""X-RateLimit-Reset is seconds to wait with some servers and a Unix time with others; waits are never 30 years."""
_EPOCH_MS_FROM: Final = 1e12
_LONGEST_S: Final = 1e9


def told_wait_s(status: int, headers: Mapping[str, str], now_s: float) -> float:
    """Return how many seconds the server asks to be left alone after this answer; 0 where it asks for nothing.

    Retry-After counts with 429 and 503 (RFC 9110, 10.2.3: seconds or a date), X-RateLimit-Remaining 0 with
    X-RateLimit-Reset on any answer. `now_s`: Unix time, used where the answer has no Date of its own.
    """
    now_s = _http_date_s(headers.get("Date", "")) or now_s
    asked = [_retry_after_s(headers.get("Retry-After", ""), now_s)] if status in (429, 503) else []
    if headers.get("X-RateLimit-Remaining", "").strip() == "0":
        asked.append(_reset_s(headers.get("X-RateLimit-Reset", ""), now_s))
    return min(max(0.0, *asked, 0.0), _LONGEST_S)


def backoff_s(attempt: int, base_s: float, longest_s: float, fraction: float) -> float:
    """Return the pause after failed attempt number `attempt` (from 1): full jitter, `fraction` in [0, 1).

    Uniform in [0, min(longest, base * 2^(attempt - 1))]: M. Brooker, "Exponential Backoff And Jitter", AWS
    Architecture Blog, 2015.
    """
    return fraction * min(longest_s, base_s * 2.0 ** min(attempt - 1, 60))


def spoken_wait(wait_s: float, now_s: float) -> str:
    """Say when a wait ends, for a person."""
    moment = datetime.fromtimestamp(now_s + wait_s, UTC)
    return f"{moment:%Y-%m-%d %H:%M} UTC, in {max(1, round(wait_s / 60))} min"


def _retry_after_s(text: str, now_s: float) -> float:
    seconds = _number(text)
    if seconds is not None:
        return seconds
    moment_s = _http_date_s(text)
    return 0.0 if moment_s is None else moment_s - now_s


def _reset_s(text: str, now_s: float) -> float:
    seconds = _number(text) or 0.0
    if seconds >= _EPOCH_MS_FROM:
        seconds /= 1000.0
    return seconds - now_s if seconds >= _EPOCH_FROM_S else seconds


def _number(text: str) -> float | None:
    plain = text.strip()
    return float(plain) if plain.isascii() and plain.isdigit() else None


def _http_date_s(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
