"""How the kept frames are shared out over time, and what each split looks like."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rovervision.imaging.chart_style import INK, MUTED
from rovervision.imaging.montage import spread
from rovervision.imaging.splits import SPLITS
from rovervision.imaging.tiles import TileStore
from rovervision.pipelines.curation.figures.pages import (
    MARGIN_IN,
    SPLIT_COLORS,
    TITLE_IN,
    blank_page,
    counted,
    empty_page,
    figure_of,
    fill,
    put_row,
    write,
    write_title,
)

_WIDTH_IN, _NAMES_IN, _PANEL_IN, _PANEL_GAP_IN = 13.0, 2.2, 1.15, 0.62
_SAMPLES, _SIDE_IN, _GAP_IN, _ROW_IN = 13, 0.76, 0.04, 0.92
_BINS_MAX = 150
"""Bars of one rover; longer missions have several sols in a bar, and the axis says how many."""


def draw_splits(frames_split: pd.DataFrame, tiles: TileStore) -> Figure:
    """Return a figure: samples of each split, and for each rover its kept frames over the sols, coloured by split.

    Rovers without any known sol have one bar of shares in place of a timeline.
    """
    title = "How the frames are shared out"
    kept = frames_split[frames_split["kept"].astype(bool)]
    if kept.empty:
        return empty_page(title, "No frame was kept.")
    present = [split for split in SPLITS if (kept["split"] == split).any()]
    rovers = sorted(kept["rover"].astype(str).unique())
    below = TITLE_IN + 0.1 + _ROW_IN * len(present) + 0.35
    page = blank_page(_WIDTH_IN, below + (_PANEL_IN + _PANEL_GAP_IN) * len(rovers) + 0.05)
    write_title(page, title, f"{_what(kept)} Samples are evenly spread over the tiles of a split.")
    for line, split in enumerate(present):
        _draw_samples(page, TITLE_IN + 0.1 + _ROW_IN * line, split, kept, tiles)
    for line, rover in enumerate(rovers):
        top = below + (_PANEL_IN + _PANEL_GAP_IN) * line
        mine = kept[kept["rover"].astype(str) == rover]
        _write_rover(page, top, rover, mine)
        if mine["sol"].notna().any():
            _draw_timeline(_panel(page, top), mine.dropna(subset="sol"))
        else:
            _draw_shares(page, top, mine)
    return figure_of(page)


def binned(sols: np.ndarray, splits: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray], int]:
    """Return the first sol of each bar, the number of frames of each split in it, and the sols in a bar.

    sols: (N,) integers, N >= 1. There are at most `_BINS_MAX` bars, all of the same number of sols.
    """
    first, last = int(sols.min()), int(sols.max())
    step = -(-(last - first + 1) // _BINS_MAX)
    starts = np.arange(first, last + 1, step)
    places = (sols - first) // step
    counts = {split: np.bincount(places[splits == split], minlength=len(starts)) for split in SPLITS}
    return starts, counts, step


def _what(kept: pd.DataFrame) -> str:
    """Return how many frames and groups there are, and whether a group stands in several splits, as a set may have it
    that its makers split."""
    parts = kept.groupby("group")["split"].nunique()
    torn = int((parts > 1).sum())
    spared = "none of them torn" if not torn else f"{torn:,} of them in several splits"
    empty = [split for split in SPLITS if not (kept["split"] == split).any()]
    nothing = f" Nothing is in {' and '.join(empty)}." if empty else ""
    return f"{counted(len(kept), 'kept frame')} in {counted(len(parts), 'group')}, {spared}.{nothing}"


def _draw_samples(page: Axes, top: float, split: str, kept: pd.DataFrame, tiles: TileStore) -> None:
    """Draw the row of one split: its colour, what it holds, and tiles of it."""
    mine = kept[kept["split"] == split]
    rows = np.flatnonzero(tiles.index["split"] == split)
    fill(page, MARGIN_IN, top, 0.14, _SIDE_IN, SPLIT_COLORS[split])
    write(page, MARGIN_IN + 0.26, top - 0.01, split, fontsize=11.5)
    share = f"{counted(len(mine), 'frame')}, {100 * len(mine) / len(kept):.1f} %"
    told = f"{share}\n{counted(mine['group'].nunique(), 'group')}\n{counted(len(rows), 'tile')}"
    write(page, MARGIN_IN + 0.26, top + 0.22, told, color=MUTED, fontsize=8.5, linespacing=1.3)
    shown = [tiles.pixels[rows[place]] for place in spread(len(rows), _SAMPLES)]
    put_row(page, shown, _NAMES_IN, top, _SIDE_IN, _GAP_IN)


def _write_rover(page: Axes, top: float, rover: str, frames: pd.DataFrame) -> None:
    write(page, MARGIN_IN, top, rover.replace("_", " "), fontsize=11.5)
    told = [counted(len(frames), "frame"), *_split_counts(frames)]
    unknown = int(frames["sol"].isna().sum())
    told += [f"{unknown:,} without a sol"] if unknown else []
    write(page, MARGIN_IN, top + 0.23, "\n".join(told), color=MUTED, fontsize=8.5, linespacing=1.3)


def _split_counts(frames: pd.DataFrame) -> Iterator[str]:
    for split in SPLITS:
        count = int((frames["split"] == split).sum())
        yield f"{split} {count:,}"


def _panel(page: Axes, top: float) -> Axes:
    """Return axes for a timeline."""
    figure = figure_of(page)
    width, height = figure.get_size_inches()
    wide = _WIDTH_IN - _NAMES_IN - MARGIN_IN
    return figure.add_axes((_NAMES_IN / width, 1 - (top + _PANEL_IN) / height, wide / width, _PANEL_IN / height))


def _draw_timeline(axes: Axes, frames: pd.DataFrame) -> None:
    """Draw the frames over the sols, splits upon one another."""
    starts, counts, step = binned(frames["sol"].to_numpy(np.int64), frames["split"].astype(str).to_numpy())
    base = np.zeros(len(starts), np.int64)
    for split, count in counts.items():
        axes.add_collection(_bars(starts, base, count, 0.92 * step, SPLIT_COLORS[split]))
        base = base + count
    margin = max(step, (starts[-1] + step - starts[0]) * 0.005)
    axes.set(xlim=(starts[0] - margin, starts[-1] + step + margin), ylim=(0, base.max() * 1.08))
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.set_xlabel("sol" if step == 1 else f"sol, {step} to a bar", color=MUTED, fontsize=8.5, labelpad=1, loc="right")
    axes.set_ylabel("frames", color=MUTED, fontsize=8.5)
    axes.tick_params(length=2.5, labelsize=8.5, colors=INK)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _bars(lefts: np.ndarray, bottoms: np.ndarray, heights: np.ndarray, width: float, color: str) -> PolyCollection:
    """Return bars as one collection, which is drawn many times faster than single ones."""
    left, right = lefts, lefts + width
    corners = [(left, bottoms), (left, bottoms + heights), (right, bottoms + heights), (right, bottoms)]
    outlines = np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)
    return PolyCollection(list(outlines[heights > 0]), facecolors=color, linewidths=0)


def _draw_shares(page: Axes, top: float, frames: pd.DataFrame) -> None:
    """Draw one bar of the splits, for frames of which no sol is known."""
    left, wide = _NAMES_IN, _WIDTH_IN - _NAMES_IN - MARGIN_IN
    for split in SPLITS:
        part = wide * float((frames["split"] == split).mean())
        fill(page, left, top + 0.1, part, 0.3, SPLIT_COLORS[split])
        left += part
    write(page, _NAMES_IN, top + 0.48, "no sol is known: shares of the splits", color=MUTED, fontsize=8.5)
