"""Which colours occur, how often, and how much each counts."""

import numpy as np
import pytest

from rovervision.imaging.color import lab_to_rgb, rgb_to_lab
from rovervision.imaging.color_bins import BIN_STEP, ColorBins, count_color_bins, rebalancing_weights


def patch(a: float, b: float) -> np.ndarray:
    return lab_to_rgb(np.tile(np.array([60, a, b], np.float32), (8, 8, 1)))


def test_every_pixel_is_near_a_bin_and_shares_are_counts():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    bins = count_color_bins([(image, 1.0)])
    distance = np.abs(rgb_to_lab(image)[..., 1:].reshape(-1, 1, 2) - bins.centers[None]).max(axis=2).min(axis=1)
    assert distance.max() <= BIN_STEP / 2 + 1e-3
    assert bins.shares.sum() == pytest.approx(1)
    assert len(np.unique(bins.centers, axis=0)) == len(bins.centers)


def test_weights_count_and_strays_do_not():
    bins = count_color_bins([(patch(10, 20), 3.0), (patch(0, 0), 1.0), (patch(-40, 30), 1e-9)])
    shares = {tuple(center): share for center, share in zip(bins.centers.tolist(), bins.shares.tolist(), strict=True)}
    assert shares == {(10.0, 20.0): pytest.approx(0.75), (0.0, 0.0): pytest.approx(0.25)}


def test_bins_survive_json():
    bins = count_color_bins([(patch(10, 20), 3.0), (patch(0, 0), 1.0)])
    again = ColorBins.from_json(bins.to_json())
    np.testing.assert_array_equal(again.centers, bins.centers)
    np.testing.assert_array_equal(again.shares, bins.shares)


def test_rare_colors_count_more_and_the_mean_weight_is_one():
    centers = np.array([[0, 0], [50, 50], [100, 0]], np.float32)  # too far apart to smooth one another
    bins = ColorBins(centers, np.array([0.9, 0.09, 0.01], np.float32))
    weights = rebalancing_weights(bins)
    assert (np.diff(weights) > 0).all()
    assert float(weights @ bins.shares) == pytest.approx(1, rel=1e-3)
    expected = 1 / (0.5 * bins.shares + 0.5 / 3)
    np.testing.assert_allclose(weights / weights[0], expected / expected[0], rtol=1e-3)
    np.testing.assert_allclose(rebalancing_weights(bins, uniform_share=1.0), 1, rtol=1e-3)
