"""Pixels that figures are drawn from, and the calibration of doubt."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.color import rgb_to_lab
from rovervision.imaging.rank_correlation import rank_correlation
from rovervision.learning.colorizers import ModelConfig
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization import nodes, predicting, sampling, scoring, selecting
from tests.pipelines.colorization.examples import CONFIG, example_tiles

TILES = example_tiles()
PRIORS = nodes.fit_color_priors(TILES, CONFIG)


def trained(kind: str = "residual") -> Weights:
    one = CONFIG.training.model_copy(update={"epochs": 1})
    config = CONFIG.model_copy(
        update={"model": ModelConfig(kind=kind, residual=CONFIG.model.residual), "training": one}
    )
    return nodes.finish_colorizer(list(nodes.train_colorizer(TILES, PRIORS, config, 0, "cpu", None))[-1][0], config)


@pytest.fixture(scope="module")
def colorizer() -> Weights:
    return trained()


def test_every_sampled_pixel_is_one_of_its_tile(colorizer):
    samples = sampling.sample_predictions(TILES, colorizer, CONFIG, 0)
    assert samples["tile"].nunique() == CONFIG.figures.sampled_tiles
    assert len(samples) <= CONFIG.figures.sampled_pixels
    assert set(TILES.index["split"].iloc[samples["tile"].unique()]) == {"test"}
    for row, part in samples.groupby("tile"):
        pixels = {tuple(lab) for lab in rgb_to_lab(TILES.pixels[row]).reshape(-1, 3).tolist()}
        assert {tuple(lab) for lab in part[["L", "a", "b"]].to_numpy().tolist()} <= pixels
    assert (samples["region"] == "hardware").any()
    assert (samples["region"] == "terrain").any()


def test_all_pixels_are_taken_once_where_there_are_fewer_than_asked_for(colorizer):
    figures = CONFIG.figures.model_copy(update={"sampled_tiles": 1000, "sampled_pixels": 10_000_000})
    samples = sampling.sample_predictions(TILES, colorizer, CONFIG.model_copy(update={"figures": figures}), 0)
    rows = selecting.scored_rows(TILES.index, CONFIG.scoring)
    assert len(samples) == len(rows) * TILES.tile_px**2
    scores = scoring.score_colorizer(TILES, colorizer, PRIORS, CONFIG)
    own = scores[scores["method"] == "residual"]
    assert samples["error"].mean() == pytest.approx(own["ciede2000"].mean(), rel=1e-4)
    assert samples["doubt"].mean() == pytest.approx(own["doubt"].mean(), rel=1e-4)


def test_samples_repeat_themselves_and_follow_the_seed(colorizer):
    once, again, other = (sampling.sample_predictions(TILES, colorizer, CONFIG, seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(once, again)
    assert not once["L"].equals(other["L"])


def test_doubt_within_a_tile_is_ranked_as_a_slow_reference_ranks_it(colorizer):
    prediction = predicting.predict_tile(TILES, 4, scoring.load_colorizer(colorizer), colorizer)
    pixels = pd.DataFrame({"doubt": prediction.doubt.ravel(), "error": prediction.error.ravel()})
    score = scoring.score_doubt(prediction)
    assert score["doubt_rank"] == pytest.approx(pixels.corr(method="spearman").iloc[0, 1], abs=1e-6)
    assert score["doubt"] == pytest.approx(pixels["doubt"].mean(), rel=1e-5)


def test_a_kind_without_doubt_has_empty_values_and_no_calibration():
    colorizer = trained("regression")
    scores = scoring.score_colorizer(TILES, colorizer, PRIORS, CONFIG)
    assert scores[["doubt", "doubt_rank"]].isna().all(axis=None)
    config = CONFIG.model_copy(update={"model": ModelConfig(kind="regression")})
    table, numbers = scoring.tabulate_scores(scores, config, 0)
    assert table[["doubt", "doubt_rank", "doubt_rank_frames"]].isna().all(axis=None)
    assert not any(name.startswith("doubt") for name in numbers)
    samples = sampling.sample_predictions(TILES, colorizer, CONFIG, 0)
    assert samples["doubt"].isna().all()
    assert len(sampling.calibrate_doubt(samples)) == 0


def test_the_table_tells_how_well_doubt_ranks_frames(colorizer):
    scores = scoring.score_colorizer(TILES, colorizer, PRIORS, CONFIG)
    table, numbers = scoring.tabulate_scores(scores, CONFIG, 0)
    own = scores[scores["method"] == "residual"]
    expected = rank_correlation(own["doubt"].to_numpy(), own["ciede2000"].to_numpy())
    assert numbers["doubt_rank_frames"] == pytest.approx(expected)
    assert table.set_index("method").loc["gray", ["doubt", "doubt_rank", "doubt_rank_frames"]].isna().all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 400), st.integers(0, 5))
def test_bins_hold_all_pixels_evenly_and_in_order(count: int, seed: int):
    rng = np.random.default_rng(seed)
    samples = pd.DataFrame({"doubt": rng.integers(1, 9, count) / 2, "error": rng.uniform(0, 9, count)})
    bins = sampling.calibrate_doubt(samples)
    if count < 10:
        assert len(bins) == 0
        return
    assert bins["pixels"].sum() == count
    assert bins["pixels"].max() - bins["pixels"].min() <= 1
    assert (bins["doubt_high"].to_numpy()[:-1] <= bins["doubt_low"].to_numpy()[1:]).all()
    assert np.average(bins["error_mean"], weights=bins["pixels"]) == pytest.approx(samples["error"].mean())


def test_perfect_doubt_lies_on_the_diagonal():
    error = np.random.default_rng(0).uniform(0, 10, 1000)
    bins = sampling.calibrate_doubt(pd.DataFrame({"doubt": error, "error": error}))
    np.testing.assert_allclose(bins["doubt_mean"], bins["error_mean"])
