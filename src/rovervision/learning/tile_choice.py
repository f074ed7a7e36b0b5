"""Which tiles a model may learn from, which are held back to watch it, and how they are told and known again."""

import hashlib
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rovervision.imaging.tiles import TileStore
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


def hash_tiles(told: bytes, tiles: TileStore, rows: NDArray[np.int64], columns: list[str]) -> str:
    """Return a hash of what is told, these columns of the tiles' index, and their pixels: 16 hexadecimal digits.

    By it a checkpoint is known to belong to the same parameters and tiles.
    """
    digest = hashlib.sha256(told)
    about = tiles.index.iloc[rows][columns].astype(str)
    digest.update(pd.util.hash_pandas_object(about, index=False).to_numpy().tobytes())
    for row in rows:
        digest.update(tiles.pixels[row].tobytes())
    return digest.hexdigest()[:16]


def describe_tiles(index: pd.DataFrame) -> dict[str, Any]:
    """Return what a model card says of the tiles that were trained on, one row each."""
    return {
        "tiles": len(index),
        "frames": int(index["frame_id"].nunique()),
        "cameras": {str(name): int(n) for name, n in index["camera"].value_counts().items()},
        "sols": sorted({int(sol) for sol in index["sol"].dropna()}),
    }
