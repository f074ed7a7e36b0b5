"""Torch colour against numpy colour, and the loss's metric against CIEDE2000."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.color import rgb_to_lab as slow_lab
from rovervision.imaging.color_difference import ciede2000
from rovervision.learning.color import perceived_ab_error, rgb_to_lab


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_torch_and_numpy_give_the_same_lab(seed):
    rgb = np.random.default_rng(seed).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    unit = torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255
    np.testing.assert_allclose(rgb_to_lab(unit).permute(0, 2, 3, 1).numpy(), slow_lab(rgb), atol=5e-3)


def test_small_errors_measure_what_ciede2000_measures():
    rng = np.random.default_rng(0)
    ab = np.stack([rng.uniform(-10, 30, 4000), rng.uniform(-15, 45, 4000)], -1).astype(np.float32)
    step = rng.normal(0, 0.5, ab.shape).astype(np.float32)
    L = np.full((4000, 1), 55, np.float32)
    expected = ciede2000(np.hstack([L, ab]), np.hstack([L, ab + step]))
    true = torch.from_numpy(ab.T[None, :, :, None])
    measured = perceived_ab_error(true + torch.from_numpy(step.T[None, :, :, None]), true).numpy().ravel()
    clear = expected > 0.15
    ratio = measured[clear] / expected[clear]
    assert 0.97 < np.median(ratio) < 1.03
    assert np.quantile(ratio, 0.05) > 0.85
    assert np.quantile(ratio, 0.95) < 1.15


def test_the_gradient_is_finite_even_at_gray_and_at_the_truth():
    true = torch.zeros(1, 2, 3, 3)
    predicted = torch.zeros(1, 2, 3, 3, requires_grad=True)
    perceived_ab_error(predicted, true).sum().backward()
    assert torch.isfinite(predicted.grad).all()
