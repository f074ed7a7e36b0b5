"""Measures agree with slow references, and rules judge by them."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError
from scipy import ndimage

from rovervision.imaging.framing import Content
from rovervision.imaging.planes import color_difference, planes_of
from rovervision.imaging.quality import (
    MEASURES,
    Rule,
    findings,
    histogram_measures,
    perceptual_hash,
    spatial_variance,
    thumbnail,
)
from rovervision.imaging.quality import measure as measure_planes

OF_THE_FILE = {"mosaic_score", "vignette_frac", "channels", "is_gray_in_rgb", "is_subframe", "is_narrow_band"}
OF_THE_FILE |= {"file_bytes"}
"""Measures that an examination takes of file, listing and decoding."""

PICTURES = hnp.arrays(np.uint8, st.tuples(st.integers(9, 20), st.integers(9, 20), st.just(3)))
GRAYS = hnp.arrays(np.uint8, st.tuples(st.integers(9, 20), st.integers(9, 20)))


def whole(image: np.ndarray) -> Content:
    return Content(0, 0, image.shape[1], image.shape[0])


def measure(image: np.ndarray, content: Content) -> dict[str, float]:
    return measure_planes(planes_of(image), content, content)


def gray_of(image: np.ndarray) -> np.ndarray:
    return planes_of(image).gray


def sunlit(seed: int = 0, height: int = 120, width: int = 160) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 6)
    light = 130 + 60 * soft / np.abs(soft).max() + 3 * noise
    return np.clip(light[..., None] * [1.2, 0.9, 0.6], 0, 255).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(PICTURES)
def test_measures_are_the_named_ones_and_finite(image: np.ndarray) -> None:
    before = image.copy()
    values = measure(image, whole(image))
    assert set(values) | OF_THE_FILE == set(MEASURES)
    assert all(math.isfinite(value) for value in values.values())
    np.testing.assert_array_equal(image, before)


def test_measures_of_gray_have_the_same_names() -> None:
    gray = sunlit()[..., 1]
    assert set(measure(gray, whole(gray))) | OF_THE_FILE == set(MEASURES)


@settings(max_examples=30, deadline=None)
@given(PICTURES)
def test_color_difference_is_the_mean_over_pairs_of_channels(image: np.ndarray) -> None:
    red, green, blue = (image[..., channel].astype(float) for channel in range(3))
    expected = np.mean([np.abs(red - green), np.abs(green - blue), np.abs(blue - red)])
    assert color_difference(planes_of(image)) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(GRAYS)
def test_histogram_measures_match_a_slow_reference(gray: np.ndarray) -> None:
    values = histogram_measures(planes_of(gray))
    shares = [np.mean(gray == level) for level in range(256)]
    assert values["entropy_bits"] == pytest.approx(-sum(p * math.log2(p) for p in shares if p), abs=1e-5)
    assert values["mean_luminance"] == pytest.approx(gray.mean(), abs=1e-3)
    assert values["dark_frac"] == pytest.approx(np.mean(gray <= 5), abs=1e-6)
    assert values["overexposed_frac"] == pytest.approx(np.mean(gray >= 250), abs=1e-6)


def test_contrast_spans_the_middle_96_percent() -> None:
    gray = sunlit()[..., 1]
    low, high = np.percentile(gray, (2, 98))
    assert histogram_measures(planes_of(gray))["contrast"] == pytest.approx(high - low, abs=1)


def test_entropy_has_its_known_ends() -> None:
    every_level = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert histogram_measures(planes_of(every_level))["entropy_bits"] == pytest.approx(8.0, abs=1e-5)
    flat = np.full((16, 16), 77, np.uint8)
    assert histogram_measures(planes_of(flat))["entropy_bits"] == 0.0


@settings(max_examples=15, deadline=None)
@given(GRAYS)
def test_spatial_variance_is_that_of_a_gaussian_window(gray: np.ndarray) -> None:
    kernel = cv2.getGaussianKernel(9, 0).ravel()
    x = gray.astype(float)

    def window(values: np.ndarray) -> np.ndarray:
        rows = ndimage.correlate1d(values, kernel, axis=0, mode="mirror")
        return ndimage.correlate1d(rows, kernel, axis=1, mode="mirror")

    expected = np.median(window(x * x) - window(x) ** 2)
    assert spatial_variance(gray) == pytest.approx(expected, rel=1e-3, abs=0.2)


@settings(max_examples=15, deadline=None)
@given(GRAYS)
def test_laplacian_variance_is_that_of_the_four_neighbours(gray: np.ndarray) -> None:
    laplacian = ndimage.laplace(gray.astype(float), mode="mirror")
    assert measure(gray, whole(gray))["laplacian_variance"] == pytest.approx(laplacian.var(), rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(PICTURES)
def test_color_measures_match_a_slow_reference(image: np.ndarray) -> None:
    values, high, low = measure(image, whole(image)), image.max(-1).astype(float), image.min(-1).astype(float)
    assert values["saturation"] == pytest.approx(np.mean((high - low) / np.maximum(high, 1)), abs=0.002)
    assert values["overexposed_frac"] == pytest.approx(np.mean(high >= 250))
    red, green, blue = np.log2(np.maximum(image.reshape(-1, 3).mean(0), 0.5))
    assert values["red_blue_log2"] == pytest.approx(red - blue)
    assert values["green_log2"] == pytest.approx(green - (red + blue) / 2)


def test_blur_lowers_and_detail_raises_sharpness() -> None:
    sharp = gray_of(sunlit())
    soft = cv2.GaussianBlur(sharp, (0, 0), 3)
    assert measure(soft, whole(soft))["laplacian_variance"] < 0.2 * measure(sharp, whole(sharp))["laplacian_variance"]


def test_statistics_are_of_the_content() -> None:
    framed = np.zeros((160, 220, 3), np.uint8)
    framed[20:140, 40:200] = sunlit()
    inside, alone = measure(framed, Content(40, 20, 200, 140)), measure(sunlit(), whole(sunlit()))
    for name in ("entropy_bits", "mean_luminance", "dark_frac", "saturation", "laplacian_variance"):
        assert inside[name] == pytest.approx(alone[name])
    assert inside["border_frac"] == pytest.approx(1 - 120 * 160 / (160 * 220))
    assert inside["edge_frac"] == pytest.approx(40 / 220)
    assert (inside["decoded_width_px"], inside["short_side_px"]) == (220, 120)


def test_gray_stored_as_rgb_is_no_color() -> None:
    gray = np.repeat(gray_of(sunlit())[..., None], 3, axis=2)
    data = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    assert color_difference(planes_of(cv2.imdecode(data, cv2.IMREAD_COLOR))) < 1.0
    assert color_difference(planes_of(sunlit())) > 20.0


def test_channel_balance_tells_false_color() -> None:
    mars = measure(sunlit(), whole(sunlit()))
    assert 0.7 < mars["red_blue_log2"] < 1.2
    assert abs(mars["green_log2"]) < 0.13
    blue = sunlit()[..., ::-1] * np.array([0.1, 0.3, 1.0])
    assert measure(blue.astype(np.uint8), whole(blue))["red_blue_log2"] < -1
    pink = (sunlit() * [0.9, 0.7, 1.1]).astype(np.uint8)
    assert measure(pink, whole(pink))["green_log2"] < -0.13


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), gain=st.floats(0.7, 1.2), quality=st.integers(60, 95))
def test_the_hash_survives_exposure_and_compression(seed: int, gain: float, quality: int) -> None:
    gray = gray_of(sunlit(seed))
    changed = np.clip(gray * gain, 0, 255).astype(np.uint8)
    data = cv2.imencode(".jpg", changed, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    again = cv2.resize(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), (200, 150), interpolation=cv2.INTER_AREA)
    distance = (perceptual_hash(thumbnail(gray)) ^ perceptual_hash(thumbnail(again))).bit_count()
    assert distance <= 10


def test_hashes_of_different_scenes_are_far_apart() -> None:
    hashes = [perceptual_hash(thumbnail(gray_of(sunlit(seed)))) for seed in range(30)]
    distances = [(a ^ b).bit_count() for i, a in enumerate(hashes) for b in hashes[:i]]
    assert np.percentile(distances, 2) > 14
    assert all(0 <= value < 2**64 for value in hashes)


@given(value=st.floats(-10, 10), limit=st.floats(-10, 10))
def test_a_rule_holds_on_its_limit_and_breaks_beyond(value: float, limit: float) -> None:
    assert (Rule(measure="contrast", minimum=limit).finding(value) is None) == (value >= limit)
    assert (Rule(measure="contrast", maximum=limit).finding(value) is None) == (value <= limit)


def test_a_value_that_is_missing_breaks_every_rule() -> None:
    assert Rule(measure="contrast", minimum=0).finding(float("nan"))
    assert Rule(measure="contrast", maximum=0).finding(float("nan"))


def test_all_broken_rules_are_found_with_their_values() -> None:
    rules = {
        "dark": Rule(measure="mean_luminance", minimum=20),
        "flat": Rule(measure="contrast", minimum=16),
        "wide": Rule(measure="aspect", maximum=4),
        "gone": None,
        "pink": Rule(measure="green_log2", minimum=0, color_only=True),
    }
    values = {"mean_luminance": 3.25, "contrast": 4.0, "aspect": 1.0, "green_log2": -1.0}
    found = findings(values, rules, is_color=False)
    assert list(found) == ["dark", "flat"]
    assert "3.25" in found["dark"]
    assert "20" in found["dark"]
    assert list(findings(values, rules, is_color=True)) == ["dark", "flat", "pink"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"measure": "entropy", "minimum": 1},
        {"measure": "contrast"},
        {"measure": "contrast", "minimum": 2, "maximum": 1},
        {"measure": "contrast", "min": 2},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Rule(**wrong)
