"""What is alike: the nearest frames of an image."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.learning.codes import TileCodes
from rovervision.learning.encoders import open_encoder
from rovervision.learning.similarity import nearest
from rovervision.learning.weights import Weights
from rovervision.pipelines.clustering.applying import read_squares, tile_px_of
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.nodes import ABOUT, open_clusters
from rovervision.sources.frame import StoredFile

SIMILAR_COLUMNS = ("query", "rank", *ABOUT, "cluster", "distance")

_TILES_PER_FRAME = 6
"""So many times more tiles than frames are looked for, since a frame has several tiles."""


def choose_queries(
    tiles: TileStore,
    cluster_table: pd.DataFrame,
    images: Mapping[str, StoredFile],
    clusters: Weights,
    config: ClusteringConfig,
) -> dict[str, np.ndarray]:
    """Return name → (tile_px, tile_px, 3) uint8: the images that are named, else the largest clusters' medoids.

    Raises RovervisionError where a named image cannot be read.
    """
    if images:
        squares, failures = read_squares(images, tile_px_of(clusters))
        if failures and not squares:
            key, sentence = next(iter(failures.items()))
            raise RovervisionError(f"{key} cannot be compared: {sentence}.")
        return squares
    largest = cluster_table[cluster_table["cluster"] >= 0].nlargest(config.similar.examples, "n_tiles")
    rows = largest["medoid_row"].astype(int)
    return {str(tiles.index["frame_id"].iloc[row]): np.asarray(tiles.pixels[row]) for row in rows}


def find_similar(
    query_pictures: dict[str, np.ndarray],
    tile_codes: TileCodes,
    tile_clusters: pd.DataFrame,
    encoder: Weights,
    clusters: Weights,
    config: ClusteringConfig,
) -> pd.DataFrame:
    """Return the nearest frames of each image asked about, nearest first; each frame by its nearest tile.

    Columns: query, rank (from 1), what is known of the tile, its cluster, and the distance in the space of the
    clusters (from 0, the same direction, to 2). The frame itself, where it is of the tiles, is left out.
    """
    tile_codes.check_tiles(tile_clusters["tile_id"])
    if not query_pictures:
        return pd.DataFrame(columns=list(SIMILAR_COLUMNS))
    space = open_clusters(clusters).space
    asked = space.project(open_encoder(encoder).embed(np.stack(list(query_pictures.values()))))
    count = min(len(tile_codes), (config.similar.count + 1) * _TILES_PER_FRAME)
    rows, distances = nearest(space.project(tile_codes.codes), asked, count)
    tables = [
        _frames(query, tile_clusters.iloc[found].assign(distance=far), config.similar.count)
        for query, found, far in zip(query_pictures, rows, distances, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)[list(SIMILAR_COLUMNS)]


def _frames(query: str, found: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the best tile of each frame, `count` frames at most."""
    frames = found[found["frame_id"].astype(str) != query].drop_duplicates("frame_id").head(count)
    return frames.assign(query=query, rank=np.arange(1, len(frames) + 1))
