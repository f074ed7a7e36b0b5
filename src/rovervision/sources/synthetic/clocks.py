"""When a rover saw something: sol and local hour to UTC and spacecraft clock."""

from datetime import UTC, datetime, timedelta
from typing import Final

from rovervision.sources.mars_time import SOL_S

SOL_ZERO: Final[dict[str, datetime]] = {
    "curiosity": datetime(2012, 8, 5, 13, 52, 34, tzinfo=UTC),
    "perseverance": datetime(2021, 2, 18, 4, 24, 16, tzinfo=UTC),
    # From the label of 1P128287181: sol 1, 15:32:30 true solar time at 2004-01-25T07:18:28Z.
    "opportunity": datetime(2004, 1, 24, 15, 20, 10, tzinfo=UTC) - timedelta(seconds=SOL_S),
}
"""Rover → UTC of the local midnight at which its sol 0 begins."""

CLOCK_ZERO: Final = datetime(2000, 1, 1, 11, 58, 55, 816000, tzinfo=UTC)
"""The clocks of all three rovers count seconds from here (real ones drift by minutes in years; these do not)."""


def moment(rover: str, sol: int, hour: float) -> datetime:
    """Return the UTC of a local mean solar hour, 0 to 24 Martian hours after the sol's midnight."""
    return SOL_ZERO[rover] + timedelta(seconds=(sol + hour / 24.0) * SOL_S)


def clock_s(taken: datetime) -> float:
    """Return the spacecraft clock in seconds, to the millisecond."""
    return round((taken - CLOCK_ZERO).total_seconds(), 3)


def utc_text(taken: datetime) -> str:
    """Return ISO 8601 with milliseconds and a Z."""
    return taken.strftime("%Y-%m-%dT%H:%M:%S.") + f"{taken.microsecond // 1000:03d}Z"


def utc_of_clock(sclk_s: float) -> str:
    """Return the UTC text of a spacecraft clock reading."""
    return utc_text(CLOCK_ZERO + timedelta(seconds=sclk_s))
