"""Many pictures as one."""

from collections.abc import Sequence

import numpy as np


def contact_sheet(
    tiles: np.ndarray | Sequence[np.ndarray], columns: int, gap_px: int = 4, paper: int = 255
) -> np.ndarray:
    """Return one (H, W, 3) uint8 picture of the tiles, row by row, with paper between them and after the last.

    tiles: N arrays of one (h, w, 3) uint8 shape, N >= 1.
    """
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (height + gap_px) - gap_px, columns * (width + gap_px) - gap_px, 3), paper, dtype=np.uint8)
    for number, tile in enumerate(tiles):
        top, left = number // columns * (height + gap_px), number % columns * (width + gap_px)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def spread(count: int, wanted: int) -> np.ndarray:
    """Return at most `wanted` row numbers out of `count`, evenly spread, the first included."""
    return (
        np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(np.intp))
        if count
        else np.empty(0, np.intp)
    )
