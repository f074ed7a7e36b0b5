"""Whether clusters come out again: from another seed, and from a part of the data."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rovervision.errors import RovervisionError

Labeller = Callable[[NDArray[np.intp], int], NDArray[np.int64]]
"""(row numbers, seed) → the clusters of these rows, found among them alone."""


def agreement_of_seeds(label: Labeller, n_rows: int, seeds: Sequence[int]) -> float:
    """Return the mean adjusted Rand index of clusterings of the same rows from different seeds. 1: always the same."""
    rows = np.arange(n_rows)
    return _mean_agreement([(rows, label(rows, seed)) for seed in seeds])


def agreement_of_subsamples(label: Labeller, n_rows: int, seeds: Sequence[int], frac: float) -> float:
    """Return the mean adjusted Rand index of clusterings of random parts, each pair on the rows that both have.

    After Ben-Hur, Elisseeff & Guyon 2002, "A stability based method for discovering structure in clustered data",
    with the adjusted Rand index for their similarity.

    Args:
        label: clusters rows.
        n_rows: number of rows.
        seeds: one per part; decides the part and the clustering. At least two.
        frac: share of the rows in a part, 0 to 1.
    """
    count = max(2, round(n_rows * frac))
    parts = [np.sort(np.random.default_rng(seed).choice(n_rows, count, replace=False)) for seed in seeds]
    return _mean_agreement([(rows, label(rows, seed)) for rows, seed in zip(parts, seeds, strict=True)])


def _mean_agreement(labelled: list[tuple[NDArray[np.intp], NDArray[np.int64]]]) -> float:
    from sklearn.metrics import adjusted_rand_score

    if len(labelled) < 2:
        raise RovervisionError("Stability compares clusterings with one another: give at least two seeds.")
    indices = []
    for (rows_a, labels_a), (rows_b, labels_b) in combinations(labelled, 2):
        _, in_a, in_b = np.intersect1d(rows_a, rows_b, assume_unique=True, return_indices=True)
        indices.append(adjusted_rand_score(labels_a[in_a], labels_b[in_b]))
    return float(np.mean(indices))
