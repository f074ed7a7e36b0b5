"""How good codes are, whatever the clusters: a linear probe, and neighbours from other sols."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def probe(
    codes: NDArray[np.floating], labels: ArrayLike, splits: ArrayLike, strength: float = 0.01
) -> dict[str, float]:
    """Return probe_accuracy and probe_macro_f1 of a linear classifier: fit on split train, scored on val."""
    raise NotImplementedError


def cross_sol_neighbours(
    codes: NDArray[np.floating], labels: ArrayLike, groups: ArrayLike, count: int = 5
) -> dict[str, float]:
    """Return neighbour_accuracy: the label that the nearest `count` codes of other groups vote for is the own one."""
    raise NotImplementedError
