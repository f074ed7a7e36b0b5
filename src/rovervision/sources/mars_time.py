"""Time on Mars: sols of a mission, solar time at a place, and back to UTC.

Solar time follows Allison and McEwen (2000), Planet. Space Sci. 48, 215-235, with the constants of NASA GISS, "Mars24
Sunclock: algorithm and worked examples" (2023). Leap seconds are those of IERS Bulletin C.

A mission counts sols from a midnight of its own: mean solar time at the longitude where it meant to land, fixed for
good, so it differs by seconds to minutes from the mean solar time where the rover stands. Every datetime here carries a
time zone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import cos, floor, radians, sin
from typing import Final

from rovervision.errors import RovervisionError

SOL_S: Final = 88775.244
"""A mean solar day of Mars in seconds, as all missions count it."""

_J2000: Final = datetime(2000, 1, 1, 12, tzinfo=UTC)
_TT_MINUS_TAI_S: Final = 32.184
_FIRST_TAI_MINUS_UTC_S: Final = 10  # from 1972 on; earlier UTC is not meant here
_LEAP_SECONDS: Final = tuple(
    datetime(year, month, 1, tzinfo=UTC)
    for month, years in (
        (1, (1973, 1974, 1975, 1976, 1977, 1978, 1979, 1980, 1988, 1990, 1991, 1996, 1999, 2006, 2009, 2017)),
        (7, (1972, 1981, 1982, 1983, 1985, 1992, 1993, 1994, 1997, 2012, 2015)),
    )
    for year in years
)
"""The moments after each leap second, in no order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lander:
    """Where and when a mission stands on Mars."""

    landing_utc: str
    """To the minute, at the spacecraft: Earth heard of it some minutes later."""
    first_sol: int
    """The sol of the landing: 1 for Spirit and Opportunity, 0 since."""
    sol_zero_tt_s: float
    """Midnight that begins sol 0, in seconds of Terrestrial Time after J2000."""
    east_longitude_deg: float
    """Longitude of the landing place; driving has changed it by less than half a degree, 2 minutes of solar time."""


# Midnights: NAIF kernels mer1_hlst_tm20b3_v2 and mer2_alst_ep55a2 (hybrid solar time; they give that of sol 1),
# msl_lmst_gc120806_v2, m2020_lmst_jez_v4, insight_lmst_ops181206_v1. Landings and longitudes: Mars24, JPL.
LANDERS: Final = {
    "spirit": Lander(
        landing_utc="2004-01-04T04:26:00Z",
        first_sol=1,
        sol_zero_tt_s=126409039.0 - SOL_S,
        east_longitude_deg=175.4729,
    ),
    "opportunity": Lander(
        landing_utc="2004-01-25T04:54:00Z",
        first_sol=1,
        sol_zero_tt_s=128229003.0 - SOL_S,
        east_longitude_deg=354.4734,
    ),
    "curiosity": Lander(
        landing_utc="2012-08-06T05:18:00Z",
        first_sol=0,
        sol_zero_tt_s=397446666.183,
        east_longitude_deg=137.4417,
    ),
    "insight": Lander(
        landing_utc="2018-11-26T19:45:00Z",
        first_sol=0,
        sol_zero_tt_s=596481119.519,
        east_longitude_deg=135.6234,
    ),
    "perseverance": Lander(
        landing_utc="2021-02-18T20:44:00Z",
        first_sol=0,
        sol_zero_tt_s=666894324.991,
        east_longitude_deg=77.4509,
    ),
}
LANDERS["ingenuity"] = LANDERS["perseverance"]

_MISSION_CLOCK: Final = re.compile(r"Sol-(\d{1,5})M(\d{1,2}):(\d{2}):(\d{2}(?:\.\d*)?)")
_PERTURBERS: Final = (
    (0.0071, 2.2353, 49.409),
    (0.0057, 2.7543, 168.173),
    (0.0039, 1.1177, 191.837),
    (0.0037, 15.7866, 21.736),
    (0.0021, 2.1354, 15.704),
    (0.0020, 2.4694, 95.528),
    (0.0018, 32.8493, 49.095),
)  # amplitude in degrees, period in years, phase in degrees: Mars24, B-3


def parse_utc(text: str) -> datetime:
    """Read an ISO 8601 time as the feeds write it, with or without Z and fractions; without a zone it is UTC.

    Digits beyond microseconds are dropped. Raises RovervisionError for anything else.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise RovervisionError(f"`{text}` is no time such as 2025-10-07T02:08:38.572Z.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def format_utc(moment: datetime) -> str:
    """Write a time as ISO 8601 with a Z; milliseconds only where there are any."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return text.removesuffix(".000") + "Z"


def tt_s_of(utc: datetime) -> float:
    """Return Terrestrial Time in seconds after J2000 (2000-01-01 12:00 TT)."""
    leaps_s = _FIRST_TAI_MINUS_UTC_S + _leap_seconds(utc)
    return (utc - _J2000).total_seconds() + leaps_s + _TT_MINUS_TAI_S


