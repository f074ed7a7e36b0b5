"""Where the picture is in an image: inside black borders, and as squares that cover it evenly."""

import math
from typing import NamedTuple

import numpy as np


class Box(NamedTuple):
    """A square in an image, in pixels from the top left corner."""

    left_px: int
    top_px: int
    side_px: int


class Content(NamedTuple):
    """The rectangle of an image that is picture, in pixels: rows top..bottom, columns left..right, ends excluded."""

    left_px: int
    top_px: int
    right_px: int
    bottom_px: int

    @property
    def width_px(self) -> int:
        """Width in pixels."""
        return self.right_px - self.left_px

    @property
    def height_px(self) -> int:
        """Height in pixels."""
        return self.bottom_px - self.top_px


def square_boxes(height_px: int, width_px: int) -> list[Box]:
    """Return the fewest squares of the short side that cover the frame, spread evenly and overlapping where they must.

    A frame of aspect a (long side / short side) gives ceil(a) squares; the first and the last touch the frame's ends.
    """
    side = min(height_px, width_px)
    if side <= 0:
        return []
    slack = max(height_px, width_px) - side
    count = math.ceil(slack / side) + 1
    starts = [round(slack * k / (count - 1)) for k in range(count)] if count > 1 else [0]
    return [Box(start, 0, side) if width_px >= height_px else Box(0, start, side) for start in starts]


def channel_maximum(image: np.ndarray) -> np.ndarray:
    """Return the (H, W) maximum over the channels of an (H, W) or (H, W, 3) image."""
    return image if image.ndim == 2 else image.max(axis=2)
