"""Clusters for new images: which one each belongs to."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.cutting import CuttingConfig, boxes_for
from rovervision.imaging.decoding import decode_image, to_uint8
from rovervision.imaging.framing import Box, content_box
from rovervision.imaging.tiles import cut_tile
from rovervision.learning.clusters import Clusters
from rovervision.learning.encoders import Encoder, open_encoder
from rovervision.learning.weights import Weights
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.nodes import open_clusters
from rovervision.sources.frame import StoredFile

APPLIED_COLUMNS = ("path", "cluster", "cluster_name", "distance", "confidence", "embedding", "failure")


def assign_images(
    images: Mapping[str, StoredFile],
    encoder: Weights,
    clusters: Weights,
    cluster_table: pd.DataFrame,
    config: ClusteringConfig,
) -> pd.DataFrame:
    """Return a row of `APPLIED_COLUMNS` for each image of a folder, in the order of paths.

    An image's code is that of the largest square in its middle, inside black borders. A file that is no image has the
    reason in `failure` and nothing else.
    """
    opened, found = open_encoder(encoder), open_clusters(clusters)
    names = dict(zip(cluster_table["cluster"].astype(int), cluster_table["name"].astype(str), strict=True))
    rows: list[dict[str, Any]] = []
    for batch in _batches(sorted(images), config.apply.batch_size):
        squares, failures = read_squares({key: images[key] for key in batch}, tile_px_of(clusters))
        rows += [{"path": key, "failure": sentence} for key, sentence in failures.items()]
        rows += _assigned(squares, opened, found, names)
    table = pd.DataFrame(rows, columns=list(APPLIED_COLUMNS)).astype({"cluster": "Int64", "cluster_name": "string"})
    return table.sort_values("path", kind="stable", ignore_index=True)


def _batches(keys: list[str], size: int) -> Iterator[list[str]]:
    for top in range(0, len(keys), size):
        yield keys[top : top + size]


def _assigned(
    squares: dict[str, np.ndarray], encoder: Encoder, clusters: Clusters, names: dict[int, str]
) -> list[dict[str, Any]]:
    if not squares:
        return []
    codes = encoder.embed(np.stack(list(squares.values())))
    labels, distances = clusters.assign(codes)
    clear = clusters.confidence(codes)
    return [
        {
            "path": key,
            "cluster": int(label),
            "cluster_name": names.get(int(label), "no cluster"),
            "distance": float(distance),
            "confidence": float(confidence),
            "embedding": code,
        }
        for key, label, distance, confidence, code in zip(squares, labels, distances, clear, codes, strict=True)
    ]


def read_squares(images: Mapping[str, StoredFile], tile_px: int) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return key → (tile_px, tile_px, 3) uint8 of the readable images, and key → why not of the others."""
    squares, failures = dict[str, np.ndarray](), dict[str, str]()
    for key, file in images.items():
        try:
            squares[key] = middle_square(file.read(), tile_px)
        except RovervisionError as error:
            failures[key] = str(error)
    return squares, failures


def middle_square(data: bytes, tile_px: int) -> np.ndarray:
    """Return the largest square in the middle of an image's picture, as a tile. (tile_px, tile_px, 3) uint8.

    Raises RovervisionError where the bytes are no image, or a strip.
    """
    image = to_uint8(decode_image(data))
    picture = content_box(image)
    boxes = boxes_for(picture.height_px, picture.width_px, CuttingConfig(how="whole"), "")
    if not boxes:
        raise RovervisionError("the image is a strip, or nothing but a black border")
    left, top, side = boxes[0]
    return cut_tile(image, Box(picture.left_px + left, picture.top_px + top, side), tile_px)


def tile_px_of(clusters: Weights) -> int:
    """Return the side of the tiles that the clusters were found in."""
    return int(clusters.header["tile_px"])
