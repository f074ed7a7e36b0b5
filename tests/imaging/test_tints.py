"""Tints that stay steady where the scene does, and only there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.imaging.tints import Colors, TintConfig, TintSmoother, flicker, likeness, look_of


def scene(seed: int, noise: float = 0.0, side_px: int = 48) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.uniform(20, 80, (8, 8)), np.ones((side_px // 8, side_px // 8)))
    return (coarse + np.random.default_rng(99).normal(0, noise, coarse.shape)).astype(np.float32)


def smoothed(tints: np.ndarray, looks: list, config: TintConfig) -> tuple[np.ndarray, list[int]]:
    smoother = TintSmoother(config)
    results = [(smoother.step(tint, look), smoother.sequence) for tint, look in zip(tints, looks, strict=True)]
    return np.array([tint for tint, _ in results]), [number for _, number in results]


def test_noise_on_the_tint_of_a_static_scene_is_smoothed_away():
    rng = np.random.default_rng(0)
    tints = np.array([3.0, 5.0]) + rng.normal(0, 1, (200, 2))
    steady, numbers = smoothed(tints, [look_of(scene(1), 7)] * 200, TintConfig())
    assert set(numbers) == {1}
    jumps, jumps_before = (np.linalg.norm(np.diff(values, axis=0), axis=1).mean() for values in (steady, tints))
    assert jumps < 0.25 * jumps_before
    np.testing.assert_allclose(steady.mean(0), [3, 5], atol=0.2)


@given(st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=1, max_size=20), st.floats(0.05, 1))
def test_a_smoothed_tint_lies_among_those_so_far(values, share):
    tints = np.array(values)
    steady, _ = smoothed(tints, [look_of(scene(1), None)] * len(tints), TintConfig(new_share=share))
    for row in range(len(tints)):
        assert (steady[row] >= tints[: row + 1].min(0) - 1e-6).all()
        assert (steady[row] <= tints[: row + 1].max(0) + 1e-6).all()


def test_a_share_of_one_smooths_nothing():
    tints = np.random.default_rng(0).normal(0, 5, (9, 2))
    steady, _ = smoothed(tints, [look_of(scene(1), None)] * 9, TintConfig(new_share=1))
    np.testing.assert_allclose(steady, tints)


def test_a_new_scene_begins_with_its_own_tint():
    tints = np.array([[1.0, 1.0]] * 5 + [[9.0, -9.0]] * 2)
    looks = [look_of(scene(1), 4)] * 5 + [look_of(scene(2), 4)] * 2
    steady, numbers = smoothed(tints, looks, TintConfig())
    assert numbers == [1] * 5 + [2] * 2
    np.testing.assert_allclose(steady, tints)


@pytest.mark.parametrize(("sols", "numbers"), [((4, 7), [1, 1]), ((4, 8), [1, 2]), ((None, 8), [1, 1])])
def test_a_gap_of_sols_begins_anew(sols, numbers):
    looks = [look_of(scene(1), sol) for sol in sols]
    assert smoothed(np.zeros((2, 2)), looks, TintConfig(gap_sols=3))[1] == numbers


def test_likeness_knows_no_exposure():
    one = scene(1)
    assert likeness(one, 0.5 * one + 7) == pytest.approx(1, abs=1e-4)
    assert likeness(one, 100 - one) == pytest.approx(-1, abs=1e-4)
    assert abs(likeness(one, scene(2))) < 0.5
    assert likeness(np.zeros((4, 4)), np.ones((4, 4))) == 1
    assert likeness(np.zeros((48, 48)), one) == 0


def test_only_static_pixels_flicker():
    lightness = scene(1)
    moved = lightness.copy()
    moved[:24] += 5
    ab = np.zeros((48, 48, 2), np.float32)
    now = np.full_like(ab, 100)
    now[24:] = (3, 4)
    assert flicker(Colors(lightness, ab), Colors(moved, now)) == (pytest.approx(5), 24 * 48)
    value, n_still = flicker(Colors(lightness, ab), Colors(lightness + 9, now))
    assert np.isnan(value)
    assert n_still == 0
    assert flicker(Colors(lightness, ab), Colors(lightness[1:], now[1:]))[1] == 0
