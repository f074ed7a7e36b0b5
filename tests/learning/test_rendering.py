"""Rendering by tables, beside the formulas written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.imaging.color import fit_gamut, lab_to_rgb, rgb_to_lab
from rovervision.learning import rendering
from rovervision.learning.white_balance import GAINS_RATIO_MAX, display_gains, undo_gains


def colors(seed: int, spread: float, shape: tuple[int, int] = (128, 128)) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    level = rng.integers(0, 256, shape, dtype=np.uint8)
    Y, L = (table[level] for table in rendering.lightness_levels(level))
    return Y, L, *(rng.normal(mean, spread, shape).astype(np.float32) for mean in (8, 20))


@pytest.mark.parametrize("spread", [5, 15, 40])
def test_bytes_are_those_of_the_formulas(spread):
    Y, L, a, b = colors(0, spread)
    fast, slow = rendering.render(Y, L, a, b), lab_to_rgb(fit_gamut(np.stack([L, a, b], axis=-1)))
    differing = np.abs(fast.astype(int) - slow)
    assert (differing > 1).mean() < 1e-3
    assert differing.mean() < 0.02
    assert np.abs(rgb_to_lab(fast)[..., 0] - L).max() < 0.5


@pytest.mark.parametrize(("shape", "kind"), [((16, 16), np.uint8), ((64, 64, 3), np.uint8), ((64, 64, 3), np.uint16)])
def test_lightness_is_that_of_the_formulas(shape, kind):
    image = np.random.default_rng(0).integers(0, np.iinfo(kind).max + 1, shape).astype(kind)
    unit = (image / np.iinfo(kind).max).astype(np.float32)
    expected = rgb_to_lab(unit if image.ndim == 3 else np.repeat(unit[..., None], 3, axis=-1))[..., 0]
    np.testing.assert_allclose(rendering.lightness_of(image), expected, atol=8e-3)


def test_every_gray_keeps_its_byte():
    for kind in (np.uint8, np.uint16):
        level = np.arange(np.iinfo(kind).max + 1).astype(kind)[None]
        Y, L = (table[level] for table in rendering.lightness_levels(level))
        shown = rendering.render(Y, L, np.zeros_like(L), np.zeros_like(L))[0]
        exact = level[0] / (np.iinfo(kind).max / 255)
        assert np.abs(shown - exact[:, None]).max() < 0.53


@given(st.integers(0, 100), st.floats(0, 40))
def test_a_display_balance_can_be_undone(seed, spread):
    Y, L, a, b = colors(seed, spread, (32, 32))
    released = rendering.render(Y, L, a, b)
    gains = display_gains(released)
    assert max(gains) == 1
    assert max(gains) / min(gains) <= GAINS_RATIO_MAX * 1.001
    balanced = rendering.render(Y, L, a, b, gains)
    assert np.abs(undo_gains(balanced, gains).astype(int) - released).max() <= 1


def test_a_display_balance_takes_cast_away():
    Y, L, a, b = colors(0, 3)
    released = rendering.render(Y, L, a, b)
    balanced = rendering.render(Y, L, a, b, display_gains(released))
    chroma = [np.hypot(*np.moveaxis(rgb_to_lab(image)[..., 1:].mean((0, 1)), -1, 0)) for image in (released, balanced)]
    assert chroma[1] < 0.75 * chroma[0]
    gray = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    assert display_gains(gray) == (1, 1, 1)
    assert display_gains(np.zeros((2, 2, 3), np.uint8)) == (1, 1, 1)
