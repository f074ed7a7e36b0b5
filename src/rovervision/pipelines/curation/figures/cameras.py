"""What the tiles of each camera look like."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import MUTED
from rovervision.imaging.montage import spread
from rovervision.imaging.splits import SPLITS
from rovervision.imaging.tiles import TileStore
from rovervision.pipelines.curation.figures.pages import (
    MARGIN_IN,
    SPLIT_COLORS,
    TITLE_IN,
    blank_page,
    camera_names,
    counted,
    empty_page,
    figure_of,
    fill,
    put_row,
    write,
    write_title,
)

_SAMPLES = 16
"""Tiles in a row, over all splits."""
_SIDE_IN, _GAP_IN, _BLOCK_GAP_IN, _ROW_IN, _NAMES_IN, _HEAD_IN = 0.74, 0.04, 0.3, 1.06, 2.7, 0.5
_SHARES = {"train": 2, "val": 1, "test": 1}


def draw_sheet(tiles: TileStore) -> Figure:
    """Return a figure: for each camera a row of tiles of each split, evenly spread over the index, and their number."""
    title = "What each camera gives"
    if not len(tiles):
        return empty_page(title, "There is no tile.")
    index = tiles.index
    names = camera_names(index)
    cameras = sorted(names.unique())
    columns = _columns_of([split for split in SPLITS if (index["split"] == split).any()])
    width = _NAMES_IN + sum(n * (_SIDE_IN + _GAP_IN) + _BLOCK_GAP_IN for n in columns.values()) + 0.1
    page = blank_page(max(width, 7.0), TITLE_IN + _HEAD_IN + _ROW_IN * len(cameras) + 0.1)
    write_title(page, title, f"{_what(tiles)}, evenly spread over each camera and split")
    _write_splits(page, index, columns)
    for line, camera in enumerate(cameras):
        _draw_camera(page, tiles, np.flatnonzero(names == camera), columns, TITLE_IN + _HEAD_IN + _ROW_IN * line)
    return figure_of(page)


def _what(tiles: TileStore) -> str:
    return f"Samples of {counted(len(tiles), 'tile')} of {tiles.tile_px} × {tiles.tile_px} px"


def _columns_of(present: list[str]) -> dict[str, int]:
    """Return how many tiles of each split that exists stand in a row."""
    whole = sum(_SHARES[split] for split in present)
    return {split: _SAMPLES * _SHARES[split] // whole for split in present}


def _lefts(columns: dict[str, int]) -> dict[str, float]:
    """Return where the block of each split begins."""
    widths = [n * (_SIDE_IN + _GAP_IN) + _BLOCK_GAP_IN for n in columns.values()]
    return {split: _NAMES_IN + sum(widths[:number]) for number, split in enumerate(columns)}


def _write_splits(page: Axes, index: pd.DataFrame, columns: dict[str, int]) -> None:
    """Write the head of each split over a line of its colour."""
    for split, left in _lefts(columns).items():
        rows = index[index["split"] == split]
        top = TITLE_IN + 0.1
        write(page, left, top, f"{split}: {_amount(rows)}", fontsize=10.5)
        fill(page, left, top + 0.22, columns[split] * (_SIDE_IN + _GAP_IN) - _GAP_IN, 0.05, SPLIT_COLORS[split])


def _draw_camera(page: Axes, tiles: TileStore, rows: np.ndarray, columns: dict[str, int], top: float) -> None:
    """Draw the row of one camera, whose tiles are the given rows."""
    mine = tiles.index.iloc[rows]
    rover, camera = (str(mine.iloc[0][name]).replace("_", " ") for name in ("rover", "camera"))
    write(page, MARGIN_IN, top + 0.12, rover, color=MUTED, fontsize=8.5)
    write(page, MARGIN_IN, top + 0.27, camera, fontsize=10.5)
    write(page, MARGIN_IN, top + 0.49, _squares(mine), color=MUTED, fontsize=7.5, linespacing=1.3)
    for split, left in _lefts(columns).items():
        own = rows[(mine["split"] == split).to_numpy()]
        shown = [tiles.pixels[own[place]] for place in spread(len(own), columns[split])]
        put_row(page, shown, left, top, _SIDE_IN, _GAP_IN)
        write(page, left, top + _SIDE_IN + 0.05, _amount(tiles.index.iloc[own]), color=MUTED, fontsize=7.5)


def _amount(rows: pd.DataFrame) -> str:
    """Return how many tiles these are, and of how many frames where that is fewer."""
    frames = rows["frame_id"].nunique()
    text = counted(len(rows), "tile")
    return text if frames == len(rows) else f"{text} of {counted(frames, 'frame')}"


def _squares(rows: pd.DataFrame) -> str:
    """Return from how large squares the tiles were made, and how many of them have colour."""
    least, most = int(rows["side_px"].min()), int(rows["side_px"].max())
    sides = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    color, debayered = (rows[name].astype(bool).mean() for name in ("is_color", "is_debayered"))
    kinds = {"gray": 1 - color, "colour": color - debayered, "debayered": debayered}
    present = {name: share for name, share in kinds.items() if share > 1e-9}
    texts = [name if len(present) == 1 else f"{100 * share:.0f} % {name}" for name, share in present.items()]
    return f"from squares of {sides} px\n{', '.join(texts)}"
