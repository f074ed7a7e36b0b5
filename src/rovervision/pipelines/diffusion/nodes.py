"""The steps of diffusion: training, what is needed to use the denoiser, and its loss by noise level."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch

from rovervision.imaging.tiles import TileStore
from rovervision.learning.ddpm import DdpmDenoiser, noise_to_signal
from rovervision.learning.denoiser import CHANGES, Denoiser
from rovervision.learning.denoiser_batches import NoisyBatches
from rovervision.learning.exported_denoiser import build_denoiser, count_parameters, open_denoiser
from rovervision.learning.tile_choice import describe_tiles
from rovervision.learning.training import Batch, Metrics, fit, open_fabric, seeded
from rovervision.learning.weights import Weights
from rovervision.pipelines.diffusion.config import DiffusionConfig
from rovervision.pipelines.diffusion.selecting import (
    RealTiles,
    chosen_tiles,
    count_pairs,
    find_conditions,
    fingerprint,
    trained_rows,
)

_WATCHED = 64
"""Held-out tiles are watched at so many noise levels at least: few tiles, at several each."""


def train_denoiser(
    tiles: TileStore,
    tile_clusters: pd.DataFrame,
    config: DiffusionConfig,
    seed: int,
    device: str,
    saved: Weights | None,
) -> Iterator[tuple[Weights, Metrics]]:
    """Train on the training split; yield a checkpoint and the new metrics after every epoch.

    A share of its groups (whole groups, by hash) is held out: the epoch whose averaged weights are best there is kept.
    `tile_clusters` is only looked at where clusters are the classes, and may be empty elsewhere.
    """
    config = config.followed()
    train, held_out = (chosen_tiles(tiles, rows, config.denoiser.tile_px) for rows in trained_rows(tiles.index, config))
    together = pd.concat([train.index, held_out.index], ignore_index=True)
    conditions, numbers = find_conditions(together, config.condition, tile_clusters)
    recipe = fingerprint(config, seed, train, held_out, numbers)
    resume = saved if saved is not None and config.resume and saved.header.get("recipe") == recipe else None
    with seeded(seed):
        model = build_denoiser(config.denoiser, conditions)
    header = {
        "recipe": recipe,
        "denoiser": config.denoiser.model_dump(mode="json"),
        "conditions": conditions.to_json(),
        "pairs": count_pairs(numbers[: len(train.index)]),
        "parameters": count_parameters(model),
        "trained_on": describe_tiles(train.index) | {"tiles_held_out": len(held_out.index)},
    }
    batches, watched = training_batches(model, config, train, held_out, numbers, seed)
    fabric = open_fabric(device, config.training.precision, together=True)
    for checkpoint, metrics in fit(model, loss_of, batches, watched, config.training, fabric, seed, resume):
        yield Weights(checkpoint.tensors, checkpoint.header | header), metrics


def training_batches(
    model: Denoiser, config: DiffusionConfig, train: RealTiles, held_out: RealTiles, numbers: np.ndarray, seed: int
) -> tuple[NoisyBatches, NoisyBatches]:
    """Return the batches to train on and those to watch."""
    training, count = config.training, len(train.pixels)
    batches = NoisyBatches(
        train.pixels, numbers[:count], training.batch_size, model, config.changes, seed, training.epoch_tiles
    )
    times = math.ceil(_WATCHED / len(held_out.pixels))
    repeated = np.repeat(held_out.pixels, times, axis=0), np.repeat(numbers[count:], times, axis=0)
    return batches, NoisyBatches(*repeated, 2 * training.batch_size, model, None, seed)


def loss_of(model: Denoiser, batch: Batch) -> torch.Tensor:
    """Return the denoiser's own loss of a batch."""
    return model.loss(*batch)


def finish_denoiser(checkpoint: Weights) -> Weights:
    """Return the best averaged weights alone, with all that is needed to use them."""
    kept = ("recipe", "denoiser", "conditions", "pairs", "parameters", "trained_on", "best_epoch", "best_loss")
    header = {key: checkpoint.header[key] for key in kept}
    return Weights(checkpoint.group("best"), header | {"epochs": checkpoint.header["epoch"]})


def measure_losses(
    tiles: TileStore, denoiser: Weights, config: DiffusionConfig, seed: int, device: str
) -> pd.DataFrame:
    """Return the loss at each noise level on tiles that were trained on and on held-out ones: sigma, part, loss.

    Camera and class are not told. Where the held-out loss leaves the other, tiles begin to be known by heart.
    """
    place = open_fabric(device, "32-true").device
    model = open_denoiser(denoiser, place)
    levels = model.level_at((np.arange(config.figures.levels) + 0.5) / config.figures.levels)
    rows = []
    for part, chosen in zip(("training", "held out"), trained_rows(tiles.index, config), strict=True):
        some = chosen[np.linspace(0, len(chosen) - 1, min(len(chosen), config.figures.loss_tiles)).astype(int)]
        pixels = chosen_tiles(tiles, some, model.tile_px).pixels
        rows += [
            {"sigma": sigma_of(model, level), "part": part, "loss": loss_at(model, pixels, level, seed, place)}
            for level in levels
        ]
    return pd.DataFrame(rows)


def sigma_of(model: Denoiser, level: float) -> float:
    """Return a noise level as the standard deviation of noise on an image whose pixels are in -1..1."""
    return float(noise_to_signal(torch.tensor([level]))[0]) if isinstance(model, DdpmDenoiser) else float(level)


@torch.no_grad()
def loss_at(model: Denoiser, pixels: np.ndarray, level: float, seed: int, device: torch.device) -> float:
    """Return the mean loss of tiles (N, P, P, 3) at one noise level; the seed decides the noise."""
    losses, source = [], torch.Generator().manual_seed(seed)
    for top in range(0, len(pixels), 64):
        clean = torch.from_numpy(pixels[top : top + 64]).permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1
        noise = torch.randn(clean.shape, generator=source)
        given = (clean, torch.full((len(clean),), float(level)), noise, torch.zeros(len(clean), 2 + CHANGES))
        losses += model.losses(*(each.to(device) for each in given)).tolist()
    return float(np.mean(losses))
