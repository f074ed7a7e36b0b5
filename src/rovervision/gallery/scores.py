"""Tables of scores: which direction is better, who is best, and what each column means."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

Better = Literal["lower", "higher", "near one", ""]


@dataclass(frozen=True)
class Column:
    """A column of scores."""

    key: str
    """Of the table at rest."""
    title: str
    meaning: str
    better: Better
    digits: int = 2


@dataclass(frozen=True)
class Cell:
    """A number as it is shown."""

    text: str
    is_best: bool = False


@dataclass(frozen=True)
class Interval:
    """A value with its interval, as shares (0..1) of a chart's width."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """A method with its scores."""

    name: str
    role: str
    """model, baseline, or a bound such as oracle: what no method that sees its input alone can claim."""
    cells: list[Cell]
    interval: Interval | None = None


@dataclass(frozen=True)
class ScoreTable:
    """A table with its caption."""

    caption: str
    columns: list[Column]
    rows: list[Row]
    scale_top: str = ""
    """Right end of the chart that stands in the rows; nothing where there is none."""


BOUNDS = frozenset({"oracle", "bound"})
"""Roles that take no part when the best is marked."""


def score_table(
    caption: str, table: pd.DataFrame, columns: Sequence[Column], names: Mapping[str, str], intervals: str = ""
) -> ScoreTable:
    """Return a table as it is shown.

    Args:
        caption: What the numbers are of.
        table: A row for each method, with `method`, `role` and the columns.
        columns: Those to show; ones that the table lacks, or has no number in, are left out.
        names: Method → how it is called.
        intervals: Prefix of `<prefix>_mean`, `_low` and `_high` to be drawn in each row; nothing for none.
    """
    shown = [one for one in columns if one.key in table and table[one.key].notna().any()]
    competing = table[~table["role"].isin(BOUNDS)]
    best = {one.key: best_of(competing[one.key], one.better) for one in shown}
    top = float(table[f"{intervals}_high"].max()) if intervals else 0.0
    rows = []
    for _, row in table.iterrows():
        is_bound = row["role"] in BOUNDS
        cells = [
            Cell(number(row[one.key], one.digits), not is_bound and equal(row[one.key], best[one.key], one.digits))
            for one in shown
        ]
        place = Interval(*(float(row[f"{intervals}_{end}"]) / top for end in ("mean", "low", "high"))) if top else None
        name = str(row["method"])
        rows.append(Row(names.get(name, name.replace("_", " ")), str(row["role"]), cells, place))
    return ScoreTable(caption, shown, rows, f"{top:.1f}" if top else "")


def best_of(values: pd.Series, better: Better) -> float | None:
    """Return the best of some numbers; None where no direction is better or there is nothing to be better than."""
    numbers = values.dropna()
    if not better or len(numbers) < 2:
        return None
    if better == "near one":
        return float(numbers.iloc[(numbers - 1).abs().argmin()])
    return float(numbers.min() if better == "lower" else numbers.max())


def equal(value: Any, best: float | None, digits: int) -> bool:
    """True where a number looks the same as the best one."""
    return best is not None and not pd.isna(value) and number(value, digits) == number(best, digits)


def number(value: Any, digits: int) -> str:
    """Return a number as people read it, with a true minus sign; a dash where there is none."""
    if pd.isna(value) or math.isinf(float(value)):
        return "–"
    return f"{float(value):,.{digits}f}".replace("-", "−")
