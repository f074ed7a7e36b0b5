"""Boards: figures of many small pictures, pasted into one array and drawn at once, with text placed in its pixels."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rovervision.imaging.chart_style import INK, MUTED
from rovervision.imaging.montage import contact_sheet

GAP_PX = 4
PIXELS_PER_INCH = 100
TITLE_PX = 74
"""Height that a title and the line below it take."""
MARGIN_PX = 30

Byte = NDArray[np.uint8]


class Board:
    """A white page of so many pixels. What sticks out at the right or below is cut off."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self.pixels: Byte = np.full((height_px, width_px, 3), 255, np.uint8)
        self.figure = Figure(figsize=(width_px / PIXELS_PER_INCH, height_px / PIXELS_PER_INCH), facecolor="white")
        self.axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width_px), ylim=(height_px, 0), autoscale_on=False)
        self.axes.axis("off")

    def put(self, picture: Byte, left_px: int, top_px: int) -> None:
        """Paste an (h, w, 3) picture."""
        room = self.pixels[top_px : top_px + picture.shape[0], left_px : left_px + picture.shape[1]]
        room[:] = picture[: room.shape[0], : room.shape[1]]

    def put_sheet(self, tiles: Sequence[Byte], columns: int, left_px: int, top_px: int) -> None:
        """Paste tiles of one size, row by row; none of them is nothing."""
        if len(tiles):
            self.put(contact_sheet(tiles, columns, GAP_PX), left_px, top_px)

    def write(self, left_px: float, top_px: float, text: str, **style: Any) -> None:
        """Write a text; by default its first line's top stands at `top_px`."""
        defaults: dict[str, Any] = {"color": INK, "fontsize": 9, "va": "top"}
        self.axes.text(left_px, top_px, text, **(defaults | style))

    def title(self, text: str, below: str) -> None:
        """Write the page's title and a smaller line below it."""
        self.write(MARGIN_PX, 18, text, fontsize=14)
        self.write(MARGIN_PX, 48, below, fontsize=9, color=MUTED)

    def drawn(self) -> Figure:
        """Return the figure, pictures below text."""
        height, width = self.pixels.shape[:2]
        self.axes.imshow(
            self.pixels, extent=(0, width, height, 0), aspect="auto", zorder=0, interpolation="antialiased"
        )
        return self.figure


def thumbnails(pixels: np.ndarray, rows: Sequence[int] | NDArray[np.integer], side_px: int) -> list[Byte]:
    """Return these tiles as (side_px, side_px, 3) uint8. A memory map is read at these rows only."""
    return [resized(np.asarray(pixels[int(row)]), side_px) for row in rows]


def resized(tile: Byte, side_px: int) -> Byte:
    """Return a square picture at another side: by area where it gets smaller, else cubic."""
    how = cv2.INTER_AREA if len(tile) >= side_px else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(tile), (side_px, side_px), interpolation=how), np.uint8)


def note_page(title: str, sentence: str) -> Figure:
    """Return a page that says that there is nothing to show, and why."""
    board = Board(900, 150)
    board.title(title, "")
    board.write(MARGIN_PX, 84, sentence, fontsize=10, color=MUTED)
    return board.drawn()


def shortened(text: str, characters: int) -> str:
    """Return a text of at most so many characters, the last an ellipsis where some were cut."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"
