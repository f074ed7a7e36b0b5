"""Codes whose clusters are known."""

import numpy as np


def blobs(
    n_rows: int = 300, n_blobs: int = 5, dim: int = 12, spread: float = 0.3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return codes around far corners, and the number of the corner of each."""
    rng = np.random.default_rng(seed)
    corners = 4 * np.eye(dim)[:n_blobs] + rng.normal(0, 0.2, (n_blobs, dim))
    true = np.arange(n_rows) % n_blobs
    return (corners[true] + rng.normal(0, spread, (n_rows, dim))).astype(np.float32), true
