"""Pictures of one size: even, undistorted, with a caption that can be read."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.imaging.video import caption_strip, film_size, letterbox, side_by_side

sides = st.integers(1, 5000)


@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=5), st.integers(64, 1100))
def test_a_film_has_even_sides_within_its_limit(sizes, side_px):
    height, width = film_size(sizes, side_px)
    assert height % 2 == width % 2 == 0
    assert min(height, width) >= 2
    assert max(height, width) <= side_px + 1


def test_the_commonest_size_is_the_film_s_and_is_not_enlarged():
    assert film_size([(50, 40), (64, 48), (64, 48)], 1024) == (64, 48)
    assert film_size([(1024, 1024)], 512) == (512, 512)


@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([(64, 48), (48, 64), (40, 40)]))
def test_a_letterbox_distorts_nothing_and_loses_nothing(height, width, size):
    boxed = letterbox(np.full((height, width), 200, np.uint8), *size)
    assert boxed.shape == size
    rows, columns = np.flatnonzero(boxed.max(1)), np.flatnonzero(boxed.max(0))
    scale = min(size[0] / height, size[1] / width)
    assert abs(len(rows) - max(1, height * scale)) <= 1
    assert abs(len(columns) - max(1, width * scale)) <= 1
    assert abs(rows[0] - (size[0] - 1 - rows[-1])) <= 1
    assert abs(columns[0] - (size[1] - 1 - columns[-1])) <= 1


def test_a_picture_of_the_right_size_stays_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype=np.uint8)
    np.testing.assert_array_equal(letterbox(image, 12, 10), image)


def test_gray_stands_on_the_left_and_colour_on_the_right():
    gray, colored = np.full((4, 6), 9, np.uint8), np.full((4, 6, 3), 200, np.uint8)
    both = side_by_side(gray, colored)
    assert both.shape == (4, 12, 3)
    assert (both[:, :6] == 9).all()
    assert (both[:, 6:] == 200).all()


@pytest.mark.parametrize("width_px", [2, 64, 256, 1024, 2048])
@pytest.mark.parametrize("text", ["Opportunity  ·  front hazcam left  ·  sol 5111", "x" * 300, "火星.png"])
def test_a_caption_keeps_within_its_strip(text, width_px):
    strip = caption_strip(text, width_px)
    assert strip.shape[1:] == (width_px, 3)
    assert strip.shape[0] % 2 == 0
    if len(text) < 100 and width_px >= 256:
        assert strip.max() > 200  # there is light text,
        assert strip[:, -max(1, width_px // 50) :].max() == 0  # and it ends before the edge


def test_a_caption_can_be_told_from_another():
    one, other = (caption_strip(f"Spirit  ·  sol {sol}", 512) for sol in (118, 119))
    ink = cv2.absdiff(one, other).max(axis=(0, 2)) > 0
    assert 1 < ink.sum() < 40  # the last digit alone
