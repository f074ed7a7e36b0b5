"""Scores of two sets, against closed forms, slow references, and laws."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from rovervision.learning.generated_scores import (
    frechet_distance,
    kernel_distance,
    mean_color_distance,
    memorised_share,
    neighbourhoods,
    power_spectrum,
    spectrum_distance,
)


def codes(count=400, dim=5, mean=0.0, spread=1.0, seed=0):
    return mean + spread * np.random.default_rng(seed).standard_normal((count, dim))


@given(st.integers(0, 1000))
def test_frechet_is_the_formula_with_a_matrix_root(seed):
    one, other = codes(60, 4, seed=seed), codes(50, 4, 0.3, 1.5, seed + 1) @ np.diag([1, 2, 0.5, 1])
    c1, c2 = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = scipy.linalg.sqrtm(c1 @ c2).real
    expected = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(c1 + c2 - 2 * root)
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-6)


def test_frechet_of_known_gaussians():
    far = frechet_distance(codes(20_000, 3), codes(20_000, 3, 2.0, 3.0, 1))
    assert far == pytest.approx(3 * (2.0**2 + (3.0 - 1.0) ** 2), rel=0.03)
    assert frechet_distance(codes(), codes()) == pytest.approx(0, abs=1e-9)


def test_frechet_stands_a_direction_without_spread():
    flat = codes(50, 3)
    flat[:, 2] = 1.0
    assert frechet_distance(flat, flat) == pytest.approx(0, abs=1e-5)


def test_the_kernel_distance_is_its_definition_and_unbiased():
    one, other = codes(12, 3), codes(9, 3, 0.5, seed=1)

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    inner = [np.mean([k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]) for x in (one, other)]
    expected = sum(inner) - 2 * np.mean([k(a, b) for a in one for b in other])
    assert kernel_distance(one, other) == pytest.approx(expected)
    drawn = [kernel_distance(codes(30, 3, seed=s), codes(30, 3, seed=s + 500)) for s in range(200)]
    assert abs(np.mean(drawn)) < 3 * np.std(drawn) / np.sqrt(200)


def test_neighbourhoods_are_their_definition():
    real, generated, k = codes(30, 2), codes(25, 2, 0.4, seed=1), 3

    def radius(x, i):
        return sorted(np.linalg.norm(x - x[i], axis=1))[k]

    inside = np.array([[np.linalg.norm(g - r) <= radius(real, i) for g in generated] for i, r in enumerate(real)])
    covers = np.array([[np.linalg.norm(g - r) <= radius(generated, j) for j, g in enumerate(generated)] for r in real])
    found = neighbourhoods(real, generated, k)
    assert found["precision"] == inside.any(axis=0).mean()
    assert found["recall"] == covers.any(axis=1).mean()
    assert found["density"] == pytest.approx(inside.sum() / (k * 25))
    assert found["coverage"] == inside.any(axis=1).mean()


def test_neighbourhoods_tell_fidelity_from_variety():
    real = codes(300, 4)
    same, far, narrow = codes(300, 4, seed=1), codes(300, 4, 50.0, seed=1), codes(300, 4, 0.0, 0.1, 1)
    assert neighbourhoods(real, same)["density"] == pytest.approx(1, abs=0.15)
    assert set(neighbourhoods(real, far).values()) == {0.0}
    few = neighbourhoods(real, narrow)
    assert few["precision"] == 1
    assert few["recall"] < 0.1
    assert few["coverage"] < 0.6


def wave(cycles: int, count: int = 4, side: int = 16) -> np.ndarray:
    x = np.cos(2 * np.pi * cycles * np.arange(side) / side)
    return np.tile((128 + 60 * x).astype(np.uint8)[None, None, :, None], (count, side, 1, 3))


@pytest.mark.parametrize("cycles", [2, 4, 7])
def test_a_wave_has_its_power_at_its_frequency(cycles):
    assert power_spectrum(wave(cycles)).argmax() == cycles - 1
    assert len(power_spectrum(wave(cycles))) == 8


def test_blur_and_cast_are_seen_each_by_its_score():
    rng = np.random.default_rng(0)
    sharp = rng.integers(60, 200, (50, 16, 16, 3), dtype=np.uint8)
    soft = (sharp.astype(int) + np.roll(sharp, 1, 1) + np.roll(sharp, 1, 2) + np.roll(sharp, (1, 1), (1, 2))) // 4
    cast = (sharp + np.array([30, 0, 0])).astype(np.uint8)
    assert spectrum_distance(sharp, sharp) == 0
    assert spectrum_distance(sharp, soft.astype(np.uint8)) > 0.2 > spectrum_distance(sharp, cast)
    assert mean_color_distance(sharp, cast) == pytest.approx(10, abs=0.5)
    assert mean_color_distance(sharp, soft.astype(np.uint8)) < 2


def test_held_out_tiles_themselves_are_at_the_quantile():
    far = np.abs(codes(10_000, 1)[:, 0])
    assert memorised_share(far, far) == pytest.approx(0.01, abs=1e-3)
    assert memorised_share(np.zeros(5), far) == 1
