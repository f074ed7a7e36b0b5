"""Which tiles colorization learns from, watches and scores, how often each is seen, and how to know them again."""

import hashlib

import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.learning.colorizer import FOLDS
from rovervision.learning.tile_choice import camera_names, color_rows, hash_tiles, split_monitor
from rovervision.pipelines.colorization.config import ColorizationConfig, SamplingConfig, ScoringConfig

__all__ = [
    "camera_names", "color_rows", "fingerprint", "group_folds", "sampling_weights", "scored_rows",
    "split_monitor", "view_weights", "with_clusters",
]  # fmt: skip


def scored_rows(index: pd.DataFrame, config: ScoringConfig) -> np.ndarray:
    """Return the rows of the tiles to score. Raises RovervisionError where the split has none."""
    rows = color_rows(index, config.split)
    if len(rows) == 0:
        held = ", ".join(f"{name} {n}" for name, n in index.loc[index["is_color"], "split"].value_counts().items())
        raise RovervisionError(
            f"The split '{config.split}' has no colour tile to score on (colour tiles: {held or 'none'}). "
            "Set colorization.scoring.split to a split that has some, or ingest more frames."
        )
    if config.tiles_max is None or len(rows) <= config.tiles_max:
        return rows
    return rows[np.linspace(0, len(rows) - 1, config.tiles_max).round().astype(int)]


def with_clusters(tiles: TileStore, tile_clusters: pd.DataFrame | None, config: SamplingConfig) -> TileStore:
    """Return the tiles with their clusters as one more column of the index, where these are to be balanced.

    Raises RovervisionError where there are none, or they are of other tiles.
    """
    if "cluster" not in config.balance:
        return tiles
    if tile_clusters is None or tile_clusters.empty:
        raise RovervisionError(
            "colorization.sampling.balance names cluster, and no clusters have been found yet. Find them first: "
            "kedro run --pipelines clustering"
        )
    found = tile_clusters.set_index("tile_id")["cluster"].reindex(tiles.index["tile_id"])
    if found.isna().any():
        raise RovervisionError(
            f"{int(found.isna().sum())} of {len(tiles)} tiles have no cluster: curation has run since. Cluster again: "
            "kedro run --pipelines clustering"
        )
    return TileStore(tiles.pixels, tiles.regions, tiles.index.assign(cluster=found.to_numpy(np.int64)))


def sampling_weights(index: pd.DataFrame, config: SamplingConfig) -> np.ndarray:
    """Return how often each tile is to be drawn, up to a factor. (N,) float64, positive.

    Curation's weight makes each distinct view count once. Rover images are mostly soil; drawn as they come, they teach
    that hardware is soil too, so a stratum counts by its size to the power of 1 - balance_power.
    """
    weights = view_weights(index, config)
    if not config.balance:
        return weights
    sizes = index.assign(weight=weights).groupby(list(config.balance), dropna=False)["weight"].transform("sum")
    return weights * sizes.to_numpy(np.float64) ** -config.balance_power


def view_weights(index: pd.DataFrame, config: SamplingConfig) -> np.ndarray:
    """Return what each tile counts before strata are balanced. (N,) float64, positive."""
    if config.weights == "alike":
        return np.ones(len(index))
    column = {"distinct": "weight", "balanced": "sampling_weight"}[config.weights]
    if column not in index:
        raise RovervisionError(
            f"These tiles have no column {column}, which colorization.sampling.weights={config.weights} asks for. "
            "Curate them again, or set colorization.sampling.weights=distinct."
        )
    return index[column].to_numpy(np.float64)


def group_folds(index: pd.DataFrame) -> np.ndarray:
    """Return a fold for each tile, by a hash of its group's name, other than that of `split_monitor`. (N,) int64."""
    groups = index["group"].astype(str)
    folds = {group: int(hashlib.sha256(f"fold {group}".encode()).hexdigest()[:8], 16) % FOLDS for group in set(groups)}
    return groups.map(folds).to_numpy(np.int64)


CODE_VERSION = 2
"""Counted up when the same parameters and tiles would train to other weights, so that no old checkpoint is taken for
one of the present code."""


def fingerprint(config: ColorizationConfig, seed: int, tiles: TileStore) -> str:
    """Return a hash of all that decides what a training ends with: parameters, seed, and the training tiles."""
    config = config.followed()
    own = config.model.model_dump(mode="json", include={"kind", config.model.kind})
    others = [part.model_dump_json() for part in (config.augmentation, config.sampling)]
    told = f"{own}{[config.training.what_counts(), *others]}{seed} {CODE_VERSION}".encode()
    rows = color_rows(tiles.index, "train")
    known = ["tile_id", "group", "rover", "camera", "label", "sol", "weight"]
    columns = known + (["cluster"] if "cluster" in tiles.index else [])
    return hash_tiles(told + view_weights(tiles.index.iloc[rows], config.sampling).tobytes(), tiles, rows, columns)
