"""The grid that JPEG leaves in a picture."""

import cv2
import numpy as np

GRID_PX = 8
"""JPEG codes blocks of 8 x 8 pixels (ITU-T T.81)."""

_FLOOR = 0.5
"""Levels added to both sides of the ratio: in a flat sky, steps of less than a level are no blocks."""


def blockiness(gray: np.ndarray) -> float:
    """Return how much larger the steps across the JPEG grid are than those inside its blocks; 1 where there is no grid.

    After Wang, Sheikh and Bovik (2002, No-reference perceptual quality assessment of JPEG compressed images): the mean
    absolute difference across block boundaries against that inside the blocks, along rows and along columns. Of the
    lines of one phase the median counts, so that the edges of a border or a rover do not; and since a picture may be
    cut from a larger one, the grid may lie at any of its eight phases. The larger direction counts. Pictures of fewer
    than four blocks a side give 1.
    """
    if min(gray.shape) < 4 * GRID_PX + 1:
        return 1.0
    return max(_grid_ratio(gray[:, 1:], gray[:, :-1], 0), _grid_ratio(gray[1:], gray[:-1], 1))


def _grid_ratio(ahead: np.ndarray, behind: np.ndarray, axis: int) -> float:
    """Return the largest ratio of the median step at one phase to that at the others."""
    sums = cv2.reduce(cv2.absdiff(ahead, behind), axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    steps = sums[: len(sums) // GRID_PX * GRID_PX].reshape(-1, GRID_PX) / ahead.shape[axis]
    phases = np.sort(steps, axis=0)[len(steps) // 2]
    at = int(np.argmax(phases))
    inside = (phases.sum() - phases[at]) / (GRID_PX - 1)
    return float((phases[at] + _FLOOR) / (inside + _FLOOR))
