"""When things happen on Mars: start of sol in UTC, and the spacecraft clocks."""

from datetime import UTC, datetime, timedelta
from typing import Final

SOL_S: Final = 88_775.244
MIDNIGHTS: Final = {
    "msl": datetime(2012, 8, 5, 13, 52, 34, tzinfo=UTC),
    "mars2020": datetime(2021, 2, 18, 4, 24, 16, tzinfo=UTC),
    "insight": datetime(2018, 11, 26, 5, 10, 50, tzinfo=UTC),
    "opportunity": datetime(2004, 1, 23, 14, 40, 45, tzinfo=UTC),  # sol 1 is the day of landing
    "spirit": datetime(2004, 1, 2, 13, 7, 0, tzinfo=UTC),
}
"""Local midnight that begins sol 0."""
_CLOCK_ZERO: Final = datetime(2000, 1, 1, 11, 58, 55, 816_000, tzinfo=UTC)


def moment(mission: str, sol: int, offset_s: float) -> datetime:
    """Return the UTC of so many seconds after a sol's midnight."""
    return MIDNIGHTS[mission] + timedelta(seconds=sol * SOL_S + offset_s)


def spacecraft_clock_s(when: datetime) -> float:
    """Return the spacecraft clock, leap seconds aside."""
    return (when - _CLOCK_ZERO).total_seconds()


def mars_time(offset_s: float) -> str:
    """Return seconds after midnight as HH:MM:SS.mmm of local mean solar time."""
    day_s = offset_s * 86_400 / SOL_S
    return f"{int(day_s // 3600):02d}:{int(day_s // 60 % 60):02d}:{day_s % 60:06.3f}"
