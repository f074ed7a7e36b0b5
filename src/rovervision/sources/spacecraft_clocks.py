"""Spacecraft clocks: from the seconds in a product name to UTC and sol.

The clocks count seconds since 2000-01-01T11:58:55.816 UTC (J2000 in Terrestrial Time) and drift unevenly, by up to a
second a day. Between labels and records that tell both clock and UTC the drift is taken as linear, and beyond the last
of them as going on. Where more accuracy matters, use the SCLK kernels of NAIF instead.
"""

from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Final

from rovervision.errors import RovervisionError
from rovervision.sources.mars_time import parse_utc, sol_of, tt_s_of, utc_of_tt

# PDS labels (SPACECRAFT_CLOCK_START_COUNT, START_TIME) and records of the raw image feeds (sclk, date taken). The first
# of Curiosity is reckoned from its label's local mean solar time, Sol-00307M13:02:09.505.
_KNOWN: Final[dict[str, tuple[tuple[float, str], ...]]] = {
    "spirit": (
        (127168412.121, "2004-01-12T08:31:57.705"),
        (237528526.496, "2007-07-12T15:57:59.794"),
        (246563688.996, "2007-10-25T05:43:14.540"),
        (291489372.746, "2009-03-28T04:55:33.800"),
        (295663162.746, "2009-05-15T12:18:11.732"),
        (318573382.496, "2010-02-04T16:14:58.096"),
    ),
    "opportunity": (
        (128287181.621, "2004-01-25T07:18:28.000"),
        (579700548.371, "2018-05-15T23:58:27.909"),
    ),
    "curiosity": (
        (424748435.000, "2013-06-17T13:46:58.562"),
        (460519844.000, "2014-08-05T14:22:36.569"),
        (594437662.000, "2018-11-02T14:07:24.982"),
        (813038955.646, "2025-10-06T17:16:46.000"),
    ),
    "perseverance": (
        (668192307.846, "2021-03-05T05:00:08.982"),
        (675828717.276, "2021-06-01T14:14:37.984"),
        (798697310.734, "2025-04-23T16:40:44.575"),
        (813073669.716, "2025-10-07T02:08:38.572"),
    ),
}

CLOCK_ERROR_S: Final = {"spirit": 200.0, "opportunity": 600.0, "curiosity": 60.0, "perseverance": 30.0}
"""How far the UTC of a clock may be off within the mission, in seconds.

Known pairs left out and reckoned from the others were off by at most 163 s (Spirit), 11 s (Curiosity) and 1.2 s
(Perseverance). Opportunity has two pairs only, 14 years apart; Spirit's clock strayed 130 s from such a line.
"""


def has_clock(rover: str) -> bool:
    """Tell whether the clock of a rover is known well enough to reckon with."""
    return rover in _KNOWN


def utc_of_sclk(rover: str, sclk_s: float) -> datetime:
    """Return the UTC at a reading of a rover's clock, good to `CLOCK_ERROR_S`.

    Raises RovervisionError for a rover whose clock is not known.
    """
    if rover not in _KNOWN:
        raise RovervisionError(f"The spacecraft clock of `{rover}` is not known. Known: {', '.join(_KNOWN)}.")
    return utc_of_tt(sclk_s + _offset_s(_offsets(rover), sclk_s))


def sol_of_sclk(rover: str, sclk_s: float) -> int:
    """Return the sol at a reading of a rover's clock.

    Within `CLOCK_ERROR_S` of the mission's midnight it may be the sol beside it. Raises RovervisionError for a rover
    whose clock is not known.
    """
    return sol_of(rover, utc_of_sclk(rover, sclk_s))


@cache
def _offsets(rover: str) -> tuple[tuple[float, float], ...]:
    """Return pairs of clock reading and what to add to it for Terrestrial Time, both in seconds."""
    return tuple((sclk_s, tt_s_of(parse_utc(utc)) - sclk_s) for sclk_s, utc in _KNOWN[rover])


def _offset_s(known: tuple[tuple[float, float], ...], sclk_s: float) -> float:
    """Interpolate, or go on at the rate of the nearest two pairs."""
    legs = list(pairwise(known))
    (start_s, start), (end_s, end) = next((leg for leg in legs if sclk_s <= leg[1][0]), legs[-1])
    return start + (end - start) * (sclk_s - start_s) / (end_s - start_s)
