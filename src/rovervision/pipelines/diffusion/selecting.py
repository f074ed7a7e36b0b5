"""Which tiles diffusion learns from, holds out and is compared with, what they show, and how to know them again."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.learning.denoiser import Conditions
from rovervision.learning.denoiser_batches import shrunk
from rovervision.learning.tile_choice import camera_names, color_rows, split_monitor
from rovervision.pipelines.diffusion.config import ConditionConfig, DiffusionConfig

CODE_VERSION = 1
"""Counted up when the same parameters and tiles would train to other weights, so that no old checkpoint is taken for
one of the present code."""


_BATCH_TILES = 1024
"""Tiles that are held at their full size at once."""


@dataclass(frozen=True)
class RealTiles:
    """Real tiles at the side of the generated ones."""

    pixels: NDArray[np.uint8]
    """(N, P, P, 3)."""
    index: pd.DataFrame
    """N rows of the tile index."""


def chosen_tiles(tiles: TileStore, rows: NDArray[np.int64], tile_px: int) -> RealTiles:
    """Return tiles of some rows, shrunk; no more of a memory map is read than these."""
    pixels = np.empty((len(rows), tile_px, tile_px, 3), np.uint8)
    for top in range(0, len(rows), _BATCH_TILES):
        pixels[top : top + _BATCH_TILES] = shrunk(np.asarray(tiles.pixels[rows[top : top + _BATCH_TILES]]), tile_px)
    return RealTiles(pixels, tiles.index.iloc[rows].reset_index(drop=True))


def trained_rows(index: pd.DataFrame, config: DiffusionConfig) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on and the rows held out, whole groups of colour tiles of the train split.

    Raises RovervisionError where there are fewer than a batch.
    """
    train, held_out = split_monitor(index, config.monitor_frac)
    batch_size = config.followed().training.batch_size
    if len(train) < batch_size:
        raise RovervisionError(
            f"The training split has {len(train)} colour tiles, fewer than one batch of {batch_size}. "
            "Ingest more frames, or lower diffusion.training.batch_size."
        )
    return train, held_out


def reference_rows(index: pd.DataFrame, reference: str, config: DiffusionConfig) -> NDArray[np.int64]:
    """Return the rows of the real tiles to compare with. Raises RovervisionError where there are too few."""
    rows = split_monitor(index, config.monitor_frac)[1] if reference == "held_out" else color_rows(index, reference)
    least = config.scoring.neighbours + 1
    if len(rows) < least:
        raise RovervisionError(
            f"There are {len(rows)} colour tiles to compare generated ones with ({reference}), and {least} are needed. "
            "Set diffusion.scoring.reference to held_out, val or test, whichever has more, or ingest more frames."
        )
    return rows


def class_names(index: pd.DataFrame, config: ConditionConfig, tile_clusters: pd.DataFrame) -> list[str]:
    """Return the class of each tile, empty where it has none. Raises RovervisionError where clusters are not there."""
    if config.classes == "none":
        return [""] * len(index)
    if config.classes == "cluster":
        if "cluster" not in tile_clusters:
            raise RovervisionError(
                "diffusion.condition.classes=cluster needs the clusters of the tiles. Make them first: "
                "kedro run --pipelines clustering"
            )
        clusters = tile_clusters.set_index("tile_id")["cluster"]
        found = index["tile_id"].map(clusters)
        return ["" if pd.isna(each) or each < 0 else f"cluster {int(each)}" for each in found]
    if config.classes not in index:
        return [""] * len(index)
    return ["" if pd.isna(each) else str(each) for each in index[config.classes]]


def find_conditions(
    index: pd.DataFrame, config: ConditionConfig, tile_clusters: pd.DataFrame
) -> tuple[Conditions, NDArray[np.int64]]:
    """Return the names that are frequent enough, and the numbers of camera and class of each tile, (N, 2)."""
    cameras = camera_names(index) if config.camera else [""] * len(index)
    classes = class_names(index, config, tile_clusters)
    conditions = Conditions(*(frequent(names, config.rare_tiles) for names in (cameras, classes)))
    return conditions, conditions.numbers(cameras, classes)


def frequent(names: list[str], least: int) -> tuple[str, ...]:
    """Return the names that stand at least so often, in order of the alphabet; no name is none."""
    counts = pd.Series(names, dtype=object).value_counts()
    return tuple(sorted(str(name) for name, count in counts.items() if name and count >= least))


def count_pairs(numbers: NDArray[np.int64]) -> list[list[int]]:
    """Return rows of camera number, class number and how many tiles have both."""
    pairs, counts = np.unique(numbers, axis=0, return_counts=True)
    return [[int(camera), int(class_), int(count)] for (camera, class_), count in zip(pairs, counts, strict=True)]


def fingerprint(config: DiffusionConfig, seed: int, tiles: RealTiles, held_out: RealTiles, numbers: NDArray) -> str:
    """Return a hash of all that decides what a training ends with: parameters, seed, and the tiles as they are seen."""
    config = config.followed()
    parts = [config.denoiser.model_dump_json(), config.training.what_counts(), config.changes.model_dump_json()]
    digest = hashlib.sha256(f"{parts}{seed} {CODE_VERSION}".encode())
    for each in (tiles.pixels, held_out.pixels, numbers):
        digest.update(np.ascontiguousarray(each).tobytes())
    return digest.hexdigest()[:16]
