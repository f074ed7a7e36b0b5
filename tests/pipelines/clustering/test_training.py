"""Training an encoder: it learns, repeats itself, goes on where it was cut off, and says what is wrong."""

import numpy as np
import pytest
import torch
from torchvision.models import resnet18

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.learning.encoders import KINDS, is_trained, open_encoder
from rovervision.learning.training import seeded
from rovervision.learning.weights import Weights, read_weights, write_weights
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.training import (
    chosen_rows,
    finish_encoder,
    sampled_sequences,
    train_encoder,
)
from tests.pipelines.clustering.scenes import scene_tiles

TILES = scene_tiles()
TRAINED = [kind for kind in KINDS if is_trained(kind) and kind != "vgg_autoencoder"]


def config(kind: str = "contrastive", epochs: int = 2, **options) -> ClusteringConfig:
    encoder = {"kind": kind, "contrastive": {"input_px": 16}, "autoencoder": {"input_px": 16}, **options}
    return ClusteringConfig.model_validate(
        {"encoder": encoder, "training": {"epochs": epochs, "batch_size": 16, "learning_rate": 2e-3}}
    )


def run(asked: ClusteringConfig, saved: Weights | None = None, tiles: TileStore = TILES, seed: int = 0) -> list:
    return list(train_encoder(tiles, asked, seed, "cpu", saved))


def assert_same(one: Weights, two: Weights) -> None:
    assert one.header == two.header
    assert one.tensors.keys() == two.tensors.keys()
    for name, tensor in one.tensors.items():
        assert torch.equal(tensor, two.tensors[name]), name


@pytest.mark.parametrize("kind", TRAINED)
def test_resumed_at_any_epoch_it_ends_like_the_straight_run(tmp_path, kind):
    straight = run(config(kind))
    for cut in range(3):
        write_weights(tmp_path / "checkpoint.safetensors", straight[cut][0])
        resumed = run(config(kind), read_weights(tmp_path / "checkpoint.safetensors"))
        assert len(resumed) == 3 - cut
        assert_same(resumed[-1][0], straight[-1][0])


def test_other_parameters_tiles_or_seeds_start_anew():
    saved = run(config(epochs=1))[-1][0]
    other = TileStore(TILES.pixels[::-1], TILES.regions, TILES.index)
    assert len(run(config(epochs=1), saved)) == 1
    assert len(run(config(epochs=1, pretrained={"name": "resnet18", "input_px": 64}), saved)) == 1
    assert len(run(config(epochs=1, handcrafted={"cells": 2}), saved)) == 2
    assert len(run(config(epochs=1, fuse_with=None), saved)) == 2
    assert len(run(config(epochs=1), saved, other)) == 2
    assert len(run(config(epochs=1), saved, seed=1)) == 2
    assert len(run(config(epochs=1).model_copy(update={"resume": False}), saved)) == 2


@pytest.mark.parametrize("kind", TRAINED)
def test_the_loss_falls(kind):
    history = run(config(kind, epochs=6))[-1][0].header["history"]
    losses = [point["value"] for point in history["monitor_loss"]]
    assert [point["step"] for point in history["train_loss"]] == list(range(1, 7))
    assert losses[-1] < 0.97 * losses[0]


def test_what_it_learnt_tells_scenes_apart_across_sols():
    weights = finish_encoder(run(config(epochs=8))[-1][0], config(epochs=8))
    codes = open_encoder(weights).embed(TILES.pixels)
    codes = codes - codes.mean(axis=0)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    sol, label = TILES.index["sol"].to_numpy(), TILES.index["label"].to_numpy()
    likeness = np.where(sol[:, None] == sol[None], -2, codes @ codes.T)
    assert (label[likeness.argmax(axis=1)] == label).mean() > 0.95


@pytest.mark.parametrize("kind", ["pixels", "handcrafted", "random"])
def test_kinds_that_do_not_train_yield_once(kind):
    asked = config(kind, pixels={"side_px": 8})
    ((checkpoint, metrics),) = run(asked)
    assert metrics == {}
    encoder = open_encoder(finish_encoder(checkpoint, asked))
    assert encoder.embed(TILES.pixels[:3]).shape == (3, encoder.dim)
    assert_same(checkpoint, run(asked)[0][0])


