"""Training of the denoiser: what it learns from, how it goes on, and what bad input is told."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.learning.exported_denoiser import open_denoiser
from rovervision.pipelines.diffusion import nodes, selecting
from rovervision.pipelines.diffusion.exporting import export_denoiser
from tests.pipelines.diffusion.examples import CONFIG, NO_CLUSTERS, changed, example_tiles


def train(config=CONFIG, seed=0, saved=None, tiles=None, clusters=NO_CLUSTERS):
    given = example_tiles() if tiles is None else tiles
    return [each for each, _ in nodes.train_denoiser(given, clusters, config, seed, "cpu", saved)]


def same(one, other) -> bool:
    return all(np.array_equal(tensor, other.tensors[name]) for name, tensor in one.tensors.items())


def test_it_goes_on_from_its_own_checkpoint_and_from_no_other(checkpoints):
    assert [each.header["epoch"] for each in checkpoints] == [0, 1, 2]
    resumed = train(saved=checkpoints[1])
    assert [each.header["epoch"] for each in resumed] == [1, 2]
    assert same(checkpoints[-1], resumed[-1])
    for other in (changed(training={"learning_rate": 1e-3}), changed(denoiser={"edm": {"log_mean": -1.0}})):
        assert train(other, saved=checkpoints[1])[0].header["epoch"] == 0
    assert train(seed=1, saved=checkpoints[1])[0].header["epoch"] == 0
    assert train(changed(resume=False), saved=checkpoints[1])[0].header["epoch"] == 0
    assert train(changed(sampler={"steps": 7}), saved=checkpoints[1])[0].header["epoch"] == 1


def test_nothing_is_learnt_from_other_splits_and_no_argument_is_changed(checkpoints):
    tiles = example_tiles(spoil=("val", "test"))
    before, index = tiles.pixels.copy(), tiles.index.copy()
    again = train(tiles=tiles)[-1]
    assert same(checkpoints[-1], again)
    assert again.header == checkpoints[-1].header
    assert np.array_equal(before, tiles.pixels)
    pd.testing.assert_frame_equal(index, tiles.index)


def test_held_out_tiles_are_watched_and_not_trained_on(checkpoints):
    tiles = example_tiles()
    train_rows, held_out = selecting.trained_rows(tiles.index, CONFIG)
    assert len(held_out) > 0
    assert set(tiles.index["group"].iloc[train_rows]).isdisjoint(tiles.index["group"].iloc[held_out])
    spoilt = tiles.pixels.copy()
    spoilt[held_out] = 255 - spoilt[held_out]
    other_tiles = TileStore(spoilt, tiles.regions, tiles.index)
    assert train(tiles=other_tiles, saved=checkpoints[1])[0].header["epoch"] == 0
    other = train(tiles=other_tiles)[-1]
    assert all(np.array_equal(other.tensors[n], t) for n, t in checkpoints[-1].tensors.items() if n[:4] != "best")
    assert other.header["monitor_loss"] != checkpoints[-1].header["monitor_loss"]


def test_cameras_and_classes_are_those_of_the_tiles(denoiser):
    assert denoiser.header["conditions"] == {
        "cameras": ["curiosity/mahli", "curiosity/mastcam_left"],
        "classes": ["ground", "hardware"],
    }
    assert sum(count for _, _, count in denoiser.header["pairs"]) == denoiser.header["trained_on"]["tiles"]
    rare = train(changed(condition={"rare_tiles": 1000}))[0].header
    assert rare["conditions"] == {"cameras": [], "classes": []}
    assert [pair[:2] for pair in rare["pairs"]] == [[0, 0]]
    untold = train(changed(condition={"camera": False, "classes": "none"}))[0].header
    assert untold["conditions"] == {"cameras": [], "classes": []}


def test_clusters_are_classes_where_they_are_asked_for_and_there():
    tiles, config = example_tiles(), changed(condition={"classes": "cluster"})
    clusters = pd.DataFrame({"tile_id": tiles.index["tile_id"], "cluster": np.arange(len(tiles)) % 3 - 1})
    found = train(config, tiles=tiles, clusters=clusters)[0].header["conditions"]["classes"]
    assert found == ["cluster 0", "cluster 1"]
    with pytest.raises(RovervisionError, match="kedro run --pipelines clustering"):
        train(config, tiles=tiles)


def test_fewer_tiles_than_a_batch_is_a_sentence():
    with pytest.raises(RovervisionError, match=r"has \d+ colour tiles, fewer than one batch of 1000"):
        train(changed(training={"batch_size": 1000}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("apply", {"count": 0}),
        ("generation", {"count": 0}),
        ("sampler", {"kind": "ddim"}),
        ("sampler", {"steps": 0}),
        ("denoiser", {"tile_px": 17}),
        ("denoiser", {"network": {"widths": [12, 20]}}),
    ],
)
def test_impossible_parameters_are_refused(field, value):
    with pytest.raises(ValidationError):
        changed(**{field: value})


def test_the_original_trains_as_it_did():
    config = changed(denoiser={"schedule": "ddpm_1000"}, sampler={"kind": "ddim"})
    training = config.followed().training
    assert (training.batch_size, training.learning_rate, training.ema_decay, training.keep) == (8, 5e-4, 0, "last")
    last = train(config)[-1]
    assert last.header["best_epoch"] == 2
    trained, kept = last.group("model"), last.group("best")
    assert all(np.array_equal(trained[name], tensor) for name, tensor in kept.items())
    open_denoiser(nodes.finish_denoiser(last))


def test_losses_are_measured_at_each_level_on_both_parts(denoiser):
    losses = nodes.measure_losses(example_tiles(), denoiser, CONFIG, 0, "cpu")
    assert list(losses.groupby("part", sort=False).size().items()) == [("training", 3), ("held out", 3)]
    assert (losses["loss"] > 0).all()
    assert (losses.groupby("part")["sigma"].diff().dropna() > 0).all()
    pd.testing.assert_frame_equal(losses, nodes.measure_losses(example_tiles(), denoiser, CONFIG, 0, "cpu"))


def test_the_card_tells_labels_and_tiles(denoiser):
    card = export_denoiser(denoiser).card
    assert "| 0 | any | any |" in card
    assert "| 4 | curiosity/mahli | ground |" in card
    assert f"{denoiser.header['trained_on']['tiles']} tiles" in card
