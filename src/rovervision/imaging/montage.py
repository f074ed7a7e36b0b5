"""Many pictures as one."""

from collections.abc import Sequence

import cv2
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


def spaced(places: np.ndarray, side: float) -> np.ndarray:
    """Return the rows, in order, of places where squares of this side can be centred without covering one another.

    places: (N, 2) x and y. Earlier rows are preferred; a row is left out only where a square before it is in its way.
    Cells of one side hold at most one centre each, so only the nine around a place are looked at.
    """
    taken: dict[tuple[int, int], np.ndarray] = {}
    chosen = []
    for row, place in enumerate(places):
        column, line = (int(number) for number in np.floor(place / side))
        around = [taken.get((column + i, line + j)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        if all(other is None or np.abs(place - other).max() >= side for other in around):
            taken[column, line] = place
            chosen.append(row)
    return np.array(chosen, np.intp)


def framed(picture: np.ndarray, side_px: int, border_px: int, color: tuple[int, int, int]) -> np.ndarray:
    """Return an (h, w, 3) uint8 picture as a square of `side_px`, with a border of one colour inside it."""
    inner_px = side_px - 2 * border_px
    how = cv2.INTER_AREA if min(picture.shape[:2]) >= inner_px else cv2.INTER_CUBIC
    small = cv2.resize(np.ascontiguousarray(picture), (inner_px, inner_px), interpolation=how)
    square = np.empty((side_px, side_px, 3), np.uint8)
    square[:] = color
    square[border_px : side_px - border_px, border_px : side_px - border_px] = small
    return square


def pinned(pictures: Sequence[np.ndarray], centers_px: np.ndarray, height_px: int, width_px: int) -> np.ndarray:
    """Return an (height_px, width_px, 4) uint8 RGBA board, transparent but for the pictures, later ones above.

    pictures: N (h, w, 3) uint8; centers_px: (N, 2) column and row of their middles. What sticks out is cut off.
    """
    board = np.zeros((height_px, width_px, 4), np.uint8)
    for picture, (column, row) in zip(pictures, centers_px, strict=True):
        height, width = picture.shape[:2]
        left, top = round(column - width / 2), round(row - height / 2)
        right, bottom = min(left + width, width_px), min(top + height, height_px)
        from_left, from_top = max(left, 0), max(top, 0)
        if right > from_left and bottom > from_top:
            part = board[from_top:bottom, from_left:right]
            part[..., :3] = picture[from_top - top : bottom - top, from_left - left : right - left]
            part[..., 3] = 255
    return board
