"""Scores on images whose answer is known by construction."""

import numpy as np
import pytest

from rovervision.imaging.color import rgb_to_lab
from rovervision.imaging.color_priors import fit_color_priors
from rovervision.imaging.scores import bootstrap_interval, mean_where, reference_colors, score_colors


def scene(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal((150, 120, 90), 25, (32, 32, 3)), 0, 255).astype(np.uint8)


def test_the_truth_scores_zero():
    lab = rgb_to_lab(scene())
    scores = score_colors(lab, lab[..., 1:], {"sky": np.zeros((32, 32), bool)})
    assert scores["ciede2000"] == 0
    assert scores["predicted_chroma"] == pytest.approx(scores["chroma"])
    assert np.isnan(scores["ciede2000_sky"])


def test_a_shift_is_tint_and_not_structure():
    lab = rgb_to_lab(scene())
    scores = score_colors(lab, lab[..., 1:] + np.float32([3, -2]), {})
    assert scores["structure_error"] < 1e-3
    assert scores["tint_error"] > 1


def test_zero_mean_noise_is_structure_and_not_tint():
    lab = rgb_to_lab(scene())
    checker = (np.indices((32, 32)).sum(0) % 2 * 2 - 1).astype(np.float32)[..., None] * 4
    scores = score_colors(lab, lab[..., 1:] + checker, {})
    assert scores["tint_error"] < 1e-2
    assert scores["structure_error"] == pytest.approx(scores["ciede2000"], rel=1e-3)


def test_a_region_is_scored_on_its_own_pixels():
    lab = rgb_to_lab(scene())
    left = np.zeros((32, 32), bool)
    left[:, :16] = True
    ab = lab[..., 1:].copy()
    ab[:, :16] += 5
    scores = score_colors(lab, ab, {"left": left, "right": ~left})
    assert scores["ciede2000_right"] == 0
    assert scores["ciede2000_left"] == pytest.approx(2 * scores["ciede2000"], rel=1e-5)


def test_each_oracle_knows_more_than_the_table():
    lab = rgb_to_lab(scene(1))
    priors = fit_color_priors([("x", scene(2), 1.0), ("y", np.flip(scene(3), axis=-1), 1.0)])
    errors = {name: score_colors(lab, ab, {})["ciede2000"] for name, ab in reference_colors(lab, priors, "x").items()}
    assert errors["oracle_table_and_tint"] < errors["lightness_table"]
    assert errors["oracle_own_table"] < errors["lightness_table"] < errors["gray"]
    assert errors["camera_table"] < errors["lightness_table"]


def test_the_interval_knows_that_a_sols_images_are_alike():
    rng = np.random.default_rng(0)
    sols = np.repeat(np.arange(20), 50)
    values = rng.normal(0, 1, 20)[sols] + rng.normal(0, 0.01, 1000)
    low, high = bootstrap_interval(values, sols.astype(object), draws=400, seed=0)
    single_low, single_high = bootstrap_interval(values, np.arange(1000).astype(object), draws=400, seed=0)
    assert low < values.mean() < high
    assert high - low > 3 * (single_high - single_low)


def test_the_mean_of_nothing_is_not_a_number():
    assert np.isnan(mean_where(np.ones((2, 2), np.float32), np.zeros((2, 2), bool)))
