"""Time on Mars: against labels and records of the missions, the published examples, and itself."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.sources.mars_time import (
    LANDERS,
    SOL_S,
    equation_of_time_deg,
    format_hours,
    format_utc,
    lander,
    mars_sol_date,
    mean_solar_time_h,
    mission_clock,
    parse_mission_clock,
    parse_utc,
    sol_of,
    solar_longitude_deg,
    true_solar_time_h,
    tt_s_of,
    utc_of_mission_clock,
    utc_of_sol,
    utc_of_tt,
)

ROVERS = st.sampled_from(sorted(LANDERS))
MISSIONS = st.datetimes(datetime(2004, 1, 4), datetime(2040, 1, 1), timezones=st.just(UTC))

# START_TIME, PLANET_DAY_NUMBER and LOCAL_TRUE_SOLAR_TIME of PDS labels and of an index
LABELS = [
    ("opportunity", "2004-01-25T07:18:28Z", 1, "15:32:30"),
    ("opportunity", "2018-05-15T23:58:27.909", 5086, "14:43:33"),
    ("spirit", "2004-01-12T08:31:57.705", 9, "13:07:54"),
    ("spirit", "2007-07-12T15:57:59.794", 1252, "16:54:00"),
    ("spirit", "2007-10-25T05:43:14.540Z", 1354, "10:58:19"),
    ("spirit", "2009-03-28T04:55:33.800", 1860, "13:29:10"),
    ("spirit", "2009-05-15T12:18:11.732", 1907, "13:20:09"),
    ("spirit", "2010-02-04T16:14:58.096", 2165, "15:02:34"),
    ("curiosity", "2014-08-05T14:22:36.569", 710, "12:24:45"),
    ("curiosity", "2018-11-02T14:07:24.982", 2219, "23:48:24"),
]
# local mean solar time of labels and feeds, and how far they may disagree, in seconds
CLOCKS = [
    ("curiosity", "2014-08-05T14:22:36.569", "Sol-00710M11:46:09.537", 0.01),
    ("curiosity", "2018-11-02T14:07:24.982", "Sol-02219M00:12:40.635", 0.01),
    ("curiosity", "2025-10-06T17:16:46.000Z", "Sol-04681M10:40:32.355", 4),
    ("perseverance", "2021-06-01T14:14:37.984", "Sol-00100M15:26:09.623", 1),
    ("perseverance", "2025-04-23T16:40:44.575", "Sol-01484M16:41:15.133", 0.01),
    ("perseverance", "2025-10-07T02:08:38.572", "Sol-01646M15:18:15", 2),
    ("insight", "2019-06-10T03:21:57.044Z", "Sol-0190M16:22:28.916", 1),
]


def seconds(clock: str) -> int:
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


@pytest.mark.parametrize(("rover", "utc", "sol", "true_time"), LABELS)
def test_sols_and_true_solar_times_of_labels(rover: str, utc: str, sol: int, true_time: str) -> None:
    moment = parse_utc(utc)
    assert sol_of(rover, moment) == sol
    told_s = true_solar_time_h(moment, lander(rover).east_longitude_deg) * 3600
    assert abs(told_s - seconds(true_time)) < 10


@pytest.mark.parametrize(("rover", "utc", "clock", "within_s"), CLOCKS)
def test_mission_clocks_of_labels_and_feeds(rover: str, utc: str, clock: str, within_s: float) -> None:
    sol, hours = parse_mission_clock(clock)
    assert sol_of(rover, parse_utc(utc)) == sol
    off = utc_of_mission_clock(rover, sol, hours) - parse_utc(utc)
    assert abs(off.total_seconds()) < within_s


def test_first_worked_example_of_mars24() -> None:
    moment = parse_utc("2000-01-06T00:00:00Z")
    assert mars_sol_date(moment) == pytest.approx(44795.9997604, abs=1e-6)
    assert solar_longitude_deg(moment) == pytest.approx(277.18758, abs=2e-5)
    assert equation_of_time_deg(moment) == pytest.approx(-5.18774, abs=2e-5)
    assert format_hours(mean_solar_time_h(moment)) == "23:59:39"
    assert format_hours(true_solar_time_h(moment, 0.0)) == "23:38:54"


def test_second_worked_example_of_mars24() -> None:
    moment, east_longitude_deg = parse_utc("2004-01-03T13:46:31Z"), 360 - 184.702
    assert solar_longitude_deg(moment) == pytest.approx(327.32416, abs=2e-5)
    assert equation_of_time_deg(moment) == pytest.approx(-12.77553, abs=2e-5)
    assert mean_solar_time_h(moment) == pytest.approx(13.16537, abs=2e-5)
    assert mean_solar_time_h(moment, east_longitude_deg) == pytest.approx(0.85190, abs=2e-4)
    assert true_solar_time_h(moment, east_longitude_deg) == pytest.approx(0.00020, abs=2e-5)


def test_a_sol_of_perseverance_in_utc() -> None:
    start, end = utc_of_sol("perseverance", 100)
    assert abs(start - parse_utc("2021-05-31T22:22:30")) < timedelta(minutes=1)
    assert abs(end - parse_utc("2021-06-01T23:02:00")) < timedelta(minutes=1)
    assert abs(utc_of_sol("perseverance", 0)[0] - parse_utc("2021-02-18T04:24:16Z")) < timedelta(seconds=1)
    assert abs(utc_of_sol("curiosity", 0)[0] - parse_utc("2012-08-05T13:49:59Z")) < timedelta(seconds=1)


@pytest.mark.parametrize("rover", LANDERS)
def test_missions_begin_with_their_first_sol(rover: str) -> None:
    assert sol_of(rover, parse_utc(lander(rover).landing_utc)) == lander(rover).first_sol


@pytest.mark.parametrize("rover", LANDERS)
def test_mission_clocks_stay_near_mean_solar_time(rover: str) -> None:
    moment = parse_utc("2012-01-01")
    apart_h = mission_clock(rover, moment)[1] - mean_solar_time_h(moment, lander(rover).east_longitude_deg)
    bound_h = 0.9 if lander(rover).first_sol else 0.05  # hybrid time leads or lags by the equation of time
    assert abs((apart_h + 12) % 24 - 12) < bound_h


@given(ROVERS, MISSIONS)
def test_sols_hold_their_moments(rover: str, moment: datetime) -> None:
    sol, hours = mission_clock(rover, moment)
    start, end = utc_of_sol(rover, sol)
    assert 0 <= hours < 24
    assert start <= moment <= end
    assert abs((utc_of_mission_clock(rover, sol, hours) - moment).total_seconds()) < 1e-3


@given(ROVERS, st.integers(0, 10_000))
def test_sols_follow_one_another(rover: str, sol: int) -> None:
    start, end = utc_of_sol(rover, sol)
    assert end == utc_of_sol(rover, sol + 1)[0]
    assert tt_s_of(end) - tt_s_of(start) == pytest.approx(SOL_S, abs=1e-5)
    assert sol_of(rover, start + (end - start) / 2) == sol


@given(MISSIONS)
def test_terrestrial_time_and_back(moment: datetime) -> None:
    assert abs((utc_of_tt(tt_s_of(moment)) - moment).total_seconds()) < 1e-5


@given(MISSIONS)
def test_clock_text_and_back(moment: datetime) -> None:
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert parse_utc(format_utc(cut)) == cut


@pytest.mark.parametrize(
    ("before", "leap"), [("2005-12-31T23:59:59", 2), ("2016-12-31T23:59:59", 2), ("2020-12-31T23:59:59", 1)]
)
def test_leap_seconds(before: str, leap: int) -> None:
    moment = parse_utc(before)
    assert tt_s_of(moment + timedelta(seconds=1)) - tt_s_of(moment) == pytest.approx(leap)
    assert tt_s_of(parse_utc("2000-01-01T11:58:55.816Z")) == pytest.approx(0, abs=1e-6)
    assert tt_s_of(parse_utc("2017-01-01")) == pytest.approx(6210 * 86400 - 43200 + 69.184)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2025-10-07T02:08:38.572", "2025-10-07T02:08:38.572Z"),
        ("2025-10-07T13:35:54Z", "2025-10-07T13:35:54Z"),
        ("2025-10-06T17:16:46.000Z", "2025-10-06T17:16:46Z"),
        ("2025-10-06 17:16:46.1234567", "2025-10-06T17:16:46.123Z"),
        ("2025-10-07T02:08:38.5+02:00", "2025-10-07T00:08:38.500Z"),
        ("2004-01-25", "2004-01-25T00:00:00Z"),
    ],
)
def test_times_of_the_feeds_are_read(text: str, told: str) -> None:
    assert format_utc(parse_utc(text)) == told


@pytest.mark.parametrize("text", ["", "UNK", "yesterday", "2025-13-01T00:00:00Z", "Sol-00100M15:26:09"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(RovervisionError, match="no time such as"):
        parse_utc(text)


@pytest.mark.parametrize("text", ["", "UNK", "15:26:09", "Sol-100", "Sol-00100M15:26"])
def test_other_mission_clocks_are_refused(text: str) -> None:
    with pytest.raises(RovervisionError, match="no local time"):
        parse_mission_clock(text)


def test_unknown_missions_are_told() -> None:
    with pytest.raises(RovervisionError, match=r"`zhurong`.*spirit"):
        sol_of("zhurong", parse_utc("2021-06-01"))
