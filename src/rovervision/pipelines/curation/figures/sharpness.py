"""Sharpness against entropy: where the frames lie, with the frames themselves as points."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from rovervision.imaging.chart_style import FAINT, INK, MUTED
from rovervision.imaging.montage import framed, pinned, spaced, spread
from rovervision.imaging.tiles import ExaminedShard
from rovervision.pipelines.curation.figures.broken_rules import BrokenRule, broken_rule
from rovervision.pipelines.curation.figures.pages import (
    KEPT,
    MARGIN_IN,
    REJECTED,
    TITLE_IN,
    blank_page,
    counted,
    empty_page,
    figure_of,
    write_legend,
    write_title,
)
from rovervision.pipelines.curation.figures.pictures import pictures_of

_WIDTH_IN, _HEIGHT_IN, _LEFT_IN, _BELOW_IN = 11.0, 7.2, 0.75, 0.6
_PICTURE_IN = 0.37
_DPI = 150
_FIRST = 40
"""Rejected frames that get their picture before all others."""
_DOTS_MAX = 20_000
"""More frames than this are thinned evenly before they are drawn."""
_FLOOR = 0.125
"""A spatial variance of 0, half of its step of a quarter, so that it has a place on a logarithmic axis."""
_TICKS = (_FLOOR, 1, 10, 100, 1000, 10_000)


def draw_sharpness(frames_examined: Mapping[str, ExaminedShard], frames_split: pd.DataFrame) -> Figure:
    """Return a figure: spatial variance (logarithmic) against entropy, kept and rejected frames told apart by colour.

    Every frame is a dot. As many frames as find room without covering one another are pictures, centred at their
    values; some rejected ones come first, for where frames are many they would hardly be seen. Dashed lines are limits
    that a frame broke.
    """
    title = "Sharpness and entropy"
    measured = frames_split.dropna(subset=["entropy_bits", "spatial_variance"])
    if measured.empty:
        return empty_page(title, "No frame was measured.")
    shown = measured.iloc[:: -(-len(measured) // _DOTS_MAX)].reset_index(drop=True)
    page = blank_page(_WIDTH_IN + _LEFT_IN + MARGIN_IN, _HEIGHT_IN + TITLE_IN + 0.3 + _BELOW_IN)
    across, up = (_broken_limits(frames_split, measure) for measure in ("entropy_bits", "spatial_variance"))
    axes = _axes_on(page, shown, [rule.limit for rule in across], [rule.limit for rule in up])
    _draw_limits(axes, across, up)
    _draw_dots(axes, shown)
    rows, centers = _chosen(axes, shown)
    pictures = pictures_of(frames_examined, shown, shown.loc[rows, "frame_id"].astype(str).tolist())
    _draw_pictures(axes, shown.iloc[rows], centers, pictures)
    kept = int(measured["kept"].sum())
    told = f"{counted(len(measured), 'frame')}, each a dot; {len(rows):,} of them as pictures where there is room."
    write_title(page, title, f"{told} Dashed: limits that some frame broke.")
    write_legend(
        page, _LEFT_IN, TITLE_IN + 0.04, {f"kept {kept:,}": KEPT, f"rejected {len(measured) - kept:,}": REJECTED}
    )
    return figure_of(page)


def _axes_on(page: Axes, frames: pd.DataFrame, across: list[float], up: list[float]) -> Axes:
    """Return axes for all frames' values and limits, with the room of half a picture around them."""
    figure = figure_of(page)
    width, height = figure.get_size_inches()
    axes = figure.add_axes((_LEFT_IN / width, _BELOW_IN / height, _WIDTH_IN / width, _HEIGHT_IN / height))
    x, y = _values(frames)
    x, y = np.append(x, across), np.append(y, np.log10(np.maximum(up, _FLOOR)))
    axes.set(yscale="log", xlim=_widened(x, _WIDTH_IN), ylim=10.0 ** np.array(_widened(y, _HEIGHT_IN)))
    axes.yaxis.set_major_locator(FixedLocator(_TICKS))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: "0" if value <= _FLOOR else f"{value:,g}"))
    axes.set_xlabel("Shannon entropy of the gray histogram (bits)", color=INK, fontsize=10)
    axes.set_ylabel("sharpness: spatial variance (gray levels²)", color=INK, fontsize=10)
    axes.grid(color=FAINT, zorder=0)
    axes.tick_params(length=0, labelsize=9, colors=MUTED)
    axes.spines[:].set_visible(False)
    axes.set_axisbelow(True)
    return axes


