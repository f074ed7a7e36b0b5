import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.gallery.scores import Column, best_of, number, score_table

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8)


@given(VALUES)
def test_the_best_is_no_worse_than_any(values: list[float]) -> None:
    series = pd.Series(values)
    assert best_of(series, "lower") == min(values)
    assert best_of(series, "higher") == max(values)
    nearest = best_of(series, "near one")
    assert nearest is not None
    assert all(abs(nearest - 1) <= abs(value - 1) for value in values)


def test_one_number_or_no_direction_has_no_best() -> None:
    assert best_of(pd.Series([3.0, np.nan]), "lower") is None
    assert best_of(pd.Series([3.0, 4.0]), "") is None


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_a_number_reads_back_as_itself(value: float, digits: int) -> None:
    told = number(value, digits)
    assert "-" not in told
    assert math.isclose(float(told.replace("−", "-").replace(",", "")), value, abs_tol=0.5001 * 10**-digits)


@pytest.mark.parametrize("value", [np.nan, None, np.inf, pd.NA])
def test_what_is_no_number_is_a_dash(value: object) -> None:
    assert number(value, 2) == "–"


def test_bounds_are_shown_and_win_nothing() -> None:
    table = pd.DataFrame(
        {"method": ["a", "b", "c"], "role": ["baseline", "model", "oracle"], "error": [3.0, 2.0, 1.0]}
    ).assign(bar_mean=[3.0, 2.0, 1.0], bar_low=[2.0, 1.0, 0.5], bar_high=[4.0, 3.0, 1.5])
    columns = [Column("error", "error", "", "lower"), Column("absent", "absent", "", "lower")]
    shown = score_table("", table, columns, {"a": "the first"}, "bar")
    assert [column.key for column in shown.columns] == ["error"]
    assert [[cell.is_best for cell in row.cells] for row in shown.rows] == [[False], [True], [False]]
    assert shown.rows[0].name == "the first"
    for row in shown.rows:
        assert row.interval
        assert 0 <= row.interval.low <= row.interval.value <= row.interval.high <= 1


def test_equal_looking_numbers_share_the_mark() -> None:
    table = pd.DataFrame({"method": ["a", "b"], "role": ["baseline", "model"], "error": [2.0001, 2.0]})
    rows = score_table("", table, [Column("error", "", "", "lower")], {}).rows
    assert all(row.cells[0].is_best for row in rows)
