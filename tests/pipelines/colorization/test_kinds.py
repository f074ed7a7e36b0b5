"""Every kind goes the way from tiles to scores; recipes and weights of the sampling do what they say."""

import numpy as np
import pytest

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.learning.colorizers import ModelConfig
from rovervision.learning.training import TrainingConfig
from rovervision.pipelines.colorization import nodes, scoring, selecting
from rovervision.pipelines.colorization.config import ColorizationConfig, SamplingConfig
from tests.pipelines.colorization.examples import CONFIG, example_tiles


def of_kind(kind: str, **options) -> ColorizationConfig:
    model = CONFIG.model.model_copy(update={"kind": kind})
    training = CONFIG.training.model_copy(update={"epochs": 1, "epoch_tiles": 16})
    return CONFIG.model_copy(update={"model": model, "training": training, **options})


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_kind_is_trained_finished_and_scored(kind):
    config, tiles = of_kind(kind), example_tiles(tile_px=32)
    priors = nodes.fit_color_priors(tiles, config)
    checkpoint = list(nodes.train_colorizer(tiles, priors, config, 0, "cpu", None))[-1][0]
    colorizer = nodes.finish_colorizer(checkpoint, config)
    assert colorizer.header["model"]["kind"] == kind
    scores = scoring.score_colorizer(tiles, colorizer, priors, config)
    methods = set(scores["method"])
    assert kind in methods
    assert "starting_table" not in methods
    assert ("regression_as_run" in methods) == (kind == "regression")
    table, numbers = scoring.tabulate_scores(scores, config, 0)
    assert list(table.loc[table["role"] == "model", "method"]) == [kind]
    assert np.isfinite(numbers["ciede2000_mean"])


def test_as_run_every_tile_is_colored_once_and_the_model_stays_as_it_was():
    tiles = example_tiles(tile_px=32)
    config = of_kind("regression")
    priors = nodes.fit_color_priors(tiles, config)
    model, _ = nodes.start_colorizer(priors, config, 0)
    before = {name: tensor.clone() for name, tensor in model.eval().state_dict().items()}
    rows = np.arange(19)
    batches = scoring.shuffled_batches(rows)
    assert sorted(np.concatenate(batches).tolist()) == rows.tolist()
    assert {len(batch) for batch in batches} == {9, 10}
    seen = dict(scoring.predict_together(model, tiles, batches[0]))
    assert set(seen) == set(batches[0].tolist())
    assert seen[int(batches[0][0])].shape == (32, 32, 2)
    assert all((tensor == before[name]).all() for name, tensor in model.state_dict().items())


def test_the_originals_recipe_takes_the_place_of_the_shared_one():
    config = CONFIG.model_copy(update={"recipe": "original"})
    followed = config.followed()
    assert followed.training == TrainingConfig(
        epochs=20, batch_size=8, learning_rate=5e-5, weight_decay=0, warmup_frac=0, gradient_clip=1e9, ema_decay=0,
        schedule="constant",
    )  # fmt: skip
    assert (followed.augmentation.crop_px, followed.augmentation.patch_frac) == (64, 0)
    assert CONFIG.followed() is CONFIG
    tiles = example_tiles()
    assert (selecting.sampling_weights(tiles.index, followed.sampling) == 1).all()
    assert selecting.fingerprint(config, 0, tiles) != selecting.fingerprint(CONFIG, 0, tiles)
    batches, *_ = nodes.training_batches(tiles, nodes.fit_color_priors(tiles, config), followed, 0, (), 1)
    assert next(iter(batches.epoch(0)))[0].shape == (8, 1, 16, 16)


def test_only_the_chosen_kind_tells_checkpoints_apart():
    tiles = example_tiles()
    same = selecting.fingerprint(CONFIG, 0, tiles)

    def changed(**options) -> str:
        return selecting.fingerprint(
            CONFIG.model_copy(update={"model": CONFIG.model.model_copy(update=options)}), 0, tiles
        )

    assert changed(classification=ModelConfig().classification.model_copy(update={"temperature": 0.9})) == same
    assert changed(residual=CONFIG.model.residual.model_copy(update={"trust": 0.5})) != same
    assert changed(kind="classification") != same


def test_curations_balanced_weights_are_used_where_they_are_asked_for_and_there():
    tiles = example_tiles()
    config = SamplingConfig(weights="balanced", balance=())
    with pytest.raises(RovervisionError, match=r"no column sampling_weight.*sampling.weights=distinct"):
        selecting.sampling_weights(tiles.index, config)
    weights = np.linspace(0.5, 2, len(tiles))
    index = tiles.index.assign(sampling_weight=weights, weight=3.0)
    np.testing.assert_array_equal(selecting.sampling_weights(index, config), weights)
    assert (selecting.sampling_weights(index, SamplingConfig(balance=())) == 3).all()
    rich = TileStore(tiles.pixels, tiles.regions, index)
    other = TileStore(tiles.pixels, tiles.regions, index.assign(sampling_weight=1.0))
    asked = CONFIG.model_copy(update={"sampling": config})
    assert selecting.fingerprint(asked, 0, rich) != selecting.fingerprint(asked, 0, other)
    assert selecting.fingerprint(CONFIG, 0, rich) == selecting.fingerprint(CONFIG, 0, other)


def test_groups_stay_whole_in_folds():
    tiles = example_tiles()
    folds = selecting.group_folds(tiles.index)
    assert tiles.index.assign(fold=folds).groupby("group")["fold"].nunique().max() == 1
    assert len(set(folds.tolist())) > 3


def test_an_encoder_that_nobody_has_is_a_sentence_before_any_training():
    residual = CONFIG.model.residual.model_copy(update={"encoder": "resnet18"})
    config = CONFIG.model_copy(update={"model": ModelConfig(residual=residual)})
    tiles = example_tiles()
    with pytest.raises(RovervisionError, match="encoder resnet18 was asked for"):
        next(nodes.train_colorizer(tiles, nodes.fit_color_priors(tiles, config), config, 0, "cpu", None))
