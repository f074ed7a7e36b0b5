"""Where the picture is in an image: inside black borders, and as squares that cover it evenly."""

import functools
import math
from typing import NamedTuple

import cv2
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


def square_boxes(height_px: int, width_px: int, aspect_max: float = 8.0, uncovered_frac: float = 0.15) -> list[Box]:
    """Return the fewest squares of the short side that cover the frame, spread evenly and overlapping where they must.

    Along the long side up to `uncovered_frac` of a square may stay uncovered, half at each end, so that a frame that
    is all but square gives one square and not two of nearly the same. Frames of an aspect above `aspect_max` give none.
    """
    side, long = sorted((height_px, width_px))
    if side <= 0 or long > aspect_max * side:
        return []
    count = max(1, math.ceil(long / side - uncovered_frac))
    covered = min(long, count * side)
    margin, slack = (long - covered) / 2, covered - side
    starts = [math.floor(margin + slack * k / max(count - 1, 1) + 0.5) for k in range(count)]
    return [Box(start, 0, side) if width_px >= height_px else Box(0, start, side) for start in starts]


def channel_maximum(image: np.ndarray) -> np.ndarray:
    """Return the (H, W) maximum over the channels of an (H, W) or (H, W, 3) image."""
    return image if image.ndim == 2 else functools.reduce(cv2.max, cv2.split(image))


DARK_LEVEL = 16
"""Brightest 8-bit value of a black border. The edge lines of 5,386 Mastcam and MAHLI browse JPEGs fall in two heaps by
their 95th percentile: borders up to 15, pictures from 25."""

_DARK_SHARE = 0.9
"""Share of a border line that is dark; the rest allows for the corners of a picture that is not quite straight."""

_CONSTANT_STD = 4.0
"""Standard deviation of the dark pixels of a border line: JPEG noise stays under it, lit texture does not."""

_STEP_PX = 4
"""How many lines inside the border the picture must have begun."""


def content_box(image: np.ndarray) -> Content:
    """Return the rectangle of an (H, W) or (H, W, 3) uint8 image that black borders leave.

    A border is a run of dark, constant rows or columns that begins at an edge of the image and ends in a step: a few
    lines further in, at least half of the pixels are lit. Night frames and shadows that fade out have no step and are
    kept whole. Corners that a round or tilted picture leaves dark remain inside the rectangle.
    """
    brightest = channel_maximum(image)
    height, width = brightest.shape
    left, top, right, bottom = 0, 0, width, height
    if not _has_dark_edge(brightest):
        return Content(left, top, right, bottom)
    for _ in range(3):  # a row is only judged between the side borders, and the other way round
        before = (left, top, right, bottom)
        rows_dark, rows_share = dark_lines(brightest[:, left:right], axis=1)
        top, bottom = _border_depth(rows_dark, rows_share), height - _border_depth(rows_dark[::-1], rows_share[::-1])
        columns_dark, columns_share = dark_lines(brightest[top:bottom], axis=0)
        left, right = (
            _border_depth(columns_dark, columns_share),
            width - _border_depth(columns_dark[::-1], columns_share[::-1]),
        )
        if before == (left, top, right, bottom):
            break
    return Content(left, top, right, bottom)


def is_ever_dark(brightest: np.ndarray) -> bool:
    """Tell whether an (H, W) uint8 image has dark pixels enough for one dark row or column: most have not."""
    return cv2.countNonZero(_at_most(brightest, DARK_LEVEL)) >= _DARK_SHARE * min(brightest.shape)


def _has_dark_edge(brightest: np.ndarray) -> bool:
    """Tell whether one of the two outermost lines of a side is mostly dark: a first border needs one."""
    if not is_ever_dark(brightest):
        return False
    last = [min(1, side - 1) for side in brightest.shape]
    rows, columns = brightest[[0, last[0], -1, -1 - last[0]]], brightest[:, [0, last[1], -1, -1 - last[1]]]
    n_dark = np.count_nonzero(rows <= DARK_LEVEL, axis=1), np.count_nonzero(columns <= DARK_LEVEL, axis=0)
    return bool(max(n_dark[0]) >= _DARK_SHARE * rows.shape[1] or max(n_dark[1]) >= _DARK_SHARE * len(columns))


def dark_lines(brightest: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for every line of (H, W) uint8 whether it is dark and constant, and its share of pixels that are not lit.

    axis: the one that a line runs along, as numpy counts: 1 for rows, 0 for columns. A pixel is dark up to
    `DARK_LEVEL` and lit from twice that: what lies between may be the foot of a shadow.
    """
    length = brightest.shape[axis]
    is_dark = _line_counts(_at_most(brightest, DARK_LEVEL), axis) >= _DARK_SHARE * length
    if not is_dark.any():
        return is_dark, np.ones(len(is_dark))
    n_unlit = _line_counts(_at_most(brightest, 2 * DARK_LEVEL - 1), axis)
    chosen = brightest[is_dark] if axis == 1 else brightest[:, is_dark].T
    values = np.where(chosen <= DARK_LEVEL, chosen, 0).astype(np.float64)
    count = np.count_nonzero(chosen <= DARK_LEVEL, axis=1)
    variance = np.einsum("ij,ij->i", values, values) / count - (values.sum(axis=1) / count) ** 2
    is_dark[is_dark] = variance <= _CONSTANT_STD**2
    return is_dark, n_unlit / length


def _at_most(plane: np.ndarray, level: int) -> np.ndarray:
    """Return an OpenCV mask (0 or 255) of the pixels up to a level."""
    return cv2.threshold(plane, level, 255, cv2.THRESH_BINARY_INV)[1]


def _line_counts(mask: np.ndarray, axis: int) -> np.ndarray:
    """Return how many pixels of each line an OpenCV mask (0 or 255) marks."""
    return cv2.reduce(mask, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel() / 255


def _border_depth(is_dark: np.ndarray, unlit_share: np.ndarray) -> int:
    """Return how many lines from the front are border, one blended line included; 0 where no step ends them.

    The first line may be anything where the second is border: Mastcam-Z writes marks into it.
    """
    dark = is_dark.copy()
    dark[:1] |= dark[1:2].any()  # there may be a single line
    depth = len(dark) if dark.all() else int(np.argmin(dark))
    if depth == 0 or depth + _STEP_PX >= len(is_dark) or unlit_share[depth + _STEP_PX] > 0.5:
        return 0
    return depth + 1
