"""The steps of clustering: codes of tiles, their clusters, their places on a map, and what is like no other."""

import numpy as np
import pandas as pd
import torch

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.learning.clusters import Clusters, fit_clusters
from rovervision.learning.codes import TileCodes
from rovervision.learning.encoders import open_encoder
from rovervision.learning.reduction import reduce_codes
from rovervision.learning.similarity import outliers
from rovervision.learning.weights import Weights
from rovervision.pipelines.clustering.config import ClusteringConfig

ABOUT = ("tile_id", "frame_id", "rover", "camera", "sol", "label", "split")
"""What every table of tiles takes over from the tile index."""


def embed_tiles(tiles: TileStore, encoder: Weights) -> TileCodes:
    """Return the code of every tile, of all splits. Raises RovervisionError where codes are no numbers."""
    if not len(tiles):
        raise RovervisionError("There is no tile to cluster. Ingest and curate some frames first.")
    codes = open_encoder(encoder).embed(tiles.pixels)
    return TileCodes(codes, tuple(tiles.index["tile_id"].astype(str)))


def cluster_tiles(
    tiles: TileStore, tile_codes: TileCodes, config: ClusteringConfig, seed: int
) -> tuple[Weights, pd.DataFrame]:
    """Return the clusters, and for every tile its cluster (-1: none), distance to the centre, and confidence."""
    tile_codes.check_tiles(tiles.index["tile_id"])
    found = fit_clusters(tile_codes.codes, config.clusterer, seed)
    table = tiles.index[list(ABOUT)].assign(
        cluster=found.labels, distance=found.distances, confidence=found.confidences
    )
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in found.tensors().items()}
    return Weights(tensors, {"clusters": found.header(), "tile_px": tiles.tile_px}), table


def open_clusters(weights: Weights) -> Clusters:
    """Return the clusters that `cluster_tiles` gave as weights. Raises RovervisionError where it did not."""
    if "clusters" not in weights.header:
        raise RovervisionError(
            "These weights are not clusters of this version. Make them again: kedro run --pipelines clustering"
        )
    arrays = {name: tensor.numpy() for name, tensor in weights.tensors.items()}
    return Clusters.restore(arrays, weights.header["clusters"])


def map_tiles(tile_codes: TileCodes, config: ClusteringConfig, seed: int) -> pd.DataFrame:
    """Return the place of every tile on a map of two dimensions: tile_id, x, y, within 0 and 1."""
    places = reduce_codes(tile_codes.codes, config.reduction, seed)
    low, high = places.min(axis=0), places.max(axis=0)
    scaled = (places - low) / max(float((high - low).max()), 1e-12)  # one factor for both: distances stay in proportion
    return pd.DataFrame({"tile_id": list(tile_codes.tile_ids), "x": scaled[:, 0], "y": scaled[:, 1]})


def list_outliers(
    tiles: TileStore, tile_codes: TileCodes, clusters: Weights, tile_clusters: pd.DataFrame, config: ClusteringConfig
) -> pd.DataFrame:
    """Return the tiles that are like no other, strangest first: those of the table, and `distance`.

    `distance` is to the fifth nearest tile in the space of the clusters, so that four copies of an oddity stay odd.
    """
    tile_codes.check_tiles(tiles.index["tile_id"])
    places = open_clusters(clusters).space.project(tile_codes.codes)
    rows, distances = outliers(places, min(config.figures.outliers, len(places)))
    table = tile_clusters[[*ABOUT, "cluster"]].iloc[rows]
    return table.assign(distance=distances).reset_index(drop=True)
