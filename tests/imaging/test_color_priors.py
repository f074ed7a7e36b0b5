"""The table by lightness against a slow loop, and its gaps."""

import numpy as np
import pytest

from rovervision.errors import RovervisionError
from rovervision.imaging.color import rgb_to_lab
from rovervision.imaging.color_priors import ColorPriors, fit_color_priors, look_up, own_lookup


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (24, 20, 3), dtype=np.uint8)


def test_the_table_is_the_mean_of_each_lightness():
    images = [noise(0), noise(1)]
    lab = np.concatenate([rgb_to_lab(image).reshape(-1, 3) for image in images])
    priors = fit_color_priors([("x", image, 1.0) for image in images])
    for level in range(20, 80):
        expected = lab[np.rint(lab[:, 0]) == level, 1:]
        if len(expected):
            np.testing.assert_allclose(priors.lookup[level], expected.mean(0), atol=1e-3)
    np.testing.assert_allclose(priors.mean_ab, lab[:, 1:].mean(0), atol=1e-3)
    assert priors.n_pixels == len(lab)


def test_lightnesses_never_seen_lie_between_their_neighbours():
    two_levels = np.zeros((2, 8, 3), np.uint8)
    two_levels[0], two_levels[1] = (90, 60, 30), (220, 190, 150)
    lookup = own_lookup(rgb_to_lab(two_levels))
    dark, bright = (rgb_to_lab(two_levels[row, :1])[0, 1:] for row in (0, 1))
    low, high = np.minimum(dark, bright) - 1e-3, np.maximum(dark, bright) + 1e-3
    assert ((lookup >= low) & (lookup <= high)).all()
    np.testing.assert_allclose(lookup[0], dark, atol=1e-3)
    np.testing.assert_allclose(lookup[100], bright, atol=1e-3)


def test_looking_up_interpolates():
    lookup = np.stack([np.arange(101), -np.arange(101)], axis=1).astype(np.float32)
    lightness = np.float32([[0, 12.25, 99.5, 100]])
    np.testing.assert_allclose(look_up(lightness, lookup)[..., 0], lightness, atol=1e-4)


def test_json_round_trip():
    priors = fit_color_priors([("x", noise(3), 1.0), ("y", noise(4), 1.0)])
    again = ColorPriors.from_json(priors.to_json())
    np.testing.assert_array_equal(again.lookup, priors.lookup)
    np.testing.assert_array_equal(again.table("y"), priors.table("y"))
    assert again.n_pixels == priors.n_pixels


def test_no_color_is_a_sentence():
    with pytest.raises(RovervisionError, match="no colour tile in the training split"):
        fit_color_priors([])


def test_a_camera_with_few_pixels_leans_on_all_the_others():
    ochre = np.full((64, 64, 3), (180, 140, 90), np.uint8)
    bluish = np.full((2, 2, 3), (90, 140, 180), np.uint8)
    priors = fit_color_priors([("many", ochre, 1.0), ("few", bluish, 0.1), ("unseen", bluish[:0], 1.0)])
    level = round(float(rgb_to_lab(bluish)[0, 0, 0]))
    own = rgb_to_lab(bluish)[0, 0, 1:]
    assert np.abs(priors.table("few")[level] - priors.lookup[level]).max() < 1
    np.testing.assert_allclose(priors.table("many")[60], priors.lookup[60], atol=1e-2)
    np.testing.assert_array_equal(priors.table("never heard of"), priors.lookup)
    plenty = fit_color_priors([("many", ochre, 1.0), ("few", np.tile(bluish, (200, 200, 1)), 1.0)])
    np.testing.assert_allclose(plenty.table("few")[level], own, atol=1)


def test_an_image_counts_by_its_weight():
    ochre, bluish = np.full((8, 8, 3), (180, 140, 90), np.uint8), np.full((8, 8, 3), (90, 140, 180), np.uint8)
    twice = fit_color_priors([("x", ochre, 2.0), ("x", bluish, 1.0)])
    copied = fit_color_priors([("x", ochre, 1.0), ("x", ochre, 1.0), ("x", bluish, 1.0)])
    np.testing.assert_allclose(twice.lookup, copied.lookup, atol=1e-5)
    np.testing.assert_allclose(twice.mean_ab, copied.mean_ab, atol=1e-5)
