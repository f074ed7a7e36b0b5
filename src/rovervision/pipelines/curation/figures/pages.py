"""Pages: figures on which everything is placed in inches from the upper left corner, and the colours of all of them.

Placing by hand is what keeps a page of 30 cameras as legible as one of three, and drawing it cheap.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rovervision.imaging.chart_style import INK, MUTED
from rovervision.imaging.montage import contact_sheet

KEPT, REJECTED = "#c8732c", "#4a6f9c"
"""Orange and blue: told apart in every common kind of colour blindness, and in gray by lightness."""
SPLIT_COLORS = {"train": "#7d4a22", "val": "#d98f35", "test": "#f0d190"}
"""One hue in even steps of lightness (CIELAB L* 36, 65, 85)."""

MARGIN_IN = 0.35
TITLE_IN = 0.75
"""Height that a title with the line below it takes, margin included."""


def blank_page(width_in: float, height_in: float) -> Axes:
    """Return axes that cover a new white figure, in inches from its upper left corner, y downwards."""
    figure = Figure(figsize=(width_in, height_in), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width_in), ylim=(height_in, 0), autoscale_on=False)
    axes.axis("off")
    return axes


def figure_of(axes: Axes) -> Figure:
    """Return the figure that axes of `blank_page` cover."""
    figure = axes.figure
    assert isinstance(figure, Figure)
    return figure


def empty_page(title: str, sentence: str) -> Figure:
    """Return a page that says that there is nothing to show, and why."""
    axes = blank_page(8.0, 1.7)
    write_title(axes, title, "")
    write(axes, MARGIN_IN, 1.0, sentence, color=MUTED, fontsize=10, va="center")
    return figure_of(axes)


def write(axes: Axes, left: float, top: float, text: str, **style: Any) -> None:
    """Write a text; by default its first line's top stands at `top`."""
    defaults: dict[str, Any] = {"color": INK, "fontsize": 9, "va": "top"}
    axes.text(left, top, text, **(defaults | style))


def write_title(axes: Axes, title: str, below: str) -> None:
    """Write the page's title, and a smaller line below it."""
    write(axes, MARGIN_IN, 0.22, title, fontsize=14)
    write(axes, MARGIN_IN, 0.52, below, color=MUTED, fontsize=9)


def fill(axes: Axes, left: float, top: float, width: float, height: float, color: str) -> None:
    """Paint a rectangle."""
    axes.add_patch(Rectangle((left, top), width, height, facecolor=color, edgecolor="none"))


def put(axes: Axes, picture: np.ndarray, left: float, top: float, width: float, height: float) -> None:
    """Put a picture, (H, W) gray or (H, W, 3) uint8, where it is wanted."""
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=(left, left + width, top + height, top), aspect="auto")


def put_row(axes: Axes, tiles: Sequence[np.ndarray], left: float, top: float, side: float, gap: float) -> None:
    """Put square tiles of one size side by side, as one picture. None of them is no picture."""
    if tiles:
        gap_px = max(round(gap / side * tiles[0].shape[1]), 1)
        row = contact_sheet(tiles, len(tiles), gap_px)
        put(axes, row, left, top, side * row.shape[1] / tiles[0].shape[1], side)


def write_legend(axes: Axes, left: float, top: float, colors: dict[str, str]) -> None:
    """Write names behind squares of their colours, in one line."""
    for name, color in colors.items():
        fill(axes, left, top + 0.02, 0.13, 0.13, color)
        write(axes, left + 0.19, top + 0.085, name, color=MUTED, fontsize=8.5, va="center")
        left += 0.45 + 0.065 * len(name)


def camera_names(table: pd.DataFrame) -> pd.Series:
    """Return rover and camera of each row, as people say them."""
    return (table["rover"].astype(str) + " " + table["camera"].astype(str)).str.replace("_", " ")


def counted(count: int, noun: str) -> str:
    """Return `1 frame`, `2 frames`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
