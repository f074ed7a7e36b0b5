"""The steps of colorization: what is known without a network, training, and what is needed to use it."""

from collections.abc import Iterator

import numpy as np
import torch

from rovervision.errors import RovervisionError
from rovervision.imaging.color_priors import ColorPriors
from rovervision.imaging.color_priors import fit_color_priors as fit_priors
from rovervision.imaging.tiles import TileStore
from rovervision.learning.batches import Augmentation, ColorBatches
from rovervision.learning.color import perceived_ab_error
from rovervision.learning.colorizers import ResidualColorizer, build_colorizer, number_cameras, stack_tables
from rovervision.learning.colorizing import colorize, lightness_of, load_colorizer
from rovervision.learning.training import Batch, Metrics, fit, open_fabric, seeded
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.pipelines.colorization.selecting import (
    camera_names,
    color_rows,
    describe_tiles,
    fingerprint,
    sampling_weights,
    scored_rows,
    split_monitor,
)


def fit_color_priors(tiles: TileStore, config: ColorizationConfig) -> dict[str, dict[str, object]]:
    """Average the colours of the training tiles: as a whole, at each lightness, and at each lightness by camera.

    `as_they_come` counts every tile once and serves the baselines. `balanced` and `usual` are for the colorizer and
    leave the watched groups out: the one counts rare strata more, as training does, and is what the colorizer starts
    from; the other counts every tile once, so it is mostly soil, and is the colour of dust.
    """
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
    }


def train_colorizer(
    tiles: TileStore,
    color_priors: dict[str, dict[str, object]],
    config: ColorizationConfig,
    seed: int,
    device: str,
    saved: Weights | None,
) -> Iterator[tuple[Weights, Metrics]]:
    """Train on the training split; yield a checkpoint and the new metrics after every epoch.

    A share of the training groups (whole groups, by hash) is not trained on: the epoch that is best there is kept.
    """
    train, monitor = split_monitor(tiles.index, config.sampling.monitor_frac)
    if len(train) < config.training.batch_size:
        raise RovervisionError(
            f"The training split has {len(train)} colour tiles, fewer than one batch of {config.training.batch_size}. "
            "Ingest more frames, or lower colorization.training.batch_size."
        )
    weights = sampling_weights(tiles.index.iloc[train], config.sampling)
    tables, known = stack_tables(ColorPriors.from_json(color_priors["balanced"]), config.model.camera_share)
    cameras = number_cameras(camera_names(tiles.index), known).numpy()
    batch_size = config.training.batch_size
    augmentation = Augmentation(config.augmentation, ColorPriors.from_json(color_priors["usual"]).lookup)
    batches = ColorBatches(tiles.pixels, cameras, train, batch_size, augmentation, seed, weights)
    watched = ColorBatches(tiles.pixels, cameras, monitor, 2 * batch_size, None, seed)
    with seeded(seed):
        model = build_colorizer(tables, config.model)
    fabric = open_fabric(device, config.training.precision)
    recipe = fingerprint(config, seed, tiles)
    resume = saved if saved is not None and config.resume and saved.header.get("recipe") == recipe else None
    header = {
        "recipe": recipe,
        "model": config.model.model_dump(mode="json"),
        "cameras": known,
        "tile_px": tiles.tile_px,
        "trained_on": describe_tiles(tiles.index, train, monitor),
    }
    for checkpoint, metrics in fit(model, perceived_loss, batches, watched, config.training, fabric, seed, resume):
        yield Weights(checkpoint.tensors, checkpoint.header | header), metrics


def perceived_loss(model: ResidualColorizer, batch: Batch) -> torch.Tensor:
    """Return the mean perceived error of coarse ab over a batch of (lightness, camera, ab)."""
    lightness, camera, true_ab = batch
    return perceived_ab_error(model.coarse(lightness, camera), true_ab).mean()


def finish_colorizer(checkpoint: Weights, config: ColorizationConfig) -> Weights:
    """Return the best averaged weights alone, with all that is needed to use them."""
    about = {
        "epochs": checkpoint.header["epoch"],
        "work_px": config.apply.work_px(checkpoint),
        "input": "CIE L, 0..100",
    }
    header = {
        key: checkpoint.header[key]
        for key in ("recipe", "model", "cameras", "tile_px", "trained_on", "best_epoch", "best_loss")
    }
    return Weights(checkpoint.group("best"), header | about)


def exemplify_colorizer(tiles: TileStore, colorizer: Weights, config: ColorizationConfig) -> dict[str, np.ndarray]:
    """Return one gray tile and its colouring, from which MLflow takes the model's signature.

    input: (1, tile_px, tile_px, 1) uint8. output: (1, tile_px, tile_px, 3) uint8.
    """
    gray = np.rint(lightness_of(np.asarray(tiles.pixels[0])) * 2.55).astype(np.uint8)
    colored = colorize(gray, load_colorizer(colorizer), config.apply.work_px(colorizer))
    return {"input": gray[None, ..., None], "output": colored[None]}
