"""Which frames show the same: equal bytes, nearly equal pictures, and pictures taken in one burst."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

_ROWS, _COLUMNS = 64, 4096
"""Hashes compared at once: 64 x 4096 differences of 8 bytes are 2 MiB and stay in the cache."""
_VERIFIED = 2048
"""Thumbnails that a block's candidates are correlated with at once: 2048 x 1024 numbers of 4 bytes are 8 MiB."""
_DENSE = 16
"""Where at most so many times the pairs asked for exist between their frames, one matrix product is the faster way."""


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
    """Return (n, 2) row numbers i < j of all near duplicates among N frames.

    hashes: (N,) uint64 perceptual hashes; thumbnails: (N, h, w) uint8 gray.
    """
    return np.concatenate([np.empty((0, 2), np.intp), *(part for part, _ in near_blocks(hashes, thumbnails, config))])


def near_blocks(
    hashes: np.ndarray, thumbnails: np.ndarray, config: DuplicatesConfig
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield near pairs i < j as (n, 2) row numbers with their (n,) float32 correlations, in blocks of flat memory.

    All pairs of hashes are compared: at half a nanosecond each, 100,000 frames need seconds and no index. Hamming
    distance chooses candidates, Pearson correlation of the thumbnails decides.
    """
    numbers = hashes.astype(np.uint64)
    for top in range(0, len(numbers), _ROWS):
        candidates = _close_hashes(numbers, top, config.hash_bits_max)
        columns = np.unique(candidates[:, 1], return_index=True)[1]
        for pairs in np.split(candidates, columns[_VERIFIED::_VERIFIED]):
            correlation = correlations(thumbnails, pairs)
            alike = correlation >= config.correlation_min
            if alike.any():
                yield pairs[alike], correlation[alike]


def near_links(
    hashes: np.ndarray, thumbnails: np.ndarray, config: DuplicatesConfig, most: int = 1_000_000
) -> tuple[np.ndarray, np.ndarray]:
    """Return near pairs (n, 2) and correlations (n,): all of them where there are at most `most`.

    Else only as many as connect the same frames, the strongest ones: a camera that never moves makes every frame a
    near duplicate of every other, and all those pairs fit into no memory.
    """
    blocks: list[tuple[np.ndarray, np.ndarray]] = []
    held, thinned = 0, False
    for block in near_blocks(hashes, thumbnails, config):
        blocks.append(block)
        held += len(block[0])
        if held > most:  # a strongest tree of a part and the rest is one of the whole, so this may be repeated
            blocks, thinned = [strongest_trees(len(hashes), *_joined(blocks))], True
            held = len(blocks[0][0])
    pairs, correlation = _joined(blocks)
    return strongest_trees(len(hashes), pairs, correlation) if thinned else (pairs, correlation)


def strongest_trees(n_rows: int, pairs: np.ndarray, correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return those of (n, 2) distinct pairs that connect the same rows without a circle, of largest correlation."""
    cost = np.maximum(2.0 - correlation.astype(np.float64), 1e-9)  # an edge of cost 0 would be none
    tree = minimum_spanning_tree(coo_array((cost, (pairs[:, 0], pairs[:, 1])), shape=(n_rows, n_rows)).tocsr()).tocoo()
    ends = np.stack([tree.row, tree.col], axis=1).astype(np.intp)
    return ends, (2.0 - tree.data).astype(np.float32)


def correlations(thumbnails: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return (n,) float32 Pearson correlations of (N, h, w) uint8 thumbnails for (n, 2) pairs; 0 with a flat one."""
    flat = thumbnails.reshape(len(thumbnails), math.prod(thumbnails.shape[1:]))
    (left, i), (right, j) = (np.unique(pairs[:, side], return_inverse=True) for side in (0, 1))
    one, other = _centred(flat[left]), _centred(flat[right])
    if len(left) * len(right) <= _DENSE * len(pairs):
        return (one @ other.T)[i, j]
    return np.einsum("ij,ij->i", one[i], other[j])


def _centred(flat: np.ndarray) -> np.ndarray:
    """Return (n, d) rows as float32 of mean 0 and norm 1; a flat row stays 0."""
    rows = flat.astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return rows


def _close_hashes(hashes: np.ndarray, top: int, bits_max: int) -> np.ndarray:
    """Return (n, 2) pairs i < j of hashes that differ in at most `bits_max` bits, i in the block of rows at `top`."""
    rows = hashes[top : top + _ROWS, None]
    found = []
    for left in range(top, len(hashes), _COLUMNS):
        distance = np.bitwise_count(rows ^ hashes[None, left : left + _COLUMNS])
        i, j = np.divmod(np.flatnonzero(distance <= bits_max), distance.shape[1])
        found.append(np.stack([i + top, j + left], axis=1))
    pairs = np.concatenate(found)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    return pairs[np.argsort(pairs[:, 1], kind="stable")]  # to be cut into parts of few columns


def _joined(blocks: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Return blocks of pairs and correlations as one."""
    pairs = np.concatenate([np.empty((0, 2), np.intp), *(part for part, _ in blocks)])
    return pairs, np.concatenate([np.empty(0, np.float32), *(part for _, part in blocks)])


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
