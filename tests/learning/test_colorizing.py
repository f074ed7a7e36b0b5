"""Colour for whole images: lightness kept, any size, the same bytes every time."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.imaging.color import rgb_to_lab
from rovervision.learning import colorizing
from rovervision.learning.colorizing import colorize, lightness_of, load_colorizer
from rovervision.learning.weights import Weights
from tests.learning.test_colorizers import SMALL, disturbed


def gray(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


@settings(max_examples=25)
@given(st.integers(1, 70), st.integers(1, 70))
def test_lightness_is_kept(height, width):
    image = gray(height, width)
    colored = colorize(image, disturbed(), 32)
    assert colored.shape == (height, width, 3)
    assert np.abs(rgb_to_lab(colored)[..., 0] - lightness_of(image)).max() < 1.0


def test_of_a_color_image_only_the_lightness_counts():
    image = np.random.default_rng(0).integers(40, 200, (20, 30, 3), dtype=np.uint8)
    colored = colorize(image, disturbed(), 32)
    assert np.abs(rgb_to_lab(colored)[..., 0] - rgb_to_lab(image)[..., 0]).max() < 1.0


def test_sixteen_bits_mean_the_same_as_eight():
    image = gray(24, 24)
    np.testing.assert_allclose(lightness_of(image.astype(np.uint16) * 257), lightness_of(image), atol=1e-3)
    wide = colorize(image.astype(np.uint16) * 257, disturbed(), 32)
    assert np.abs(wide.astype(int) - colorize(image, disturbed(), 32)).max() <= 1


def test_bands_leave_no_seam(monkeypatch):
    image = gray(100, 40)
    whole = colorize(image, disturbed(), 32)
    monkeypatch.setattr(colorizing, "_BAND_PX", 7)
    np.testing.assert_array_equal(colorize(image, disturbed(), 32), whole)


def test_the_table_alone_is_reproduced_exactly():
    """With nothing to correct, colour is a function of lightness: equal grays stay equal."""
    model = disturbed()
    for layer in (model.to_ab, model.to_tint):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    image = gray(40, 40)
    colored = colorize(image, model, 32)
    for value in (0, 77, 200, 255):
        assert len(np.unique(colored[image == value], axis=0)) <= 1


def test_foreign_weights_are_a_sentence():
    with pytest.raises(RovervisionError, match="not a colorizer"):
        load_colorizer(Weights({"x": torch.zeros(2)}, {"model": SMALL.model_dump(mode="json")}))
    with pytest.raises(RovervisionError, match="not a colorizer"):
        load_colorizer(Weights({}, {}))
