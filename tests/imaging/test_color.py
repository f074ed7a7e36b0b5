"""Colour formulas against scikit-image, and the laws that a conversion must keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import color as reference

from rovervision.imaging.color import fit_gamut, lab_to_rgb, rgb_to_lab, to_bytes
from rovervision.imaging.color_difference import ciede2000

BYTES = arrays(np.uint8, (5, 7, 3))
LABS = arrays(np.float32, (40, 3), elements=st.floats(-60, 60, width=32))


@given(BYTES)
def test_lab_agrees_with_scikit_image(rgb):
    assert np.abs(rgb_to_lab(rgb) - reference.rgb2lab(rgb)).max() < 2e-3


@given(BYTES)
def test_every_byte_triple_survives_the_round_trip(rgb):
    np.testing.assert_array_equal(lab_to_rgb(rgb_to_lab(rgb)), rgb)


@given(BYTES)
def test_bytes_and_floats_mean_the_same(rgb):
    np.testing.assert_allclose(rgb_to_lab(rgb), rgb_to_lab(rgb.astype(np.float32) / 255), atol=1e-3)


@given(arrays(np.float32, 50, elements=st.floats(-0.5, 1.5, width=32)))
def test_bytes_keep_the_order_and_never_wrap(unit):
    unit = np.sort(unit)
    assert (np.diff(to_bytes(unit).astype(int)) >= 0).all()
    assert to_bytes(np.float32([0, 0.5, 1])).tolist() == [0, 128, 255]


@given(LABS)
def test_fitted_colors_keep_lightness_and_hue_and_are_shown(shifted):
    lab = shifted * np.float32([0.8, 2, 2]) + np.float32([50, 0, 0])
    fitted = fit_gamut(lab)
    np.testing.assert_array_equal(fitted[:, 0], lab[:, 0])
    np.testing.assert_allclose(fitted[:, 1] * lab[:, 2], fitted[:, 2] * lab[:, 1], atol=0.5)
    assert (np.hypot(*fitted[:, 1:].T) <= np.hypot(*lab[:, 1:].T) + 1e-3).all()
    shown = rgb_to_lab(lab_to_rgb(fitted))
    assert np.abs(shown[:, 0] - lab[:, 0]).max() < 1.0


def test_what_srgb_can_show_is_left_alone():
    lab = rgb_to_lab(np.random.default_rng(0).integers(1, 255, (500, 3), dtype=np.uint8))
    np.testing.assert_array_equal(fit_gamut(lab), lab)


@given(LABS, LABS)
def test_difference_agrees_with_scikit_image(one, two):
    lift = np.float32([60, 0, 0])
    expected = reference.deltaE_ciede2000(one.astype(np.float64) + lift, two.astype(np.float64) + lift)
    # At hues exactly opposite each other the formula jumps; there both answers are right.
    opposite = (
        np.abs((np.arctan2(two[:, 2], two[:, 1]) - np.arctan2(one[:, 2], one[:, 1])) % (2 * np.pi) - np.pi) < 1e-3
    )
    difference = np.abs(ciede2000(one + lift, two + lift) - expected)
    assert difference[~opposite].max(initial=0) < 2e-2


@settings(max_examples=50)
@given(LABS, LABS)
def test_difference_is_symmetric_and_zero_only_on_itself(one, two):
    np.testing.assert_allclose(ciede2000(one, two), ciede2000(two, one), atol=1e-3)
    assert ciede2000(one, one).max() == 0


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ],
)
def test_published_pairs(one, two, expected):
    """Pairs 1, 10, 17, 34 and 14 of the test data of Sharma, Wu and Dalal 2005."""
    assert float(ciede2000(np.float32(one), np.float32(two))) == pytest.approx(expected, abs=2e-3)
