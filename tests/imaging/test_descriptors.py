"""Descriptors: they see directions and colours, and nothing of an image's size."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.imaging.descriptors import (
    HandcraftedConfig,
    PixelsConfig,
    color_histogram,
    gradient_histogram,
    handcrafted_codes,
    pixel_codes,
    resize,
)

CONFIG = HandcraftedConfig()


def images(n: int = 3, side_px: int = 32, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, side_px, side_px, 3), dtype=np.uint8)


def slow_gradients(image: np.ndarray, config: HandcraftedConfig) -> np.ndarray:
    """The definition, pixel by pixel."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float) / 255
    side, found = len(gray), np.zeros((config.cells, config.cells, config.directions))
    padded = np.pad(gray, 1, mode="reflect")
    for row in range(side):
        for column in range(side):
            across = padded[row + 1, column + 2] - padded[row + 1, column]
            down = padded[row + 2, column + 1] - padded[row, column + 1]
            place = (np.arctan2(down, across) / np.pi % 1) * config.directions
            low, part = int(place), place - int(place)
            cell = found[row * config.cells // side, column * config.cells // side]
            cell[low % config.directions] += np.hypot(across, down) * (1 - part)
            cell[(low + 1) % config.directions] += np.hypot(across, down) * part
    return found.ravel() / np.linalg.norm(found)


def test_gradients_agree_with_the_definition():
    image = cv2.GaussianBlur(images(1, 64)[0], (0, 0), 2)
    np.testing.assert_allclose(gradient_histogram(image, CONFIG), slow_gradients(image, CONFIG), atol=1e-5)


def test_gradients_tell_directions_and_places():
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, 8:] = 255  # one vertical edge in the first column of cells
    cells = gradient_histogram(image, CONFIG).reshape(4, 4, 8)
    assert cells[:, 0, 0].min() > 0.4
    assert np.delete(cells.reshape(16, 8), [0, 4, 8, 12], axis=0).max() == 0
    turned = gradient_histogram(np.ascontiguousarray(image.transpose(1, 0, 2)), CONFIG).reshape(4, 4, 8)
    np.testing.assert_allclose(turned[0, :, 4], cells[:, 0, 0], atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(2, 20))
def test_colours_are_roots_of_shares(seed, bins):
    image = images(1, 16, seed)[0]
    counted = [np.histogram(image[..., c], bins=bins, range=(0, 256))[0] for c in range(3)]
    shares = color_histogram(image, bins) ** 2
    np.testing.assert_allclose(shares, np.concatenate(counted) / (3 * 256), atol=1e-6)
    assert shares.sum() == pytest.approx(1, abs=1e-5)


def test_an_even_image_has_no_gradients_and_finite_codes():
    codes = handcrafted_codes(np.full((2, 24, 24, 3), 7, np.uint8), CONFIG)
    assert np.isfinite(codes).all()
    assert codes[:, :128].max() == 0
    assert codes.shape == (2, CONFIG.dim)


def test_brightness_scales_no_gradient_and_size_changes_little():
    image = cv2.GaussianBlur(images(1, 128)[0], (0, 0), 6)
    image = cv2.normalize(image, None, 0, 250, cv2.NORM_MINMAX)
    whole = handcrafted_codes(image[None], CONFIG)[0]
    darker = handcrafted_codes((image // 2)[None], CONFIG)[0]
    smaller = handcrafted_codes(resize(image[None], 72), CONFIG)[0]
    assert whole[:128] @ darker[:128] > 0.995
    assert whole @ smaller / np.linalg.norm(whole) / np.linalg.norm(smaller) > 0.98


def test_pixels_are_the_image_made_small():
    codes = pixel_codes(images(2, 32), PixelsConfig(side_px=16))
    means = images(2, 32).reshape(2, 16, 2, 16, 2, 3).mean(axis=(2, 4)) / 255
    np.testing.assert_allclose(codes, means.reshape(2, -1), atol=0.5 / 255 + 1e-6)


def test_resizing_leaves_the_argument_alone():
    pixels = images()
    before = pixels.copy()
    assert resize(pixels, 32) is not None
    resize(pixels, 48)[:] = 0
    np.testing.assert_array_equal(pixels, before)
