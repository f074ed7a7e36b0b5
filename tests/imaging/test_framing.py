"""Borders are found where they are and nowhere else; squares cover what is left."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.decoding import decode_image, to_uint8
from rovervision.imaging.framing import Content, channel_maximum, content_box, square_boxes

SIDES = st.integers(0, 20)


def lit(height: int, width: int, seed: int = 0, color: bool = True) -> np.ndarray:
    """Return a sunlit texture of levels 60 to 200."""
    rng = np.random.default_rng(seed)
    return rng.integers(60, 200, (height, width, 3) if color else (height, width), dtype=np.uint8)


@settings(max_examples=50, deadline=None)
@given(left=SIDES, top=SIDES, right=SIDES, bottom=SIDES, color=st.booleans(), level=st.integers(0, 8))
def test_a_border_is_found_to_the_line(left: int, top: int, right: int, bottom: int, color: bool, level: int) -> None:
    image = np.full((80 + top + bottom, 90 + left + right, 3)[: 3 if color else 2], level, np.uint8)
    image[top : top + 80, left : left + 90] = lit(80, 90, color=color)
    found = content_box(image)
    exact = Content(left, top, left + 90, top + 80)
    # one blended line is taken with each border that exists, none where there is none
    expected = Content(left + (left > 0), top + (top > 0), exact.right_px - (right > 0), exact.bottom_px - (bottom > 0))
    assert found == expected


@settings(max_examples=20, deadline=None)
@given(border=st.integers(4, 24), quality=st.integers(60, 95), seed=st.integers(0, 5))
def test_a_border_survives_jpeg(border: int, quality: int, seed: int) -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    image[:, border:] = cv2.GaussianBlur(lit(120, 160 - border, seed), (5, 5), 0)
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    found = content_box(cv2.imdecode(data, cv2.IMREAD_COLOR))
    assert border <= found.left_px <= border + 3
    assert (found.top_px, found.right_px, found.bottom_px) == (0, 160, 120)


def test_night_is_no_border() -> None:
    night = np.random.default_rng(0).poisson(4, (100, 120)).astype(np.uint8)
    assert content_box(night) == Content(0, 0, 120, 100)


def test_a_black_frame_is_kept_whole_for_the_rules_to_judge() -> None:
    assert content_box(np.zeros((50, 60), np.uint8)) == Content(0, 0, 60, 50)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 1), (1, 60_000)])
@pytest.mark.parametrize("level", [0, 200])
def test_a_line_of_pixels_is_kept_whole(shape: tuple[int, int], level: int) -> None:
    image = np.full(shape, level, np.uint8)
    assert content_box(image) == Content(0, 0, shape[1], shape[0])


def test_a_shadow_that_fades_is_no_border() -> None:
    ramp = np.clip(np.linspace(-20, 160, 120), 0, 255)
    image = np.repeat(ramp[:, None], 100, axis=1) + np.random.default_rng(0).normal(0, 3, (120, 100))
    assert content_box(np.clip(image, 0, 255).astype(np.uint8)).top_px == 0


def test_the_argument_is_not_changed() -> None:
    image = lit(40, 40)
    before = image.copy()
    content_box(image)
    np.testing.assert_array_equal(image, before)


def test_channel_maximum_is_that_of_numpy() -> None:
    image = lit(12, 15)
    np.testing.assert_array_equal(channel_maximum(image), image.max(axis=2))


@settings(max_examples=300, deadline=None)
@given(height=st.integers(1, 600), width=st.integers(1, 600))
def test_squares_cover_evenly_and_are_few(height: int, width: int) -> None:
    side, long = sorted((height, width))
    boxes = square_boxes(height, width, aspect_max=8.0, uncovered_frac=0.15)
    if long > 8 * side:
        assert boxes == []
        return
    assert all(box.side_px == side for box in boxes)
    assert all(0 <= box.left_px <= width - side and 0 <= box.top_px <= height - side for box in boxes)
    assert len(boxes) == max(1, math.ceil(long / side - 0.15))
    covered = np.zeros((height, width), bool)
    for left, top, size in boxes:
        covered[top : top + size, left : left + size] = True
    uncovered = long - np.count_nonzero(covered.any(axis=0) if width >= height else covered.any(axis=1))
    assert uncovered <= 0.15 * side + 1
    starts = np.sort([box.left_px + box.top_px for box in boxes])
    if len(starts) > 2:
        assert np.ptp(np.diff(starts)) <= 1


def test_squares_of_a_portrait_are_those_of_the_landscape_turned() -> None:
    turned = [(box.top_px, box.left_px, box.side_px) for box in square_boxes(500, 200)]
    assert turned == [tuple(box) for box in square_boxes(200, 500)]


@pytest.mark.real
def test_real_borders_are_found(real_images: Path) -> None:
    mosaic = next((real_images / "perseverance" / "mastcamz_left").glob("*.png"))
    found = content_box(to_uint8(decode_image(mosaic.read_bytes())))
    assert 10 <= found.left_px <= 40
    for path in (real_images / "curiosity" / "navcam").glob("*.jpg"):
        image = to_uint8(decode_image(path.read_bytes()))
        assert content_box(image) == Content(0, 0, image.shape[1], image.shape[0]), path.name
