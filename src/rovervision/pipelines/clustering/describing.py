"""Clusters in words: a row for each, with a name made of what distinguishes it."""

import pandas as pd

from rovervision.imaging.tiles import TileStore
from rovervision.learning.cluster_names import describe_clusters


def tabulate_clusters(tiles: TileStore, tile_clusters: pd.DataFrame) -> pd.DataFrame:
    """Return a row per cluster, the largest first and outliers last: see `learning.cluster_names`."""
    table = describe_clusters(
        tiles,
        tile_clusters["cluster"].to_numpy(),
        tile_clusters["distance"].to_numpy(),
        tile_clusters["confidence"].to_numpy(),
    )
    order = table["cluster"].where(table["cluster"] >= 0, len(table))
    return table.loc[order.sort_values(kind="stable").index].reset_index(drop=True)
