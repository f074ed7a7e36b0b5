"""The JPEG grid is seen where compression left one, at any phase, and nowhere else."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.blockiness import blockiness
from tests.imaging.test_losses import sunlit


def compressed(quality: int, seed: int = 0) -> np.ndarray:
    gray = cv2.cvtColor(sunlit(seed, 160, 200), cv2.COLOR_RGB2GRAY)
    return cv2.imdecode(cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)


def slow_blockiness(gray: np.ndarray) -> float:
    ratios = []
    for image in (gray.astype(int), gray.T.astype(int)):
        steps = [np.mean(np.abs(image[:, k + 1] - image[:, k])) for k in range(image.shape[1] - 1)]
        steps = steps[: len(steps) // 8 * 8]
        phases = [sorted(steps[phase::8])[len(steps) // 16] for phase in range(8)]
        best = int(np.argmax(phases))
        ratios.append((phases[best] + 0.5) / (np.mean(np.delete(phases, best)) + 0.5))
    return max(ratios)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), quality=st.integers(3, 95))
def test_it_agrees_with_a_slow_reference(seed: int, quality: int) -> None:
    gray = compressed(quality, seed)
    assert blockiness(gray) == pytest.approx(slow_blockiness(gray), rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(left=st.integers(0, 15), top=st.integers(0, 15))
def test_the_grid_is_found_at_any_phase(left: int, top: int) -> None:
    assert blockiness(compressed(5)[top:, left:]) > 3.0
    assert blockiness(compressed(95)[top:, left:]) < 1.2


def test_more_compression_is_more_of_a_grid() -> None:
    values = [blockiness(compressed(quality)) for quality in (90, 40, 15, 5)]
    assert values == sorted(values)


def test_borders_flat_skies_and_small_pictures_have_no_grid() -> None:
    framed = cv2.copyMakeBorder(compressed(95), 16, 16, 24, 24, cv2.BORDER_CONSTANT, value=0)
    assert blockiness(framed) < 1.25
    assert blockiness(np.full((64, 64), 180, np.uint8)) == 1.0
    assert blockiness(compressed(5)[:30]) == 1.0