def utc_of_tt(tt_s: float) -> datetime:
    """Undo `tt_s_of`. The leap second itself is given as the second after it."""
    without_leaps = _J2000 + timedelta(seconds=tt_s - _TT_MINUS_TAI_S - _FIRST_TAI_MINUS_UTC_S)
    utc = without_leaps
    for _ in range(2):  # the first pass may stand up to 27 s late, on the wrong side of a leap second
        utc = without_leaps - timedelta(seconds=_leap_seconds(utc))
    return utc


def _leap_seconds(utc: datetime) -> int:
    """Return how many leap seconds there were since 1972."""
    return sum(utc >= moment for moment in _LEAP_SECONDS)


def lander(rover: str) -> Lander:
    """Return what is known of a mission. Raises RovervisionError for an unknown one."""
    try:
        return LANDERS[rover]
    except KeyError:
        raise RovervisionError(f"No clock of sols is known for `{rover}`. Known: {', '.join(LANDERS)}.") from None


def mission_clock(rover: str, utc: datetime) -> tuple[int, float]:
    """Return the sol and the mission's local time in hours, 0 <= hours < 24.

    It gives the LMST of Curiosity's labels to the millisecond, and that of records of the feeds to 3 s. For Spirit and
    Opportunity it is the hybrid time that they were driven by, which is neither true nor mean solar time.
    """
    sols = (tt_s_of(utc) - lander(rover).sol_zero_tt_s) / SOL_S
    return floor(sols), min((sols - floor(sols)) * 24, 23.999999999)


def sol_of(rover: str, utc: datetime) -> int:
    """Return the mission's sol at a time; below `first_sol` before the landing."""
    return mission_clock(rover, utc)[0]


def utc_of_sol(rover: str, sol: int) -> tuple[datetime, datetime]:
    """Return the UTC at which a sol begins and ends."""
    start_tt_s = lander(rover).sol_zero_tt_s + sol * SOL_S
    return utc_of_tt(start_tt_s), utc_of_tt(start_tt_s + SOL_S)


def parse_mission_clock(text: str) -> tuple[int, float]:
    """Read a mission's local time such as `Sol-04681M10:40:32.355`: sol and hours. Raises RovervisionError."""
    match = _MISSION_CLOCK.fullmatch(text.strip())
    if match is None:
        raise RovervisionError(f"`{text}` is no local time such as Sol-04681M10:40:32.355.")
    return int(match[1]), int(match[2]) + int(match[3]) / 60 + float(match[4]) / 3600


def utc_of_mission_clock(rover: str, sol: int, hours: float) -> datetime:
    """Undo `mission_clock`."""
    return utc_of_tt(lander(rover).sol_zero_tt_s + (sol + hours / 24) * SOL_S)


def format_hours(hours: float) -> str:
    """Write hours as `15:18:15`, cut to the second."""
    seconds = floor(hours * 3600 + 1e-6)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def mars_sol_date(utc: datetime) -> float:
    """Return the sols since noon of 29 December 1873 at Mars's prime meridian (Mars24, C-2)."""
    return (_days_after_j2000(utc) - 4.5) / 1.0274912517 + 44796.0 - 0.0009626


def mean_solar_time_h(utc: datetime, east_longitude_deg: float = 0.0) -> float:
    """Return local mean solar time in hours; at longitude 0 it is Coordinated Mars Time (Mars24, C-2 and C-3)."""
    return (mars_sol_date(utc) * 24 + east_longitude_deg / 15) % 24


def true_solar_time_h(utc: datetime, east_longitude_deg: float) -> float:
    """Return local true solar time in hours: what a sundial shows (Mars24, C-4)."""
    return (mean_solar_time_h(utc, east_longitude_deg) + equation_of_time_deg(utc) / 15) % 24


def solar_longitude_deg(utc: datetime) -> float:
    """Return the areocentric longitude of the Sun, Ls, the season: 0 is northern spring (Mars24, B-5)."""
    days = _days_after_j2000(utc)
    return (270.3871 + 0.524038496 * days + _equation_of_center_deg(days)) % 360


def equation_of_time_deg(utc: datetime) -> float:
    """Return true minus mean solar time in degrees, 15 to the hour (Mars24, C-1)."""
    season = radians(solar_longitude_deg(utc))
    series = 2.861 * sin(2 * season) - 0.071 * sin(4 * season) + 0.002 * sin(6 * season)
    return series - _equation_of_center_deg(_days_after_j2000(utc))


def _equation_of_center_deg(days: float) -> float:
    """Return true minus mean anomaly with the pull of the planets (Mars24, B-1, B-3 and B-4)."""
    anomaly = radians(19.3871 + 0.52402073 * days)
    pull = sum(size * cos(radians(0.985626 * days / period + phase)) for size, period, phase in _PERTURBERS)
    return (
        (10.691 + 3.0e-7 * days) * sin(anomaly)
        + 0.623 * sin(2 * anomaly)
        + 0.050 * sin(3 * anomaly)
        + 0.005 * sin(4 * anomaly)
        + 0.0005 * sin(5 * anomaly)
        + pull
    )


def _days_after_j2000(utc: datetime) -> float:
    return tt_s_of(utc) / 86400
