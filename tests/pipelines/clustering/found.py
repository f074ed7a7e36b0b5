"""Small tiles with known scenes, and all that the pipeline finds in them."""

from dataclasses import dataclass
from functools import cache

import pandas as pd

from rovervision.imaging.tiles import TileStore
from rovervision.learning.codes import TileCodes
from rovervision.learning.weights import Weights
from rovervision.pipelines.clustering import describing, nodes, scoring
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.training import finish_encoder, train_encoder
from tests.pipelines.clustering.scenes import scene_tiles


def config(kind: str = "handcrafted", **sections: object) -> ClusteringConfig:
    encoder = {"kind": kind, "fuse_with": None, "metric": {"kind": "plain"}, "autoencoder": {"input_px": 16}}
    encoder["contrastive"] = {"input_px": 16}
    given: dict[str, object] = {
        "encoder": encoder,
        "training": {"epochs": 1, "batch_size": 32},
        "clusterer": {"clusters": 2, "restarts": 1, "pca_dim": 8},
        "reduction": {"kind": "pca"},
        "scoring": {"split": "val", "at_clusters": [3], "measures": {"stability_seeds": 2}},
        "figures": {"sheet_tiles": 8, "nearest": 3, "farthest": 2, "outliers": 5, "page_thumbnail_px": 16},
        "similar": {"count": 4, "examples": 2},
    }
    return ClusteringConfig.model_validate(given | sections)


@dataclass(frozen=True)
class Found:
    """What the nodes of training make."""

    config: ClusteringConfig
    tiles: TileStore
    checkpoint: Weights
    encoder: Weights
    codes: TileCodes
    clusters: Weights
    tile_clusters: pd.DataFrame
    table: pd.DataFrame


def find(tiles: TileStore, asked: ClusteringConfig) -> Found:
    checkpoint = list(train_encoder(tiles, asked, 0, "cpu"))[-1][0]
    encoder = finish_encoder(checkpoint, asked)
    codes = nodes.embed_tiles(tiles, encoder)
    clusters, tile_clusters = nodes.cluster_tiles(tiles, codes, asked, 0)
    table = describing.tabulate_clusters(tiles, tile_clusters, asked)
    return Found(asked, tiles, checkpoint, encoder, codes, clusters, tile_clusters, table)


@cache
def found(kind: str = "handcrafted") -> Found:
    return find(scene_tiles(), config(kind))


@cache
def scores() -> tuple[pd.DataFrame, dict[str, float]]:
    of = found()
    return scoring.score_encoders(of.tiles, of.codes, of.tile_clusters, of.config, 0)
