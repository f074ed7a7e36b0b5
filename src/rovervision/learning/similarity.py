"""What is alike, and what is like nothing else."""

import numpy as np
from numpy.typing import NDArray


def nearest(
    codes: NDArray[np.floating], queries: NDArray[np.floating], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows of the nearest `count` codes and their distances. (N, D), (Q, D) to (Q, count) twice."""
    raise NotImplementedError


def outliers(
    codes: NDArray[np.floating], count: int, neighbour: int = 5
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows of the `count` codes farthest from their `neighbour`-th neighbour, farthest first, and how
    far."""
    raise NotImplementedError