def test_what_is_kept_is_enough_and_no_more(tmp_path):
    checkpoint = run(config())[-1][0]
    weights = finish_encoder(checkpoint, config())
    assert {name.partition(".")[0] for name in weights.tensors} == {"network", "metric"}
    assert weights.header["trained_on"]["splits"] == ["test", "train", "val"]
    write_weights(tmp_path / "encoder.safetensors", weights)
    one, two = (open_encoder(each) for each in (weights, read_weights(tmp_path / "encoder.safetensors")))
    np.testing.assert_array_equal(one.embed(TILES.pixels[:4]), two.embed(TILES.pixels[:4]))


def test_the_metric_is_that_of_the_weights_that_are_kept():
    encoder = open_encoder(finish_encoder(run(config())[-1][0], config()))
    for part, mean in zip(encoder.parts(TILES.pixels), encoder.metric.means, strict=True):
        np.testing.assert_allclose(part.mean(axis=0), mean, atol=1e-5)


def test_a_training_that_has_not_ended_is_not_finished():
    with pytest.raises(RovervisionError, match="stopped after epoch 1 of 2"):
        finish_encoder(run(config())[1][0], config())


def test_only_the_named_splits_are_learnt_from():
    asked = config(epochs=1, splits=["train"])
    changed = TILES.pixels.copy()
    changed[TILES.index["split"] != "train"] = 0
    other = TileStore(changed, TILES.regions, TILES.index)
    assert_same(run(asked)[-1][0], run(asked, tiles=other)[-1][0])


def test_watched_groups_are_not_trained_on():
    rows, watched = chosen_rows(TILES, config(monitor_frac=0.3).encoder)
    groups = TILES.index["group"].to_numpy()
    assert set(groups[rows]).isdisjoint(groups[watched])
    assert len(rows) + len(watched) == len(TILES)


def test_a_pretrained_network_asks_for_weights_and_keeps_them():
    with seeded(3):
        known = resnet18(weights=None).state_dict()
    asked = config("pretrained", pretrained={"name": "resnet18", "input_px": 32})
    ((checkpoint, _),) = train_encoder(TILES, asked, 0, "cpu", None, {"resnet18": known}.__getitem__)
    assert torch.equal(finish_encoder(checkpoint, asked).tensors["network.net.conv1.weight"], known["conv1.weight"])
    with pytest.raises(RovervisionError, match="resnet18 was asked for"):
        run(asked)


@pytest.mark.parametrize("kind", ["contrastive", "handcrafted", "autoencoder"])
def test_one_image_or_the_same_image_is_a_sentence(kind):
    with pytest.raises(RovervisionError, match="learns by comparing tiles"):
        run(config(kind), tiles=TILES.select([5]))
    with pytest.raises(RovervisionError, match="the same image"):
        run(config(kind), tiles=TileStore(TILES.pixels[[5] * 128], TILES.regions, TILES.index))


def test_two_tiles_are_enough():
    ((_, _), (checkpoint, _)) = run(config(epochs=1), tiles=TILES.select([0, 9]))
    codes = open_encoder(finish_encoder(checkpoint, config(epochs=1))).embed(TILES.pixels[:5])
    assert np.isfinite(codes).all()


def test_no_argument_is_changed():
    before = TILES.pixels.copy(), TILES.index.copy()
    run(config(epochs=1))
    np.testing.assert_array_equal(TILES.pixels, before[0])
    assert TILES.index.equals(before[1])


def test_sampled_are_whole_sequences():
    sequences, rows = np.arange(100) // 5, np.arange(0, 90)
    some = sampled_sequences(sequences, rows, 30, 0)
    assert len(some) == 30
    assert np.isin(rows[np.isin(sequences[rows], sequences[some])], some).all()
    np.testing.assert_array_equal(sampled_sequences(sequences, rows, 90, 0), rows)
