"""Two pictures of a curation: what was rejected and why, and what the kept tiles look like."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rovervision.imaging.montage import contact_sheet, spread
from rovervision.imaging.splits import SPLITS
from rovervision.imaging.tiles import ExaminedShard, TileStore

KEPT, REJECTED, INK = "#8c5a2b", "#4f6d8f", "#2b2b2b"
SPLIT_COLORS = {"train": "#8c5a2b", "val": "#c98a3c", "test": "#e3bd7e"}
_EXAMPLES = 8
"""Thumbnails beside each reason."""
_ROW_IN, _LABELS_IN, _BARS_IN = 0.6, 2.0, 3.6
"""Inches: height of a reason's row, which is the side of its thumbnails; width of the names and of the bars."""
_LABEL_STYLE: dict[str, Any] = {"color": INK, "fontsize": 9}


def draw_funnel(frames_examined: Mapping[str, ExaminedShard], frames_split: pd.DataFrame) -> Figure:
    """Return a figure: the shares of all frames in one bar, then each reason of rejection, most frequent first.

    A frame that fails several checks counts under each. Files that cannot be decoded have no picture.
    """
    listed = frames_split.explode("reasons").dropna(subset="reasons").groupby("reasons")["frame_id"]
    members = {str(reason): ids.tolist() for reason, ids in listed}
    reasons = sorted(members, key=lambda reason: (-len(members[reason]), reason))
    below = _ROW_IN * max(len(reasons), 1)
    width, height = _LABELS_IN + _BARS_IN + _ROW_IN * _EXAMPLES + 0.2, below + 2.1
    figure = Figure(figsize=(width, height))

    def axes_at(left: float, bottom: float, wide: float, high: float) -> Axes:
        return figure.add_axes((left / width, bottom / height, wide / width, high / height))

    _draw_shares(axes_at(0.2, below + 0.6, width - 0.4, 1.4), frames_split)
    bars = axes_at(_LABELS_IN, 0.35, _BARS_IN - 0.2, below)
    _draw_reasons(bars, reasons, [len(members[reason]) for reason in reasons])
    examples = [_first_tiles(frames_examined, members[reason]) for reason in reasons]
    _draw_examples(axes_at(_LABELS_IN + _BARS_IN, 0.35, _ROW_IN * _EXAMPLES, below), examples)
    return figure


def draw_sheet(tiles: TileStore) -> Figure:
    """Return a figure: a row of sample tiles for each camera and split, with the number of tiles behind it."""
    index = tiles.index
    names = index["rover"].astype(str) + " " + index["camera"].astype(str).str.replace("_", " ")
    cameras = sorted(names.unique())
    present = [split for split in SPLITS if (index["split"] == split).any()]
    columns = {"train": 8, "val": 4, "test": 4}
    figure = Figure(
        figsize=(1.6 + 0.72 * sum(columns[s] + 0.6 for s in present), 1.0 + 0.82 * len(cameras)), layout="constrained"
    )
    axes = figure.subplots(
        len(cameras), len(present), squeeze=False, width_ratios=[columns[split] for split in present]
    )
    for row, camera in enumerate(cameras):
        for column, split in enumerate(present):
            rows = np.flatnonzero((names == camera) & (index["split"] == split))
            _draw_samples(axes[row, column], tiles, rows, columns[split])
            if row == 0:
                axes[row, column].set_title(
                    f"{split}: {int((index['split'] == split).sum()):,} tiles", color=INK, fontsize=11, pad=14
                )
        axes[row, 0].set_ylabel(camera, rotation=0, ha="right", va="center", **_LABEL_STYLE)
    return figure


def _draw_shares(axes: Axes, frames: pd.DataFrame) -> None:
    """Draw one bar: the kept frames by split, then the rejected ones; names of thin parts stand at their right end."""
    kept = frames["kept"].astype(bool)
    parts = [(split, int((frames["split"] == split).sum()), SPLIT_COLORS[split]) for split in SPLITS]
    parts.append(("rejected", int((~kept).sum()), REJECTED))
    total, left = max(len(frames), 1), 0
    for name, count, color in parts:
        if count:
            axes.barh(0, count, left=left, color=color, edgecolor="white", height=0.5)
            place, side = (left + count / 2, "center") if count > 0.1 * total else (left + count, "right")
            axes.annotate(f"{name} {count:,}", (place, 0.32), ha=side, va="bottom", **_LABEL_STYLE)
        left += count
    axes.set(xlim=(0, total), ylim=(-0.3, 1.1))
    axes.set_title(
        f"{len(frames):,} frames fetched, {int(kept.sum()):,} kept", loc="left", color=INK, fontsize=13, y=0.78
    )
    axes.axis("off")


def _draw_reasons(axes: Axes, reasons: list[str], counts: list[int]) -> None:
    """Draw a horizontal bar for each reason, with its count at the end."""
    places = np.arange(len(reasons))
    bars = axes.barh(places, counts, color=REJECTED, height=0.6)
    axes.bar_label(bars, labels=[f"{count:,}" for count in counts], padding=4, **_LABEL_STYLE)
    axes.set_yticks(places, [reason.replace("_", " ") for reason in reasons], **_LABEL_STYLE)
    axes.set(ylim=(max(len(reasons), 1) - 0.5, -0.5), xlim=(0, max(counts, default=1) * 1.12))
    axes.set_xlabel("frames that fail the check (a frame may fail several)", **_LABEL_STYLE)
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.xaxis.set_ticks([])


def _draw_examples(axes: Axes, examples: list[list[np.ndarray]]) -> None:
    """Draw a row of thumbnails for each reason, level with its bar."""
    for row, tiles in enumerate(examples):
        for column, tile in enumerate(tiles):
            axes.imshow(tile, extent=(column - 0.46, column + 0.46, row + 0.46, row - 0.46), aspect="auto")
        if not tiles:
            axes.annotate("no picture could be decoded", (-0.46, row), va="center", color="#777777", fontsize=8)
    axes.set(xlim=(-0.5, _EXAMPLES - 0.5), ylim=(max(len(examples), 1) - 0.5, -0.5))
    axes.axis("off")


def _first_tiles(shards: Mapping[str, ExaminedShard], frame_ids: Iterable[str]) -> list[np.ndarray]:
    """Return the first candidate tile of up to `_EXAMPLES` of these frames, evenly spread."""
    wanted = set(frame_ids)
    found = []
    for shard in shards.values():
        first = ~shard.candidates["frame_id"].duplicated() & shard.candidates["frame_id"].isin(wanted)
        found += [(shard, row) for row in np.flatnonzero(first)]
    return [found[place][0].pixels[found[place][1]] for place in spread(len(found), _EXAMPLES)]


def _draw_samples(axes: Axes, tiles: TileStore, rows: np.ndarray, columns: int) -> None:
    """Draw one row of up to `columns` tiles; an empty place says that there are none."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    blank = np.full((tiles.tile_px, tiles.tile_px, 3), 255, np.uint8)
    shown = [tiles.pixels[rows[place]] for place in spread(len(rows), columns)]
    gap = max(2, tiles.tile_px // 24)
    axes.imshow(contact_sheet([*shown, *[blank] * (columns - len(shown))], columns, gap), interpolation="lanczos")
    axes.set_xlabel(f"{len(rows):,}", loc="left", color="#777777", fontsize=7, labelpad=1)
