"""Bands that were split, shifted, weighed and spoilt come together again."""

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.imaging.color import decode_gamma, encode_gamma, rgb_to_lab, to_bytes
from rovervision.imaging.color_difference import ciede2000
from rovervision.imaging.triplets import TripletConfig, align, balance_gains, compose, find_triplets

SURFACE = np.array([152, 128, 91])


def scene(seed: int = 0, side_px: int = 160) -> np.ndarray:
    """Ochre ground with stones and a gray box, (H, W, 3) sRGB in 0..1, with a margin to shift in."""
    rng = np.random.default_rng(seed)
    shade = cv2.GaussianBlur(rng.uniform(0, 1, (side_px, side_px)), (0, 0), 3)
    shade = 0.25 + 0.5 * (shade - shade.min()) / np.ptp(shade)
    color = np.broadcast_to(SURFACE / 150, (side_px, side_px, 3)).copy()
    for _ in range(25):
        center, radius = rng.integers(0, side_px, 2), int(rng.integers(3, 9))
        tone = tuple(SURFACE / 150 * rng.uniform(0.5, 1.2) * rng.uniform(0.85, 1.15, 3))
        cv2.circle(color, tuple(map(int, center)), radius, tone, -1)
    color[60:90, 70:100] = 0.85
    return np.clip(shade[..., None] * color, 0, 1)


def shot(light: np.ndarray, right_px: float, down_px: float, gain: float, noise: float, seed: int) -> np.ndarray:
    """One band as a camera sends it: shifted, with its own gain of linear light, noisy, 8 bits."""
    move = np.array([[1, 0, right_px], [0, 1, down_px]], np.float64)
    moved = cv2.warpAffine(light, move, light.shape[::-1], flags=cv2.INTER_CUBIC)[16:-16, 16:-16]
    encoded = encode_gamma((gain * moved).clip(0, 1)) + np.random.default_rng(seed).normal(0, noise / 255, moved.shape)
    return to_bytes(encoded)


def bands(shifts: dict, gains: dict, noise: float = 2.0, seed: int = 0) -> dict[str, np.ndarray]:
    linear = decode_gamma(scene(seed).astype(np.float32))
    return {
        name: shot(linear[..., channel], *shifts.get(name, (0, 0)), gains.get(name, 1.0), noise, 7 + channel)
        for channel, name in enumerate(("red", "green", "blue"))
    }


shift = st.floats(-6, 6)


@settings(max_examples=12)
@given(shift, shift, shift, shift, st.floats(0.5, 1.1), st.floats(0.5, 1.5))
def test_shifts_are_recovered_to_a_part_of_a_pixel(red_right, red_down, blue_right, blue_down, red_gain, blue_gain):
    shifts = {"red": (red_right, red_down), "blue": (blue_right, blue_down)}
    split = bands(shifts, {"red": red_gain, "blue": blue_gain})
    for name, (right_px, down_px) in shifts.items():
        found = align(split["green"], split[name], 24)
        assert abs(found.right_px - right_px) < 0.3
        assert abs(found.down_px - down_px) < 0.3
        assert found.correlation > 0.6


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_colours_of_the_scene_come_back(seed):
    """Up to one factor for each band: with it undone, the composed colours are those of the scene."""
    shifts = {"red": (3.4, -2.3), "blue": (-1.6, 4.7)}
    made = compose(**bands(shifts, {"red": 0.7, "blue": 1.4}, noise=1.5, seed=seed), config=TripletConfig())
    height, width = made.rgb.shape[:2]
    top, left = 16 + made.top_px, 16 + made.left_px
    truth = scene(seed)[top : top + height, left : left + width].astype(np.float32)
    linear = decode_gamma(truth)
    known = linear.mean((0, 1)) / decode_gamma(made.rgb / np.float32(255)).mean((0, 1))
    undone = to_bytes(encode_gamma(decode_gamma(made.rgb / np.float32(255)) * known.astype(np.float32)))
    error = ciede2000(rgb_to_lab(to_bytes(truth)), rgb_to_lab(undone))
    assert error.mean() < 2.5
    unaligned = np.stack(list(bands(shifts, {}, noise=1.5, seed=seed).values()), axis=-1)
    whole = rgb_to_lab(to_bytes(scene(seed)[16:-16, 16:-16]))
    assert error.mean() < 0.6 * ciede2000(whole, rgb_to_lab(unaligned)).mean()  # so aligning is what did it


def test_only_what_all_bands_see_is_kept():
    made = compose(**bands({"red": (3.0, -2.0), "blue": (-5.0, 0.0)}, {}), config=TripletConfig())
    assert 5 <= made.left_px <= 6
    assert 2 <= made.top_px <= 3
    assert 128 - 10 <= made.rgb.shape[1] <= 128 - 8
    assert 128 - 4 <= made.rgb.shape[0] <= 128 - 2


