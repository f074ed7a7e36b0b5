"""Which frames show the same: equal bytes, nearly equal pictures, and pictures taken in one burst."""

import math
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_BLOCK = 2048
"""Hashes compared at once: 2048 x 2048 differences of 8 bytes are 32 MiB."""


class DuplicatesConfig(BaseModel):
    """How near is nearly the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash_bits_max: int = Field(default=12, ge=0, le=64)
    """Perceptual hashes that differ in at most so many of 64 bits make two frames candidates."""
    correlation_min: float = Field(default=0.96, gt=0.0, le=1.0)
    """Candidates are near duplicates where their gray thumbnails correlate at least so well."""
    burst_s: float = Field(default=10.0, ge=0.0)
    """Frames of one rover taken within so many seconds show one scene: stereo pairs, focus stacks, film."""


def equal_pairs(keys: Sequence[str]) -> np.ndarray:
    """Return (n, 2) row numbers: each row that repeats an earlier key, with the first row of that key."""
    first: dict[str, int] = {}
    pairs = [(first[key], row) for row, key in enumerate(keys) if first.setdefault(key, row) != row]
    return np.array(pairs, np.intp).reshape(-1, 2)


def near_pairs(hashes: np.ndarray, thumbnails: np.ndarray, config: DuplicatesConfig) -> np.ndarray:
    """Return (n, 2) row numbers i < j of near duplicates among N frames.

    hashes: (N,) uint64 perceptual hashes; thumbnails: (N, h, w) uint8 gray. Hamming distance chooses candidates block
    by block (all pairs; 20,000 frames take a second), Pearson correlation of the thumbnails decides.
    """
    candidates = _close_hashes(hashes.astype(np.uint64), config.hash_bits_max)
    flat = thumbnails.reshape(len(thumbnails), math.prod(thumbnails.shape[1:])).astype(np.float32)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    alike = [
        np.einsum("ij,ij->i", flat[part[:, 0]], flat[part[:, 1]]) >= config.correlation_min
        for part in np.array_split(candidates, len(candidates) // 65536 + 1)
    ]
    return candidates[np.concatenate(alike)]


def _close_hashes(hashes: np.ndarray, bits_max: int) -> np.ndarray:
    """Return all pairs i < j of (N,) uint64 hashes that differ in at most `bits_max` bits, as (n, 2)."""
    found = [np.empty((0, 2), np.intp)]
    for top in range(0, len(hashes), _BLOCK):
        rows = hashes[top : top + _BLOCK, None]
        for left in range(top, len(hashes), _BLOCK):
            distance = np.bitwise_count(rows ^ hashes[None, left : left + _BLOCK])
            i, j = np.nonzero(distance <= bits_max)
            pairs = np.stack([i + top, j + left], axis=1)
            found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found)


def burst_pairs(rovers: Sequence[str], sclk_s: np.ndarray, burst_s: float) -> np.ndarray:
    """Return (n, 2) row numbers of frames that follow one another on one rover's clock within `burst_s` seconds.

    sclk_s: (N,) float64 spacecraft clock, NaN where unknown; such frames are in no burst.
    """
    known = np.flatnonzero(np.isfinite(sclk_s))
    names = np.asarray(rovers, dtype=str)[known]
    order = known[np.lexsort((known, sclk_s[known], names))]
    before, after = order[:-1], order[1:]
    rover = np.asarray(rovers, dtype=str)
    near = (rover[before] == rover[after]) & (sclk_s[after] - sclk_s[before] <= burst_s)
    return np.stack([before[near], after[near]], axis=1)


def components(n_rows: int, *pairs: np.ndarray) -> np.ndarray:
    """Return (n_rows,) int64: for each row the smallest row number that pairs connect it with; itself where alone."""
    joined = np.concatenate([np.empty((0, 2), np.intp), *pairs])
    graph = coo_array((np.ones(len(joined), np.int8), (joined[:, 0], joined[:, 1])), shape=(n_rows, n_rows))
    _, label = connected_components(graph, directed=False)
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)
