"""Which tiles a model of colour images may learn from, and which of them are held back to watch it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rovervision.learning.watched_groups import watched_groups


def color_rows(index: pd.DataFrame, split: str) -> NDArray[np.int64]:
    """Return the rows of a split's colour tiles. Debayered mosaics are none: nobody has set their white balance."""
    return np.flatnonzero((index["split"] == split) & index["is_color"] & ~index["is_debayered"])


def camera_names(index: pd.DataFrame) -> list[str]:
    """Return `rover/camera` of every tile: one camera name may stand on several rovers."""
    return [f"{rover}/{camera}" for rover, camera in zip(index["rover"], index["camera"], strict=True)]


def split_monitor(index: pd.DataFrame, monitor_frac: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on and the rows to watch: colour tiles of the training split, in whole groups.

    A group goes by its hash, so that it stays on its side when others arrive. At least one group is watched and one
    trained on; a single group serves for both.
    """
    rows = color_rows(index, "train")
    watched = watched_groups(index["group"].astype(str).iloc[rows].tolist(), monitor_frac)
    return (rows[~watched], rows[watched]) if watched.any() else (rows, rows)
