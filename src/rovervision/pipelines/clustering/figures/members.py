"""Which members of a cluster are shown, and what is said of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def nearest(members: pd.DataFrame, count: int) -> NDArray[np.intp]:
    """Return the rows of the tiles nearest to the centre, each frame once, nearest first.

    members: rows of `tile_clusters` of one cluster, under their row numbers.
    """
    ordered = members.sort_values("distance", kind="stable").drop_duplicates("frame_id")
    return ordered.index.to_numpy(np.intp)[:count]


def farthest(members: pd.DataFrame, count: int) -> NDArray[np.intp]:
    """Return the rows of the tiles farthest from the centre, each frame once, farthest first."""
    ordered = members.sort_values("distance", ascending=False, kind="stable").drop_duplicates("frame_id")
    return ordered.index.to_numpy(np.intp)[:count]


def where_and_when(row: Mapping[str, Any]) -> str:
    """Return two lines on a cluster: how many tiles; of which camera and from which sols.

    row: of `cluster_table`.
    """
    size = f"{counted(int(row['n_tiles']), 'tile')} ({100 * float(row['share_frac']):.1f} %)"
    camera = f"{str(row['top_camera']).replace('_', ' ')} {100 * float(row['top_camera_frac']):.0f} %"
    return f"{size}\n{camera}{_sols(row)}"


def _sols(row: Mapping[str, Any]) -> str:
    if pd.isna(row["first_sol"]):
        return ""
    first, last = int(row["first_sol"]), int(row["last_sol"])
    return f" · sol {first}" if first == last else f" · sols {first} to {last}"


def counted(count: int, noun: str) -> str:
    """Return `1 tile`, `2,000 tiles`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def titles_of(cluster_table: pd.DataFrame) -> dict[int, str]:
    """Return cluster → `3 · ground, dark`; outliers have no number."""
    pairs = zip(cluster_table["cluster"].astype(int), cluster_table["name"].astype(str), strict=True)
    return {cluster: f"{cluster} · {name}" if cluster >= 0 else name for cluster, name in pairs}
