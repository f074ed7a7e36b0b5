"""Mosaics are told from gray pictures, and come out the right way round."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.bayer import debayer, mosaic_score
from rovervision.imaging.decoding import decode_image


def scene(seed: int = 0, size: int = 96) -> np.ndarray:
    """Return a smooth (H, W, 3) picture in the colours of Mars with a little grain."""
    rng = np.random.default_rng(seed)
    light = cv2.GaussianBlur(rng.normal(0, 1, (size, size)).astype(np.float32), (0, 0), 4)
    light = 0.5 + 0.35 * light / np.abs(light).max()
    rgb = light[..., None] * np.array([220, 150, 90]) + rng.normal(0, 1.5, (size, size, 3))
    return np.clip(rgb, 0, 255).astype(np.uint8)


def mosaicked(rgb: np.ndarray) -> np.ndarray:
    """Return the R G / G B mosaic of a picture, by hand."""
    mosaic = np.empty(rgb.shape[:2], rgb.dtype)
    mosaic[0::2, 0::2] = rgb[0::2, 0::2, 0]
    mosaic[0::2, 1::2] = rgb[0::2, 1::2, 1]
    mosaic[1::2, 0::2] = rgb[1::2, 0::2, 1]
    mosaic[1::2, 1::2] = rgb[1::2, 1::2, 2]
    return mosaic


@pytest.mark.parametrize("seed", range(3))
def test_a_mosaic_made_by_hand_comes_back(seed: int) -> None:
    rgb = scene(seed)
    error = np.abs(debayer(mosaicked(rgb)).astype(int) - rgb)[4:-4, 4:-4]
    assert error.mean() < 3
    swapped = np.abs(debayer(mosaicked(rgb)).astype(int)[..., ::-1] - rgb)[4:-4, 4:-4]
    assert swapped.mean() > 10 * error.mean()


@pytest.mark.parametrize("channel", range(3))
def test_a_pure_channel_stays_in_its_channel(channel: int) -> None:
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[..., channel] = 180
    middle = debayer(mosaicked(rgb))[8:-8, 8:-8].reshape(-1, 3).mean(axis=0)
    assert np.argmax(middle) == channel
    assert middle[channel] == 180


def test_sixteen_bits_are_debayered_as_they_are() -> None:
    rgb = np.full((16, 16, 3), (4000, 2500, 1000), np.uint16)
    np.testing.assert_array_equal(debayer(mosaicked(rgb))[8, 8], [4000, 2500, 1000])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), size=st.integers(40, 120))
def test_a_mosaic_scores_high_and_its_luminance_low(seed: int, size: int) -> None:
    rgb = scene(seed, size)
    assert mosaic_score(mosaicked(rgb)) > 0.5
    assert mosaic_score(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)) < 0.05


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), quality=st.integers(70, 95))
def test_jpeg_does_not_make_a_mosaic(seed: int, quality: int) -> None:
    gray = cv2.cvtColor(scene(seed), cv2.COLOR_RGB2GRAY)
    data = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    assert mosaic_score(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)) < 0.1


def test_what_only_looks_regular_is_no_mosaic() -> None:
    gradient = np.add.outer(np.arange(64) * 2, np.arange(64)).astype(np.uint8)
    interlaced = scene()[..., 1].copy()
    interlaced[0::2] += 20
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    for picture in (gradient, interlaced, interlaced.T.copy(), noise, np.full((64, 64), 80, np.uint8), noise[:4]):
        assert mosaic_score(picture) < 0.1


@pytest.mark.real
def test_real_mosaics_are_found_and_no_other_gray_picture(real_images: Path) -> None:
    mosaics = [
        *(real_images / "curiosity" / "mastcam_bayer_raw").iterdir(),
        *(real_images / "perseverance" / "mastcamz_left").iterdir(),
    ]
    assert len(mosaics) == 9
    for path in mosaics:
        image = decode_image(path.read_bytes())
        gray = image if image.ndim == 2 else image[..., 1]
        assert mosaic_score(np.ascontiguousarray(gray)) > 0.7, path.name
        red, green, blue = debayer(gray).reshape(-1, 3).mean(axis=0)
        assert red > green > blue, path.name
    grays = [
        *real_images.glob("curiosity/navcam*/*"),
        *real_images.glob("curiosity/hazcam/*"),
        *real_images.glob("spirit/*/*.png"),
        *real_images.glob("spirit/*/*.jpg"),
    ]
    assert len(grays) > 15
    for path in grays:
        image = decode_image(path.read_bytes())
        assert mosaic_score(image if image.ndim == 2 else np.ascontiguousarray(image[..., 1])) < 0.01, path.name