@given(st.floats(0.3, 1), st.floats(0.3, 1), st.floats(0.3, 1))
def test_the_mean_gets_the_colour_of_the_surface(red, green, blue):
    linear = decode_gamma(scene().astype(np.float32)) * np.array([red, green, blue], np.float32)
    gains = balance_gains(linear, (152, 128, 91))
    counted = ((linear > 0.002) & (linear < 0.98)).all(axis=-1)
    mean = (linear * np.array(gains))[counted].mean(0)
    target = decode_gamma(np.array([152, 128, 91], np.float32) / 255)
    np.testing.assert_allclose(mean / mean[1], target / target[1], rtol=1e-3)
    assert np.quantile((linear * np.array(gains)).max(-1), 0.994) <= 1.0


def test_equal_numbers_make_a_gray_world():
    made = compose(**bands({}, {"red": 0.6, "blue": 1.3}), config=TripletConfig(surface_rgb=(100, 100, 100)))
    mean = decode_gamma(made.rgb / np.float32(255)).mean((0, 1))
    np.testing.assert_allclose(mean / mean[1], 1, rtol=0.03)


def refused(split: dict, words: str, **config) -> None:
    with pytest.raises(RovervisionError, match=words):
        compose(**split, config=TripletConfig(**config))


def test_bands_that_do_not_belong_together_are_refused():
    split, other = bands({}, {}), bands({}, {}, seed=5)
    noise = np.random.default_rng(0).integers(0, 256, split["red"].shape, dtype=np.uint8)
    refused(split | {"red": other["red"]}, "red band does not agree")
    refused(split | {"blue": noise}, "blue band does not agree")
    refused(split | {"blue": np.full_like(noise, 9)}, "blue band does not agree")
    refused(split | {"blue": split["blue"][:-2]}, "different sizes")
    refused({name: band[:9, :9] for name, band in split.items()}, "too small")
    refused(bands({"red": (6.0, 0.0)}, {}), "another pointing", shift_max_px=4)


def frames(*rows: tuple[str, float, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["filter", "sclk_s", "sequence"])
    table["frame_id"] = [f"f{number}" for number in range(len(table))]
    return table.assign(rover="spirit", camera="pancam_left", product_type="EFF", sample_type="full")


def ids(table: pd.DataFrame) -> set[tuple[str, ...]]:
    return set(table[["red", "green", "blue"]].itertuples(index=False, name=None))


def test_a_triplet_has_each_band_once_and_the_nearest_in_time():
    table = frames(("4", 100, "A"), ("5", 110, "A"), ("6", 120, "A"), ("4", 200, "A"), ("5", 215, "A"), ("6", 260, "A"))
    found = find_triplets(table, TripletConfig())
    assert ids(found) == {("f0", "f1", "f2"), ("f3", "f4", "f5")}
    assert list(found["span_s"]) == [20, 60]


def test_a_missing_band_does_not_spoil_the_next_triplet():
    table = frames(("4", 100, "A"), ("5", 110, "A"), ("4", 200, "A"), ("5", 210, "A"), ("6", 220, "A"))
    assert ids(find_triplets(table, TripletConfig())) == {("f2", "f3", "f4")}


@pytest.mark.parametrize(
    "change",
    [
        {"sclk_s": 9000.0},
        {"sequence": "B"},
        {"filter": "7"},
        {"rover": "opportunity"},
        {"camera": "pancam_right"},
        {"product_type": "ILF"},
        {"sample_type": "subframe"},
        {"sclk_s": np.nan},
    ],
)
def test_what_differs_makes_no_triplet(change):
    table = frames(("4", 100, "A"), ("5", 110, "A"), ("6", 120, "A"))
    assert len(find_triplets(table, TripletConfig())) == 1
    ((column, value),) = change.items()
    table.loc[2, column] = value
    assert len(find_triplets(table, TripletConfig())) == 0


@given(st.lists(st.tuples(st.sampled_from("4567"), st.floats(0, 2000), st.sampled_from("AB")), max_size=25))
def test_no_frame_is_in_two_triplets(rows):
    table = frames(*rows)
    found = find_triplets(table, TripletConfig())
    used = list(found[["red", "green", "blue"]].to_numpy().ravel())
    assert len(used) == len(set(used))
    assert (found["span_s"] <= 300).all()
    kind = table.set_index("frame_id")["filter"]
    assert all(kind[row.red] + kind[row.green] + kind[row.blue] == "456" for row in found.itertuples())
