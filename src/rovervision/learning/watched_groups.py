"""Which groups are watched and not trained on, to tell how a training goes."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def watched_groups(groups: Sequence[str], share: float) -> NDArray[np.bool_]:
    """Tell for each item whether its group is watched: whole groups, by a hash of their names, so that a group stays on
    its side when others arrive. (N,).

    At least one group is watched and one not; where there is one group only, none is watched.
    """
    names = np.asarray([str(group) for group in groups])
    place = {name: int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 2**32 for name in np.unique(names)}
    if len(place) < 2:
        return np.zeros(len(names), bool)
    ordered = sorted(place, key=lambda name: place[name])
    count = sum(value < share for value in place.values())
    return np.isin(names, ordered[: min(max(count, 1), len(ordered) - 1)])
