"""Training of the encoder: which tiles it learns from, how, and what is kept to use it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.learning.autoencoders import VggAutoencoder
from rovervision.learning.code_metric import CodeMetric, fit_metric
from rovervision.learning.contrastive_batches import PairBatches, TileBatches
from rovervision.learning.encoders import (
    EncoderConfig,
    OpenEncoder,
    build_network,
    has_network,
    input_side_px,
    is_trained,
)
from rovervision.learning.positive_pairs import find_companions
from rovervision.learning.pretrained import EncoderWeights, no_encoder_weights
from rovervision.learning.pretrained_encoders import PretrainedNetwork
from rovervision.learning.tile_choice import describe_tiles, hash_tiles
from rovervision.learning.training import Batch, Metrics, fit, open_fabric, seeded
from rovervision.learning.watched_groups import watched_groups
from rovervision.learning.weights import Weights
from rovervision.pipelines.clustering.config import ClusteringConfig

CODE_VERSION = 1
"""Counted up when the same parameters and tiles would train to other weights."""
METRIC_TILES = 20_000
"""The metric is fitted to at most so many tiles."""


def train_encoder(
    tiles: TileStore,
    config: ClusteringConfig,
    seed: int,
    device: str,
    saved: Weights | None = None,
    encoder_weights: EncoderWeights = no_encoder_weights,
) -> Iterator[tuple[Weights, Metrics]]:
    """Train without labels; yield checkpoint and new metrics after every epoch. Kinds that do not train yield once.

    A share of the groups (whole groups, by hash) is not trained on but watched. The last checkpoint also holds the
    metric of the codes. Weights that others trained are asked for only where the kind wants some.

    Raises RovervisionError where there are fewer than two different tiles.
    """
    rows, watched = chosen_rows(tiles, config.encoder)
    recipe = fingerprint(tiles, config, seed)
    header = {
        "recipe": recipe,
        "encoder": config.encoder.model_dump(mode="json"),
        "tile_px": tiles.tile_px,
        "trained_on": describe_tiles(tiles.index.iloc[rows])
        | {"tiles_watched": len(watched), "splits": sorted(set(tiles.index["split"].astype(str).iloc[rows]))},
    }
    if not is_trained(config.encoder.kind):
        network = start_network(config.encoder, seed, encoder_weights)
        known = {} if network is None else {f"best.{name}": t for name, t in network.state_dict().items()}
        metric = learn_metric(tiles, config.encoder, network, np.union1d(rows, watched), seed, device)
        yield Weights(known | metric.tensors(), header | {"epoch": 0, "best_epoch": 0}), {}
        return
    resume = saved if saved is not None and config.resume and saved.header.get("recipe") == recipe else None
    network = start_network(config.encoder, seed, no_encoder_weights if resume else encoder_weights, resume is None)
    assert network is not None
    batches, monitor = training_batches(tiles, config, input_side_px(config.encoder, network), rows, watched, seed)
    fabric = open_fabric(device, config.training.precision, together=True)
    own_device = device if fabric.world_size == 1 else str(fabric.device)
    for checkpoint, metrics in fit(network, loss_of, batches, monitor, config.training, fabric, seed, resume):
        tensors = checkpoint.tensors
        if checkpoint.header["epoch"] == config.training.epochs:
            best = start_network(config.encoder, seed, no_encoder_weights, False)
            assert best is not None
            best.load_state_dict(checkpoint.group("best"))
            metric = learn_metric(tiles, config.encoder, best, np.union1d(rows, watched), seed, own_device)
            tensors = tensors | metric.tensors()
        yield Weights(tensors, checkpoint.header | header), metrics


def finish_encoder(checkpoint: Weights, config: ClusteringConfig) -> Weights:
    """Return the best averaged weights alone, with the metric and all that is needed to use them.

    Raises RovervisionError where the training has not come to its end.
    """
    kind = checkpoint.header["encoder"]["kind"]
    if is_trained(kind) and checkpoint.header["epoch"] < config.training.epochs:
        raise RovervisionError(
            f"The training of the encoder stopped after epoch {checkpoint.header['epoch']} of "
            f"{config.training.epochs}. Give the same command again: it goes on from there."
        )
    kept = ("recipe", "encoder", "tile_px", "trained_on", "epoch", "best_epoch", "best_loss")
    tensors = {f"network.{name}": tensor for name, tensor in checkpoint.group("best").items()}
    tensors |= {f"metric.{name}": tensor for name, tensor in checkpoint.group("metric").items()}
    return Weights(tensors, {key: checkpoint.header[key] for key in kept if key in checkpoint.header})


def loss_of(network: Any, batch: Batch) -> torch.Tensor:
    """Return the network's own loss of a batch."""
    return network.loss(*batch)


