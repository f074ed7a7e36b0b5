"""Whether splits leak: a search of its own for pictures that show nearly the same on both sides of a split.

Groups are made from perceptual hashes and verified candidates (`imaging.duplicates`). This search uses no hash and no
group: it correlates the pictures themselves, all pairs across splits, so that a mistake of the grouping is seen.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pandas as pd

from rovervision.imaging.splits import SPLITS

LEAK_COLUMNS = ("kind", "frame_id", "other_id", "tile_id", "other_tile_id", "correlation", "split", "other_split")
"""The first of the two is in the less held-out split; tile ids are missing where whole frames are compared."""

_ROWS, _COLUMNS = 512, 4096
"""Pictures compared at once; 512 x 4096 correlations of 4 bytes are 8 MiB."""
_LOW = 8
"""Side of the square of DCT frequencies that bounds a correlation."""
_ROUNDING = 1e-5


def find_leaks(
    frames: pd.DataFrame,
    frame_thumbnails: np.ndarray,
    tiles: pd.DataFrame,
    tile_thumbnails: np.ndarray,
    correlation_min: float,
) -> pd.DataFrame:
    """Return `LEAK_COLUMNS`: what shows nearly the same in two splits; no row where nothing leaks.

    frames: frame_id, split and, where known, sha256 of N kept frames; tiles: tile_id, frame_id, split of M kept tiles;
    thumbnails: (N, h, w) and (M, h, w) uint8 gray. Kinds are exact (equal bytes), near (frames) and same_scene (tiles).
    For each frame or tile that leaks into a more held-out split there is one row, with its most similar counterpart
    there, most similar first. So the table stays short, and dropping the frames of `frame_id` empties it.
    Mirrored or turned pictures are not compared.
    """
    found = [
        _exact_leaks(frames),
        _near_leaks("near", frames.assign(tile_id=None), frame_thumbnails, correlation_min),
        _near_leaks("same_scene", tiles, tile_thumbnails, correlation_min),
    ]
    texts = dict.fromkeys([name for name in LEAK_COLUMNS if name != "correlation"], "string")
    table = pd.concat([rows.astype(texts | {"correlation": "float64"}) for rows in found], ignore_index=True)
    return table[list(LEAK_COLUMNS)]


def best_matches(thumbnails: np.ndarray, others: np.ndarray, correlation_min: float) -> tuple[np.ndarray, np.ndarray]:
    """Return for each of N thumbnails the row of the other that it correlates with best, and the correlation.

    thumbnails, others: (N, h, w), (M, h, w) uint8. The row is -1 where no correlation reaches `correlation_min`. Of
    equally good ones the first is taken. Flat thumbnails correlate with nothing.
    The search is exact. The DCT keeps scalar products; of unit vectors split into low and high frequencies,
    a.b <= low(a).low(b) + |high(a)| |high(b)| (Cauchy-Schwarz). Only pairs whose bound passes are correlated in full.
    """
    best, value = np.full(len(thumbnails), -1, np.intp), np.full(len(thumbnails), -np.inf, np.float32)
    bounds, other_bounds = _bounding(thumbnails), _bounding(others)
    for top in range(0, len(thumbnails), _ROWS):
        for left in range(0, len(others), _COLUMNS):
            possible = bounds[top : top + _ROWS] @ other_bounds[left : left + _COLUMNS].T
            possible = possible >= correlation_min - _ROUNDING
            i, j = np.flatnonzero(possible.any(axis=1)) + top, np.flatnonzero(possible.any(axis=0)) + left
            if len(i):
                correlation = _unit(thumbnails[i]) @ _unit(others[j]).T
                nearest = correlation.argmax(axis=1)
                reached = correlation[np.arange(len(i)), nearest]
                better = (reached >= correlation_min) & (reached > value[i])
                best[i[better]], value[i[better]] = j[nearest[better]], reached[better]
    return best, value


def _exact_leaks(frames: pd.DataFrame) -> pd.DataFrame:
    """Return the leaks of equal bytes."""
    known = frames[frames["sha256"].fillna("") != ""] if "sha256" in frames else frames.iloc[:0].assign(sha256="")
    rows = []
    for part, later in _divisions(known["split"].tolist()):
        held_out = known.iloc[later].drop_duplicates("sha256").set_index("sha256")
        inside = known.iloc[part]
        inside = inside[inside["sha256"].isin(held_out.index)]
        other = held_out.loc[inside["sha256"]]
        rows.append(_leak_rows("exact", inside.assign(tile_id=None), other.assign(tile_id=None), np.ones(len(inside))))
    return pd.concat(rows, ignore_index=True)


def _near_leaks(kind: str, table: pd.DataFrame, thumbnails: np.ndarray, correlation_min: float) -> pd.DataFrame:
    """Return the leaks among pictures: frames (without tile_id) or tiles."""
    rows = []
    for part, later in _divisions(table["split"].tolist()):
        best, value = best_matches(thumbnails[part], thumbnails[later], correlation_min)
        leaking = np.flatnonzero(best >= 0)
        leaking = leaking[np.argsort(-value[leaking], kind="stable")]
        other = table.iloc[later[best[leaking]]]
        rows.append(_leak_rows(kind, table.iloc[part[leaking]], other, value[leaking]))
    return pd.concat(rows, ignore_index=True)


def _divisions(splits: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows of each split but the last, and the rows of all that are held out further."""
    order = np.array([SPLITS.index(part) for part in splits], np.int64)
    for number in range(len(SPLITS) - 1):
        yield np.flatnonzero(order == number), np.flatnonzero(order > number)


def _leak_rows(kind: str, table: pd.DataFrame, other: pd.DataFrame, correlation: np.ndarray) -> pd.DataFrame:
    """Return `LEAK_COLUMNS` of rows that face one another."""
    sides = {
        "frame_id": table["frame_id"].to_numpy(),
        "other_id": other["frame_id"].to_numpy(),
        "tile_id": table["tile_id"].to_numpy(),
        "other_tile_id": other["tile_id"].to_numpy(),
        "correlation": correlation,
        "split": table["split"].to_numpy(),
        "other_split": other["split"].to_numpy(),
    }
    return pd.DataFrame(sides).assign(kind=kind)


def _unit(thumbnails: np.ndarray) -> np.ndarray:
    """Return (N, h * w) float32 of mean 0 and norm 1; a flat thumbnail stays 0."""
    rows = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def _bounding(thumbnails: np.ndarray) -> np.ndarray:
    """Return (N, 65) float32 whose scalar products are upper bounds of the correlations: low frequencies, rest's norm.

    cv2.dct is orthonormal; sides are even, as it needs them.
    """
    bounds = np.zeros((len(thumbnails), _LOW * _LOW + 1), np.float32)
    height, width = thumbnails.shape[1:]
    for row, flat in enumerate(_rows_of_unit(thumbnails)):
        low = cv2.dct(flat.reshape(height, width))[:_LOW, :_LOW].ravel()
        bounds[row, : len(low)] = low
        bounds[row, -1] = np.sqrt(max(float(flat @ flat) - float(low @ low), 0.0))
    return bounds


def _rows_of_unit(thumbnails: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows of `_unit`, made a block at a time."""
    for top in range(0, len(thumbnails), _ROWS):
        yield from _unit(thumbnails[top : top + _ROWS])
