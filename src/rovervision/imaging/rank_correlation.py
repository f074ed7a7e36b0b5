"""Whether one quantity ranks another."""

import numpy as np
from numpy.typing import NDArray


def rank_correlation(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Return Spearman's rank correlation of two arrays of one shape, -1 to 1; ties share their mean rank.

    1: the larger of one always goes with the larger of the other; 0: they tell nothing of each other. NaN where one of
    them is constant, or has fewer than two values, and so has no order.
    """
    from scipy.stats import rankdata

    if x.size < 2 or x.min() == x.max() or y.min() == y.max():
        return float("nan")
    return float(np.corrcoef(rankdata(x.ravel()), rankdata(y.ravel()))[0, 1])
