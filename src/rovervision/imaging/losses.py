"""Data that never came: black gaps, blank blocks, and lines that are too bright or too dark."""

import cv2
import numpy as np

from rovervision.imaging.framing import dark_lines, is_ever_dark

CELL_PX = 8
"""Side of the cells in which blank blocks are counted: transmissions are coded in blocks of 8 and multiples."""

_LOOKS = ((3, 3), (4, 5), (5, 2), (2, 4), (3, 5), (5, 4), (2, 2), (4, 3))
"""Rows and columns of a cell, away from its edge, where a blank one has no detail."""

_BLANK_TINT = 1
"""Largest difference between luma and brightest channel of a blank cell: a fill is gray, an even sky is not."""

_BLOCK_FRAC = 0.01
"""Smallest share of the picture that a blank block takes."""

_BLOCK_STEP = 6
"""Smallest step at the sides of a blank block, in 8-bit levels: a smooth sky fades, a loss ends."""

_STEP_SHARE = 0.7
"""Share of a block's surroundings that must differ so: shadows beside a black block may not."""

_STRIPED_SHARE = 0.75
"""Quantile of the lines' steps that `stripe_level` takes: real edges disturb few lines, line noise most."""


def missing_frac(brightest: np.ndarray) -> float:
    """Return the larger of the shares of rows and of columns that are gaps inside an (H, W) uint8 picture.

    A gap is a run of at least 3 dark, constant lines (as in `framing.dark_lines`) with lit lines right on both sides;
    shadows and night fade and are none. Gaps at an edge are borders, which `content_box` has taken away.
    """
    if not is_ever_dark(brightest):
        return 0.0
    return max(_gap_share(*dark_lines(brightest, axis)) for axis in (1, 0))


def _gap_share(dark: np.ndarray, unlit_share: np.ndarray, shortest_px: int = 3, blend_px: int = 2) -> float:
    """Return the share of lines in gaps; up to `blend_px` lines beside a gap may be half dark from compression."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], dark.view(np.int8), [0]))))
    missing = 0
    for start, stop in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
        before, after = start - 1 - blend_px, stop + blend_px
        inside = before >= 0 and after < len(dark) and stop - start >= shortest_px
        if inside and max(unlit_share[before], unlit_share[after]) <= 0.5:
            missing += stop - start
    return missing / len(dark)


def blank_frac(gray: np.ndarray, brightest: np.ndarray, laplacian: np.ndarray) -> float:
    """Return the share of a picture in blank blocks: areas of one value, black or gray, that never came.

    gray, brightest: (H, W) uint8 luma and channel maxima; laplacian: (H, W) int16, that of `gray`. Cells of 8 px
    without any detail are joined where they touch and have the same value. They are a loss where they cover 1 % of the
    picture, have straight sides, and end in a step all around. Overexposed areas (250 and more) are none.
    """
    flat = _flat_cells(gray, laplacian)
    fewest = max(4.0, _BLOCK_FRAC * flat.size)
    if np.count_nonzero(flat) < fewest:
        return 0.0
    half = CELL_PX // 2
    rows, columns = flat.shape
    values, highest = (plane[half::CELL_PX, half::CELL_PX][:rows, :columns] for plane in (gray, brightest))
    counts = np.bincount(values[flat], minlength=256)[:250]
    n_blank = 0
    for value in np.flatnonzero(counts >= fewest).tolist():
        alike = (flat & (values == value) & (highest <= value + _BLANK_TINT)).astype(np.uint8)
        differs = np.maximum(np.abs(values.astype(np.int16) - value), highest.astype(np.int16) - value) >= _BLOCK_STEP
        _, labels, boxes, _ = cv2.connectedComponentsWithStats(alike, connectivity=4)
        for label in np.flatnonzero(boxes[1:, cv2.CC_STAT_AREA] >= fewest) + 1:
            block = (labels == label).astype(np.uint8)
            if _has_straight_sides(block) and _ends_in_steps(block, differs):
                n_blank += int(boxes[label, cv2.CC_STAT_AREA])
    return n_blank / flat.size


def _flat_cells(gray: np.ndarray, laplacian: np.ndarray) -> np.ndarray:
    """Return for each whole cell whether all its pixels are equal."""
    rows, columns = (side // CELL_PX for side in gray.shape)
    inner = laplacian[: rows * CELL_PX, : columns * CELL_PX]
    flat = np.ones((rows, columns), bool)
    for y, x in _LOOKS:  # few cells survive the first looks, and most pictures need no more
        flat &= inner[y::CELL_PX, x::CELL_PX] == 0
        if np.count_nonzero(flat) < _BLOCK_FRAC * flat.size:
            return np.zeros((rows, columns), bool)
    cells = gray[: rows * CELL_PX, : columns * CELL_PX].reshape(rows, CELL_PX, columns, CELL_PX)
    chosen = cells.transpose(0, 2, 1, 3)[flat].reshape(-1, CELL_PX * CELL_PX)
    flat[flat] = (chosen == chosen[:, :1]).all(axis=1)
    return flat


def _has_straight_sides(block: np.ndarray) -> bool:
    """Tell whether most rows of a block of cells begin and end where those above do: a rectangle, or few that touch."""
    rows = block[block.any(axis=1)]
    ends = np.stack([rows.argmax(axis=1), rows[:, ::-1].argmax(axis=1)], axis=1)
    return int(np.count_nonzero(np.diff(ends, axis=0).any(axis=1))) <= (len(rows) - 1) // 2


def _ends_in_steps(block: np.ndarray, differs: np.ndarray) -> bool:
    """Tell whether the cells next but one to a block differ from its value; those right beside may be part of it."""
    near, far = (cv2.dilate(block, np.ones((side, side), np.uint8)) for side in (3, 5))
    around = differs[far > near]
    return around.size > 0 and float(np.mean(around)) >= _STEP_SHARE


def stripe_level(gray: np.ndarray) -> float:
    """Return by how many 8-bit levels rows, or columns, stand out from their neighbours, whichever is more.

    The mean of each line minus that of the two beside it; of the absolute values the upper quartile. Interlacing and
    line noise move every line, a horizon or a shadow's edge only some.
    """
    return max(_line_steps(gray, 1), _line_steps(gray, 0))


def _line_steps(gray: np.ndarray, axis: int) -> float:
    means = cv2.reduce(gray, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel() / gray.shape[axis]
    if len(means) < 8:
        return 0.0
    steps = np.abs(means[1:-1] - (means[:-2] + means[2:]) / 2)
    place = int(_STRIPED_SHARE * len(steps))
    return float(np.partition(steps, place)[place])
