"""Frames as rows of a table, and back."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Final

import pandas as pd

from rovervision.sources.frame import Frame

FRAME_COLUMNS: Final = tuple(field.name for field in fields(Frame))
INTEGER_COLUMNS: Final = ("sol", "width_px", "height_px")
_BATCH_ROWS: Final = 20_000

HEAVY_COLUMNS: Final = ("record", "url", "credit")
"""Columns that take most of a listing's memory and decide nothing about which frames are wanted."""


@dataclass(frozen=True, slots=True)
class FrameListing:
    """A listing at rest, read in batches so that its length costs no memory."""

    read: Callable[[Sequence[str]], Iterator[pd.DataFrame]]
    """Yields the batches in order, with the columns asked for."""

    def batches(self) -> Iterator[pd.DataFrame]:
        """Yield the rows, all columns, a batch at a time."""
        return self.read(FRAME_COLUMNS)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames without their heavy columns."""
        for batch in self.read([name for name in FRAME_COLUMNS if name not in HEAVY_COLUMNS]):
            yield from frames_of(batch)


def listing_of(table: pd.DataFrame) -> FrameListing:
    """Return a table in memory as a listing of one batch."""
    return FrameListing(lambda columns: iter([table[list(columns)]]))


def frames_of(table: pd.DataFrame) -> list[Frame]:
    """Read the frames from a table's rows; missing values become None, other columns are left out.

    Fields without a column keep their defaults.
    """
    names = [name for name in FRAME_COLUMNS if name in table.columns]
    columns = [table[name].astype(object).where(table[name].notna(), None) for name in names]
    return [Frame(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def each_frame(table: pd.DataFrame) -> Iterator[Frame]:
    """Yield the frames of a table's rows, few of which are held at a time as both."""
    for top in range(0, len(table), _BATCH_ROWS):
        yield from frames_of(table.iloc[top : top + _BATCH_ROWS])


def table_of(frames: Iterable[Frame]) -> pd.DataFrame:
    """Lay out frames as a table, one row each; integers that may be missing are nullable (Int64)."""
    table = pd.DataFrame([asdict(frame) for frame in frames], columns=list(FRAME_COLUMNS))
    return table.astype(dict.fromkeys(INTEGER_COLUMNS, "Int64") | {"sclk_s": "float64", "has_mask": "bool"})
