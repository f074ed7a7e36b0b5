"""Values out of the records of a feed, whose types drift: text for numbers, null, "UNK", missing keys."""

import math
import re
from datetime import UTC, datetime
from typing import Any, Final

from rovervision.sources.feeds.feed import Latest
from rovervision.sources.http.transport import FetchError

_NOTHING: Final = ("", "unk", "null", "none")
_NUMBERS: Final = re.compile(r"\(\s*(\d{1,6})\s*,\s*(\d{1,6})\s*\)")
_WORDS: Final = frozenset({"full", "subframe", "thumbnail", "downsampled", "mixed"})
_WHEEL: Final = re.compile(r"(?:^|_)[LR](\d)(?:_|$)")


class BadRecordError(ValueError):
    """A record that cannot be used. The message names the field."""


def at(record: Any, *path: str) -> Any:
    """Return a value inside nested objects; None where any part of the way is missing."""
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def text(record: Any, *path: str) -> str | None:
    """Return a value as Unicode text; None for null, nothing, "UNK" and for lists and objects."""
    value = at(record, *path)
    if value is None or isinstance(value, bool | list | dict):
        return None
    told = str(value).encode("utf-8", "replace").decode().strip()  # JSON can spell characters that UTF-8 cannot
    return None if told.lower() in _NOTHING else told


def number(record: Any, *path: str) -> float | None:
    """Return a finite number, spelled as one or as text."""
    try:
        value = float(text(record, *path) or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def whole(record: Any, *path: str) -> int | None:
    """Return a whole number, spelled as one or as text."""
    value = number(record, *path)
    return int(value) if value is not None and value.is_integer() else None


def sol_of(record: Any) -> int:
    """Return the record's sol; BadRecordError where it has none."""
    if not isinstance(record, dict):
        raise BadRecordError("it is no object")
    sol = whole(record, "sol")
    if sol is None or not 0 <= sol < 100_000:
        raise BadRecordError("`sol` is no sol")
    return sol


def moment(value: str | None) -> datetime | None:
    """Read an ISO 8601 time; one without a zone is UTC."""
    try:
        told = datetime.fromisoformat(value or "")
        return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def iso(time: datetime) -> str:
    """Spell a time of UTC as ISO 8601 with a Z, to the millisecond where it has any."""
    return time.isoformat(timespec="milliseconds" if time.microsecond else "seconds").replace("+00:00", "Z")


def utc(record: Any, *path: str) -> str | None:
    """Return a time as ISO 8601 with a Z."""
    time = moment(text(record, *path))
    return iso(time) if time else None


def pair(record: Any, *path: str) -> tuple[int, int] | None:
    """Read two whole numbers above zero, as in "(1288,968)"."""
    match = _NUMBERS.fullmatch(text(record, *path) or "")
    numbers = (int(match[1]), int(match[2])) if match else (0, 0)
    return numbers if all(numbers) else None


def sample_type(told: str | None, named: str, is_thumbnail: bool) -> str:
    """Return full, subframe, thumbnail, downsampled, mixed or unknown.

    Args:
        told: What the record says, in any case.
        named: What the product name says. A thumbnail by either is one: feeds mix the two up.
        is_thumbnail: The record's own flag.
    """
    word = (told or "").lower()
    if is_thumbnail or "thumbnail" in (word, named):
        return "thumbnail"
    return word if word in _WORDS else named


def filter_digit(told: str | None) -> str:
    """Return the wheel's position in a filter name, such as 0 in `ZCAM_L0_RGB`; empty where there is none."""
    match = _WHEEL.search((told or "").upper())
    return match[1] if match else ""


def listed(body: Any, key: str, feed: str) -> list[Any]:
    """Return the records of a page. FetchError names the field and the feed where there is no such list."""
    records = at(body, key)
    if isinstance(records, list):
        return records
    if "no more images" in str(at(body, "message") or at(body, "error") or body).lower()[:400]:
        return []
    raise FetchError("unexpected_answer", f"The feed of {feed} has changed: its answer has no list `{key}`.")


def latest_of(data: Any, feed: str) -> Latest:
    """Read the summary that both NASA feeds give of their newest images.

    Raises:
        FetchError: Time or sol are missing, for without them no listing can be trusted to be complete.
    """
    stamp, newest_sol = utc(data, "latest"), whole(data, "latest_sol")
    if stamp is None or newest_sol is None or newest_sol < 0:
        field = "latest" if stamp is None else "latest_sol"
        raise FetchError("unexpected_answer", f"The feed of {feed} has changed: its summary has no `{field}`.")
    grown = at(data, "latest_sols")
    sols = (whole({"sol": sol}, "sol") for sol in (grown if isinstance(grown, list) else []))
    return Latest(stamp, newest_sol, frozenset(sol for sol in sols if sol is not None))