def _values(frames: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return entropy, and the decimal logarithm of the spatial variance, as they are drawn."""
    variance = frames["spatial_variance"].to_numpy(np.float64)
    return frames["entropy_bits"].to_numpy(np.float64), np.log10(np.maximum(variance, _FLOOR))


def _widened(values: np.ndarray, room_in: float) -> tuple[float, float]:
    """Return the limits of an axis on which the pictures of the outermost values find room."""
    low, high = float(values.min()), float(values.max())
    span = max(high - low, 0.5)
    middle, half = (low + high) / 2, span / 2 * room_in / (room_in - 1.3 * _PICTURE_IN)
    return middle - half, middle + half


def _draw_dots(axes: Axes, frames: pd.DataFrame) -> None:
    """Draw every frame as a dot, the rejected ones above."""
    kept = frames["kept"].to_numpy(bool)
    for rows, color in ((kept, KEPT), (~kept, REJECTED)):
        x, y = _values(frames[rows])
        axes.scatter(x, 10.0**y, s=5, color=color, linewidths=0, alpha=0.7, zorder=2)


def _broken_limits(frames: pd.DataFrame, measure: str) -> list[BrokenRule]:
    """Return one finding for each limit on a measure that a frame broke, least limit first."""
    findings = frames["findings"].explode().dropna().astype(str)
    rules = map(broken_rule, findings[findings.str.contains(measure, regex=False)])
    limits = {rule.limit: rule for rule in rules if rule and rule.measure == measure}
    return [limits[limit] for limit in sorted(limits)]


def _draw_limits(axes: Axes, across: Sequence[BrokenRule], up: Sequence[BrokenRule]) -> None:
    """Draw limits on entropy and on spatial variance, and name them; names of neighbours stand below one another."""
    line: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (5, 4)), "zorder": 1}
    name: dict[str, Any] = {"textcoords": "offset points", "color": MUTED, "fontsize": 8, "zorder": 4}
    for number, rule in enumerate(across):
        axes.axvline(rule.limit, **line)
        is_left = rule.limit < np.mean(axes.get_xlim())
        shift, side = (3, "left") if is_left else (-3, "right")
        place = (rule.limit, 1.0)
        axes.annotate(rule.demand, place, (shift, -10 - 12 * number), axes.get_xaxis_transform(), ha=side, **name)
    for rule in up:
        limit = max(rule.limit, _FLOOR)
        axes.axhline(limit, **line)
        axes.annotate(rule.demand, (1.0, limit), (-3, 3), axes.get_yaxis_transform(), ha="right", **name)


def _chosen(axes: Axes, frames: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the frames that are drawn as pictures, and their centres in pixels from the upper left."""
    x, y = _values(frames)
    (left, right), (low, high) = axes.get_xlim(), np.log10(axes.get_ylim())
    across, down = (x - left) / (right - left) * _WIDTH_IN, (high - y) / (high - low) * _HEIGHT_IN
    centers = np.stack([across, down], axis=1) * _DPI
    rejected = np.flatnonzero(~frames["kept"].to_numpy(bool))
    first = rejected[spread(len(rejected), _FIRST)]
    order = np.concatenate([first, np.setdiff1d(np.arange(len(frames)), first)])
    rows = order[spaced(centers[order], _PICTURE_IN * _DPI)]
    return rows, centers[rows]


def _draw_pictures(axes: Axes, frames: pd.DataFrame, centers: np.ndarray, pictures: Mapping[str, np.ndarray]) -> None:
    """Draw the frames as pictures, framed in their colours, as one image above the axes."""
    side_px, border_px = round(_PICTURE_IN * _DPI) - 3, 3
    colors = {keeping: _levels(color) for keeping, color in ((True, KEPT), (False, REJECTED))}
    squares = [
        framed(pictures[str(frame_id)], side_px, border_px, colors[bool(kept)])
        for frame_id, kept in zip(frames["frame_id"], frames["kept"], strict=True)
    ]
    board = pinned(squares, centers, round(_HEIGHT_IN * _DPI), round(_WIDTH_IN * _DPI))
    above = axes.figure.add_axes(axes.get_position().bounds)
    above.imshow(board, aspect="auto", interpolation="none")
    above.axis("off")


def _levels(color: str) -> tuple[int, int, int]:
    red, green, blue = (round(255 * level) for level in to_rgb(color))
    return red, green, blue
