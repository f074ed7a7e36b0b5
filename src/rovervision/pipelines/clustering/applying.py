"""Clusters for new images: which one each belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
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
from rovervision.learning.model_use import ModelAtHand, ModelUse, PiecedTablePlan, origin_of_use
from rovervision.learning.one_thread import on_one_thread
from rovervision.learning.weights import Weights
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.nodes import open_clusters
from rovervision.sources.frame import StoredFile

APPLIED_COLUMNS = ("path", "cluster", "cluster_name", "distance", "confidence", "embedding", "failure")
_OWN = "rovervision.pipelines.clustering"
APPLYING_CODE = ("rovervision.imaging", "rovervision.learning", f"{_OWN}.applying", f"{_OWN}.nodes")
"""Modules and packages that decide what is found of an image."""


@dataclass(frozen=True)
class Assigner:
    """All that finds the cluster of an image."""

    encoder: Encoder
    clusters: Clusters
    tile_px: int
    names: Mapping[int, str]
    """Cluster → name."""

    def rows(self, squares: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        """Return a row for each square, but for `failure`."""
        if not squares:
            return []
        codes = self.encoder.embed(np.stack(list(squares.values())))
        labels, distances = self.clusters.assign(codes)
        clear = self.clusters.confidence(codes)
        return [
            {
                "path": key,
                "cluster": int(label),
                "cluster_name": self.names.get(int(label), "no cluster"),
                "distance": float(distance),
                "confidence": float(confidence),
                "embedding": code,
            }
            for key, label, distance, confidence, code in zip(squares, labels, distances, clear, codes, strict=True)
        ]


def assign_images(
    images: Mapping[str, StoredFile],
    encoder: Weights,
    clusters: Weights,
    cluster_table: pd.DataFrame,
    config: ClusteringConfig,
) -> PiecedTablePlan:
    """Promise a row of `APPLIED_COLUMNS` for each image of a folder, in the order of paths: Parquet, piece by piece.

    An image's code is that of the largest square in its middle, inside black borders. A file that is no image has the
    reason in `failure` and nothing else. The workers of `apply.workers` make the pieces.
    """
    names = dict(zip(cluster_table["cluster"].astype(int), cluster_table["name"].astype(str), strict=True))
    model = ModelAtHand({"encoder": encoder, "clusters": clusters}, partial(_open, names=names))
    told = f"{model.digest()} {sorted(names.items())}"

    def use(keys: Sequence[str]) -> ModelUse:
        files = {key: images[key] for key in keys}
        return ModelUse(partial(_piece, files), model, origin_of_use(f"{told} {keys}", *files.values()))

    def alone(piece: str) -> dict[str, ModelUse]:
        return {f"{PurePath(piece).stem}_{number:06d}.parquet": use([key]) for number, key in enumerate(pieces[piece])}

    def failed(row: str, sentence: str) -> bytes:
        piece, number = PurePath(row).stem.split("_")
        return _to_parquet([{"path": pieces[f"{piece}.parquet"][int(number)], "failure": sentence}])

    pieces = {f"{number:06d}.parquet": keys for number, keys in enumerate(_batches(images, config.apply.batch_size))}
    uses = {name: use(keys) for name, keys in pieces.items()}
    workers = config.apply.workers
    return PiecedTablePlan(uses, model=model, workers=workers, code=APPLYING_CODE, alone=alone, failed=failed)


def _open(weights: Mapping[str, Weights], names: Mapping[int, str]) -> Assigner:
    clusters = weights["clusters"]
    return Assigner(open_encoder(weights["encoder"]), open_clusters(clusters), tile_px_of(clusters), names)


def _batches(images: Mapping[str, StoredFile], size: int) -> list[list[str]]:
    """Return the keys in their order, some at a time; one batch of none where there is no image."""
    keys = sorted(images)
    return [keys[top : top + size] for top in range(0, max(len(keys), 1), size)]


def _piece(images: Mapping[str, StoredFile], assigner: Assigner) -> bytes:
    squares, failures = read_squares(images, assigner.tile_px)
    with on_one_thread():
        rows = assigner.rows(squares)
    return _to_parquet(rows + [{"path": key, "failure": sentence} for key, sentence in failures.items()])


def _to_parquet(rows: list[dict[str, Any]]) -> bytes:
    types = {"cluster": "Int64", "cluster_name": "string", "distance": "float64", "confidence": "float64"}
    table = pd.DataFrame([dict.fromkeys(APPLIED_COLUMNS) | row for row in rows], columns=list(APPLIED_COLUMNS))
    body: bytes = table.astype(types).sort_values("path", kind="stable").to_parquet(index=False)
    return body


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
