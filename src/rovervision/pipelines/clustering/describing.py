"""Clusters in words: a row for each, with a name made of what distinguishes it."""

import pandas as pd

from rovervision.imaging.tiles import TileStore
from rovervision.learning.cluster_names import describe_clusters
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.labels import known_labels


def tabulate_clusters(tiles: TileStore, tile_clusters: pd.DataFrame, config: ClusteringConfig) -> pd.DataFrame:
    """Return a row per cluster, the largest first and outliers last: see `learning.cluster_names`.

    Names, purity and labels are by what clusters are scored with: classes, or else the regions of tiles.
    """
    labels = known_labels(tiles.index, config.scoring)
    return describe_clusters(
        TileStore(tiles.pixels, tiles.regions, tiles.index.assign(label=labels)),
        tile_clusters["cluster"].to_numpy(),
        tile_clusters["distance"].to_numpy(),
        tile_clusters["confidence"].to_numpy(),
    )
