"""What a cluster holds, in numbers and in a few words."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rovervision.imaging.tiles import TileStore

CLUSTER_COLUMNS = (
    "cluster",
    "name",
    "n_tiles",
    "share_frac",
    "medoid_tile_id",
    "medoid_row",
    "top_camera",
    "top_camera_frac",
    "top_camera_lift",
    "first_sol",
    "median_sol",
    "last_sol",
    "lightness",
    "chroma",
    "texture",
    "sky_frac",
    "ground_frac",
    "hardware_frac",
    "n_labelled",
    "purity",
    "top_labels",
    "mean_confidence",
)
"""One row per cluster. Lifts are shares divided by those of all tiles; shares of regions are NaN where no tile of
the cluster has any, sols and labels empty where none is known."""


def describe_clusters(
    tiles: TileStore,
    labels: NDArray[np.int64],
    distances: NDArray[np.float32],
    confidences: NDArray[np.float32] | None = None,
) -> pd.DataFrame:
    """Return a row of `CLUSTER_COLUMNS` for each cluster, ascending, outliers (-1) first where there are any.

    Args:
        tiles: N tiles.
        labels: (N,) their clusters.
        distances: (N,) to the own centre; the medoid is the tile with the smallest.
        confidences: (N,) of the assignment, 0 to 1.
    """
    raise NotImplementedError