def start_network(
    config: EncoderConfig, seed: int, encoder_weights: EncoderWeights, with_weights: bool = True
) -> nn.Module | None:
    """Return the kind's network, before training; None where it has none."""
    if not has_network(config.kind):
        return None
    with seeded(seed):
        network = build_network(config)
    if with_weights and isinstance(network, PretrainedNetwork):
        network.take_weights(encoder_weights)
    if with_weights and isinstance(network, VggAutoencoder) and config.autoencoder.imagenet:
        network.take(encoder_weights("vgg16_bn"))
    return network


def chosen_rows(tiles: TileStore, config: EncoderConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on and those to watch. One group alone serves for both.

    Raises RovervisionError where there are fewer than two different tiles.
    """
    rows = np.flatnonzero(tiles.index["split"].astype(str).isin(config.splits))
    if len(rows) < 2:
        raise RovervisionError(
            f"An encoder learns by comparing tiles, and the splits {', '.join(config.splits)} have {len(rows)}. "
            "Ingest more frames, or name more splits in clustering.encoder.splits."
        )
    first = np.asarray(tiles.pixels[rows[0]])
    if all(np.array_equal(tiles.pixels[row], first) for row in rows[1:]):
        raise RovervisionError(
            f"All {len(rows)} tiles are the same image, so there is nothing to tell apart. Ingest other frames."
        )
    watched = watched_groups(tiles.index["group"].astype(str).iloc[rows].tolist(), config.monitor_frac)
    if not watched.any() or min(watched.sum(), (~watched).sum()) < 2:
        return rows, rows
    return rows[~watched], rows[watched]


def training_batches(
    tiles: TileStore, config: ClusteringConfig, input_px: int, rows: np.ndarray, watched: np.ndarray, seed: int
) -> tuple[TileBatches, TileBatches]:
    """Return the batches to train on and those to watch: pairs of views, or single images for autoencoders."""
    length, size = config.training.epoch_tiles, config.training.batch_size
    is_paired = config.encoder.kind == "contrastive"
    companions = find_companions(tiles.index, config.encoder.pairing) if is_paired else None

    def batches(chosen: np.ndarray, fixed: bool) -> TileBatches:
        shared = (tiles.pixels, chosen, size, input_px, config.augmentation, seed)
        if companions is None:
            return TileBatches(*shared, epoch_tiles=length, fixed=fixed)
        return PairBatches(*shared, companions, config.encoder.pairing.share, epoch_tiles=length, fixed=fixed)

    return batches(rows, False), batches(watched, True)


def learn_metric(
    tiles: TileStore, config: EncoderConfig, network: nn.Module | None, rows: np.ndarray, seed: int, device: str
) -> CodeMetric:
    """Return the metric of the encoder's codes, fitted to tiles of these rows and pairs of companions among them."""
    if config.metric.kind == "plain" and config.fuse_with is None:
        return fit_metric([np.empty((0, 1), np.float32)], np.empty((0, 2), np.int64), (1.0,), config.metric)
    companions = find_companions(tiles.index, config.pairing)
    some = sampled_sequences(companions.sequences, rows, METRIC_TILES, seed)
    encoder = OpenEncoder(config, network, CodeMetric((), (1.0,), None), open_fabric(device, "32-true").device)
    pieces = [encoder.parts(np.asarray(tiles.pixels[some[top : top + 256]])) for top in range(0, len(some), 256)]
    parts = [np.concatenate(codes) for codes in zip(*pieces, strict=True)]
    place = np.full(len(tiles), -1)
    place[some] = np.arange(len(some))
    return fit_metric(parts, place[companions.among(some).pairs()], config.shares, config.metric)


def sampled_sequences(sequences: np.ndarray, rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Return about `most` of the rows at most, in whole sequences drawn by the seed; all where there are no more."""
    if len(rows) <= most:
        return rows
    numbers, counts = np.unique(sequences[rows], return_counts=True)
    order = np.random.default_rng(seed).permutation(len(numbers))
    taken = order[: max(1, int(np.searchsorted(np.cumsum(counts[order]), most, side="right")))]
    return rows[np.isin(sequences[rows], numbers[taken])][: 2 * most]


def fingerprint(tiles: TileStore, config: ClusteringConfig, seed: int) -> str:
    """Return a hash of all that decides what a training ends with: parameters, seed, and the tiles."""
    parts = [config.training.what_counts(), config.augmentation.model_dump_json()]
    told = f"{config.encoder.what_counts()}{parts}{seed} {CODE_VERSION}".encode()
    rows = np.flatnonzero(tiles.index["split"].astype(str).isin(config.encoder.splits))
    return hash_tiles(told, tiles, rows, ["tile_id", "group", "camera", "sol", "split"])
