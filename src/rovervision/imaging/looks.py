"""How pictures look at a glance: a gray thumbnail and its perceptual hash, all that searches for the same need."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from rovervision.imaging.quality import THUMBNAIL_PX, perceptual_hash, thumbnail


class Looks(NamedTuple):
    """The looks of N pictures."""

    hashes: np.ndarray
    """(N,) uint64 perceptual hashes."""
    thumbnails: np.ndarray
    """(N, THUMBNAIL_PX, THUMBNAIL_PX) uint8 gray."""


def looks_of_tiles(pixels: np.ndarray) -> Looks:
    """Return the looks of (N, H, W, 3) uint8 tiles; gray is by Rec. 601. A memory map is read tile by tile."""
    small = np.empty((len(pixels), THUMBNAIL_PX, THUMBNAIL_PX), np.uint8)
    for row in range(len(pixels)):
        small[row] = thumbnail(cv2.cvtColor(np.asarray(pixels[row]), cv2.COLOR_RGB2GRAY))
    return Looks(np.array([perceptual_hash(each) for each in small], np.uint64), small)


def looks_of_rows(hashes: Sequence[str], thumbnails: Sequence[bytes]) -> Looks:
    """Return the looks that a frame table keeps: 16 hexadecimal digits, and the bytes of a thumbnail, per row."""
    small = np.frombuffer(b"".join(thumbnails), np.uint8).reshape(-1, THUMBNAIL_PX, THUMBNAIL_PX)
    return Looks(np.array([int(key, 16) for key in hashes], np.uint64), small)
