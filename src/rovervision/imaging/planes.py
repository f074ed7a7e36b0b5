"""A picture with the planes that several measures share, so that each is made once."""

import functools
from typing import NamedTuple

import cv2
import numpy as np

from rovervision.imaging.framing import Content


class Planes(NamedTuple):
    """One picture in several forms, all of height H and width W, uint8. Those of a gray picture are one array."""

    picture: np.ndarray
    """(H, W) gray or (H, W, 3) RGB."""
    gray: np.ndarray
    """(H, W) luma (Rec. 601: 0.299 R + 0.587 G + 0.114 B)."""
    maximum: np.ndarray
    """(H, W) brightest channel."""
    minimum: np.ndarray
    """(H, W) darkest channel."""

    @property
    def is_gray(self) -> bool:
        """Whether the picture has one channel."""
        return self.picture.ndim == 2

    def inside(self, content: Content) -> "Planes":
        """Return views of what lies inside the rectangle."""
        left, top, right, bottom = content
        return Planes(*(plane[top:bottom, left:right] for plane in self))


def planes_of(picture: np.ndarray) -> Planes:
    """Return the planes of an (H, W) or (H, W, 3) uint8 picture; nothing of the argument is changed."""
    if picture.ndim == 2:
        return Planes(picture, picture, picture, picture)
    channels = cv2.split(picture)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return Planes(picture, gray, functools.reduce(cv2.max, channels), functools.reduce(cv2.min, channels))


def color_difference(planes: Planes) -> float:
    """Return the mean over pixels and pairs of channels of the absolute difference, 0 to 255; 0 for gray.

    Of three numbers the absolute differences add up to twice their range, so two planes are enough.
    """
    if planes.is_gray:
        return 0.0
    return cv2.norm(planes.maximum, planes.minimum, cv2.NORM_L1) * 2.0 / (3.0 * planes.gray.size)
