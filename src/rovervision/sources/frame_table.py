"""Frames as rows of a table, and back."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Final

import pandas as pd

from rovervision.sources.frame import Frame

FRAME_COLUMNS: Final = tuple(field.name for field in fields(Frame))
INTEGER_COLUMNS: Final = ("sol", "width_px", "height_px")


def frames_of(table: pd.DataFrame) -> list[Frame]:
    """Read the frames from a table's rows; missing values become None, other columns are left out."""
    columns = [table[name].astype(object).where(table[name].notna(), None) for name in FRAME_COLUMNS]
    return [Frame(**dict(zip(FRAME_COLUMNS, row, strict=True))) for row in zip(*columns, strict=True)]


def table_of(frames: Iterable[Frame]) -> pd.DataFrame:
    """Lay out frames as a table, one row each; integers that may be missing are nullable (Int64)."""
    table = pd.DataFrame([asdict(frame) for frame in frames], columns=list(FRAME_COLUMNS))
    return table.astype(dict.fromkeys(INTEGER_COLUMNS, "Int64") | {"sclk_s": "float64", "has_mask": "bool"})
