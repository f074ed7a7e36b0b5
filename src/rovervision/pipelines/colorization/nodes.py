"""The steps of colorization: what is known without a network, training, and what is needed to use it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch

from rovervision.errors import RovervisionError
from rovervision.imaging.color_bins import ColorBins, count_color_bins
from rovervision.imaging.color_priors import ColorPriors
from rovervision.imaging.color_priors import fit_color_priors as fit_priors
from rovervision.imaging.tiles import TileStore
from rovervision.learning.batches import Augmentation, ColorBatches
from rovervision.learning.colorizers import Colorizer, build_colorizer, number_cameras, stack_tables
from rovervision.learning.pretrained import EncoderWeights, no_encoder_weights
from rovervision.learning.tile_choice import describe_tiles
from rovervision.learning.training import Batch, Metrics, fit, open_fabric, seeded
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.pipelines.colorization.selecting import (
    camera_names,
    color_rows,
    fingerprint,
    group_folds,
    sampling_weights,
    scored_rows,
    split_monitor,
    with_clusters,
)


def fit_color_priors(
    tiles: TileStore, config: ColorizationConfig, tile_clusters: pd.DataFrame | None = None
) -> dict[str, dict[str, object]]:
    """Average the colours of the training tiles: as a whole, at each lightness, and at each lightness by camera.

    `as_they_come` counts every tile once and serves the baselines. `balanced` and `usual` are for the colorizer and
    leave the watched groups out: the one counts rare strata more, as training does, and is what the colorizer starts
    from; the other counts every tile once, so it is mostly soil, and is the colour of dust. `bins` are the colours that
    occur, counted as `balanced` is. Clusters of the tiles are asked for only where `sampling.balance` names them.
    """
    config = config.followed()
    tiles = with_clusters(tiles, tile_clusters, config.sampling)
    scored_rows(tiles.index, config.scoring)  # a split without colour is better told now than after the training
    rows, cameras = color_rows(tiles.index, "train"), camera_names(tiles.index)
    learnt, _ = split_monitor(tiles.index, config.sampling.monitor_frac)
    weights = sampling_weights(tiles.index.iloc[learnt], config.sampling)

    def average(rows: np.ndarray, weights: np.ndarray) -> dict[str, object]:
        counted = zip(rows, weights, strict=True)
        return fit_priors((cameras[row], tiles.pixels[row], float(weight)) for row, weight in counted).to_json()

    return {
        "as_they_come": average(rows, np.ones(len(rows))),
        "usual": average(learnt, np.ones(len(learnt))),
        "balanced": average(learnt, weights),
        "bins": count_color_bins((tiles.pixels[row], w) for row, w in zip(learnt, weights, strict=True)).to_json(),
    }


def train_colorizer(
    tiles: TileStore,
    color_priors: dict[str, dict[str, object]],
    config: ColorizationConfig,
    seed: int,
    device: str,
    saved: Weights | None,
    encoder_weights: EncoderWeights = no_encoder_weights,
    tile_clusters: pd.DataFrame | None = None,
) -> Iterator[tuple[Weights, Metrics]]:
    """Train on the training split; yield a checkpoint and the new metrics after every epoch.

    A share of the training groups (whole groups, by hash) is not trained on: the epoch that is best there is kept.
    Weights of a pretrained encoder are asked for only where the model wants one, and no checkpoint is resumed.
    """
    config = config.followed()
    tiles = with_clusters(tiles, tile_clusters, config.sampling)
    model, known = start_colorizer(color_priors, config, seed)
    batches, watched, about = training_batches(tiles, color_priors, config, seed, known, model.stride_px)
    recipe = fingerprint(config, seed, tiles)
    resume = saved if saved is not None and config.resume and saved.header.get("recipe") == recipe else None
    if resume is None:
        model.take_encoder(encoder_weights)
    header = {
        "recipe": recipe,
        "model": config.model.model_dump(mode="json"),
        "cameras": known,
        "tile_px": tiles.tile_px,
        "trained_on": about,
    }
    fabric = open_fabric(device, config.training.precision, together=True)
    for checkpoint, metrics in fit(model, teach_or_judge, batches, watched, config.training, fabric, seed, resume):
        yield Weights(checkpoint.tensors, checkpoint.header | header), metrics


def start_colorizer(
    color_priors: dict[str, dict[str, object]], config: ColorizationConfig, seed: int
) -> tuple[Colorizer, tuple[str, ...]]:
    """Return an untrained colorizer, and the cameras that it knows."""
    share = config.model.residual.camera_share
    tables, known = stack_tables(ColorPriors.from_json(color_priors["balanced"]), share)
    with seeded(seed):
        return build_colorizer(tables, config.model, ColorBins.from_json(color_priors["bins"])), known


def training_batches(
    tiles: TileStore,
    color_priors: dict[str, dict[str, object]],
    config: ColorizationConfig,
    seed: int,
    known: tuple[str, ...],
    stride_px: int,
) -> tuple[ColorBatches, ColorBatches, dict[str, Any]]:
    """Return the batches to train on, those to watch, and what the model card says of them.

    Raises RovervisionError where there are too few tiles for a batch.
    """
    train, monitor = split_monitor(tiles.index, config.sampling.monitor_frac)
    batch_size = config.training.batch_size
    if len(train) < batch_size:
        raise RovervisionError(
            f"The training split has {len(train)} colour tiles, fewer than one batch of {batch_size}. "
            "Ingest more frames, or lower colorization.training.batch_size."
        )
    weights = sampling_weights(tiles.index.iloc[train], config.sampling)
    cameras = number_cameras(camera_names(tiles.index), known).numpy()
    augmentation = Augmentation(config.augmentation, ColorPriors.from_json(color_priors["usual"]).lookup)
    batches = ColorBatches(
        tiles.pixels, cameras, train, batch_size, augmentation, seed, weights, stride_px,
        config.training.epoch_tiles, group_folds(tiles.index),
    )  # fmt: skip
    watched = ColorBatches(tiles.pixels, cameras, monitor, 2 * batch_size, None, seed, stride_px=stride_px)
    return batches, watched, describe_tiles(tiles.index.iloc[train]) | {"tiles_watched": len(monitor)}


def teach_or_judge(model: Colorizer, batch: Batch) -> torch.Tensor:
    """Return the kind's own loss while it trains, and the perceived error, alike for all kinds, when it is judged."""
    return model.loss(*batch) if model.training else model.error(*batch)


def finish_colorizer(checkpoint: Weights, config: ColorizationConfig) -> Weights:
    """Return the best averaged weights alone, with all that is needed to use them."""
    about = {
        "recipe_name": config.recipe,
        "epochs": checkpoint.header["epoch"],
        "work_px": config.apply.work_px(checkpoint),
        "input": "CIE L, 0..100",
    }
    header = {
        key: checkpoint.header[key]
        for key in ("recipe", "model", "cameras", "tile_px", "trained_on", "best_epoch", "best_loss")
    }
    return Weights(checkpoint.group("best"), header | about)
