"""Round vignettes: pictures that a round field stop leaves dark outside a circle, as ChemCam's RMI sends them."""

import math
from typing import NamedTuple

import cv2
import numpy as np

from rovervision.imaging.framing import DARK_LEVEL, Content

_SAMPLES = 96
"""Side in pixels of the small copy on which a circle is fitted and judged."""

_RING = (0.80, 0.93)
"""Radii, as shares of the circle's, between which a picture must be lit: shadows at a real circle's edge stay few."""

_INSCRIBED = 0.96
"""Share of the radius that the picture's rectangle reaches: the edge of a field stop is soft."""


class Circle(NamedTuple):
    """A circle in an image, in pixels from the top left corner."""

    x_px: float
    y_px: float
    radius_px: float


def round_vignette(brightest: np.ndarray) -> Circle | None:
    """Return the circle outside of which an (H, W) uint8 image of channel maxima is dark, None where there is none.

    All four corners must be dark (up to `framing.DARK_LEVEL`). A circle is fitted to the outermost lit pixels of rows
    and columns (Kasa 1976, algebraic least squares; points inside it are shadows and are dropped). It counts where at
    least 97 % of the pixels outside are dark, 2 % of the image lie outside, 70 % of a ring inside are lit, and 80 % of
    the points that were not dropped lie on it: night has no ring, and corners of other shapes no circle.
    """
    height, width = brightest.shape
    if min(height, width) < 32 or max(brightest[row, column] for row in (1, -2) for column in (1, -2)) > DARK_LEVEL:
        return None
    scale = max(1.0, max(height, width) / _SAMPLES)
    small = cv2.resize(brightest, (round(width / scale), round(height / scale)), interpolation=cv2.INTER_AREA)
    circle = _fitted(_outline(small > 1.5 * DARK_LEVEL))
    if circle is None or not _is_stop(small, circle):
        return None
    return Circle((circle.x_px + 0.5) * scale - 0.5, (circle.y_px + 0.5) * scale - 0.5, circle.radius_px * scale)


def inscribed(circle: Circle, width_px: int, height_px: int) -> Content:
    """Return the rectangle of the image's aspect whose corners lie on the circle, just inside, cut to the image.

    It is a square where the image is one.
    """
    half = _INSCRIBED * circle.radius_px / math.hypot(width_px, height_px)
    left, right = circle.x_px - half * width_px, circle.x_px + half * width_px
    top, bottom = circle.y_px - half * height_px, circle.y_px + half * height_px
    return Content(
        max(0, math.ceil(left)),
        max(0, math.ceil(top)),
        min(width_px, math.floor(right) + 1),
        min(height_px, math.floor(bottom) + 1),
    )


def outside_frac(circle: Circle, width_px: int, height_px: int) -> float:
    """Return the share of an image's pixels outside the circle, to about 0.1 %."""
    x = (np.arange(256) + 0.5) * width_px / 256 - 0.5 - circle.x_px
    y = (np.arange(256) + 0.5) * height_px / 256 - 0.5 - circle.y_px
    return float(np.mean(x * x + (y * y)[:, None] > circle.radius_px**2))


def _outline(lit: np.ndarray) -> np.ndarray:
    """Return (n, 2) x, y of the first and last lit pixel of every row and column, without those at the image's edge."""
    found = []
    for lines, swap in ((lit, False), (lit.T, True)):
        rows = np.flatnonzero(lines.any(axis=1))
        first = lines[rows].argmax(axis=1)
        last = lines.shape[1] - 1 - lines[rows][:, ::-1].argmax(axis=1)
        along, across = np.concatenate([first - 0.5, last + 0.5]), np.concatenate([rows, rows])
        inner = np.concatenate([first > 1, last < lines.shape[1] - 2])
        found.append(np.stack([across, along] if swap else [along, across], axis=1)[inner])
    return np.concatenate(found)


def _fitted(points: np.ndarray) -> Circle | None:
    """Fit a circle to (n, 2) points, dropping thrice those that lie well inside; None where too few lie on it."""
    for _ in range(4):
        if len(points) < 16:
            return None
        x, y = points.T.astype(float)
        solution = np.linalg.lstsq(np.stack([2 * x, 2 * y, np.ones_like(x)], 1), x * x + y * y, rcond=None)[0]
        square = solution[2] + solution[0] ** 2 + solution[1] ** 2
        if square <= 0:
            return None
        circle = Circle(float(solution[0]), float(solution[1]), math.sqrt(square))
        distance = np.hypot(x - circle.x_px, y - circle.y_px) - circle.radius_px
        points = points[distance > -1.5]
    on_it = np.mean(np.abs(distance[distance > -1.5]) < 1.0)
    return circle if on_it >= 0.8 else None


def _is_stop(small: np.ndarray, circle: Circle) -> bool:
    """Tell whether the image is dark outside the circle and lit in a ring inside."""
    height, width = small.shape
    y, x = np.ogrid[:height, :width]
    radius = np.hypot(x - circle.x_px, y - circle.y_px) / circle.radius_px
    outside, ring = radius > 1.0 + 1.5 / circle.radius_px, (radius > _RING[0]) & (radius < _RING[1])
    if np.mean(outside) < 0.02 or np.mean(ring) < 0.05:
        return False
    return bool(np.mean(small[outside] <= DARK_LEVEL) >= 0.97 and np.mean(small[ring] > 1.25 * DARK_LEVEL) >= 0.7)
