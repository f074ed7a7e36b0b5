"""Boxes lie inside the picture, are the same in every run, and cover what they are said to cover."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rovervision.imaging.cutting import UNCOVERED_FRAC, CuttingConfig, boxes_for
from rovervision.imaging.framing import Box, square_boxes

sizes = st.tuples(st.integers(0, 700), st.integers(0, 700))
configs = st.builds(
    CuttingConfig,
    how=st.sampled_from(["squares", "whole", "grid", "random"]),
    scale=st.sampled_from([0.5, 0.7, 1.0, 1.5, 2.0]),
    box_px=st.integers(16, 300),
    overlap_frac=st.floats(0, 0.75),
    per_frame=st.integers(1, 12),
    min_side_px=st.integers(16, 100),
    max_side_px=st.none() | st.integers(100, 400),
    seed=st.integers(0, 3),
)


@given(size=sizes, config=configs, key=st.text(max_size=8))
def test_boxes_lie_inside_and_repeat_themselves(size: tuple[int, int], config: CuttingConfig, key: str) -> None:
    height, width = size
    boxes = boxes_for(height, width, config, key)
    assert boxes == boxes_for(height, width, config, key)
    for box in boxes:
        assert all(type(number) is int for number in box)
        assert box.side_px >= 1
        assert 0 <= box.left_px <= width - box.side_px
        assert 0 <= box.top_px <= height - box.side_px
    if min(size) == 0 or max(size) > 8 * min(size):
        assert boxes == []


@given(size=sizes)
def test_squares_are_those_of_framing(size: tuple[int, int]) -> None:
    assert boxes_for(*size, CuttingConfig(), "a") == square_boxes(*size)


@given(height=st.integers(1, 400), width=st.integers(1, 400))
def test_whole_is_the_largest_square_in_the_middle(height: int, width: int) -> None:
    boxes = boxes_for(height, width, CuttingConfig(how="whole"), "a")
    if max(height, width) > 8 * min(height, width):
        assert boxes == []
        return
    (box,) = boxes
    assert box.side_px == min(height, width)
    assert 0 <= (width - box.side_px) - 2 * box.left_px <= 1
    assert 0 <= (height - box.side_px) - 2 * box.top_px <= 1


def test_a_grid_that_fits_is_the_plain_grid() -> None:
    """Opportunity's colorizer cut 256 tiles of 64 px from 1,024 px."""
    boxes = boxes_for(1024, 1024, CuttingConfig(how="grid", box_px=64), "a")
    assert boxes == [Box(64 * column, 64 * row, 64) for row in range(16) for column in range(16)]
    assert boxes_for(1024, 1024, CuttingConfig(how="grid", box_px=32, scale=0.5), "a") == boxes


@given(short=st.integers(16, 200), long=st.integers(16, 900))
def test_a_grid_of_the_short_side_is_the_squares(short: int, long: int) -> None:
    height, width = min(short, long), max(short, long)
    config = CuttingConfig(how="grid", box_px=height)
    assert boxes_for(height, width, config, "a") == square_boxes(height, width)
    assert boxes_for(width, height, config, "a") == square_boxes(width, height)


@given(
    height=st.integers(32, 400),
    width=st.integers(32, 400),
    box_px=st.integers(16, 200),
    overlap_frac=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75]),
)
def test_a_grid_covers_all_but_thin_margins(height: int, width: int, box_px: int, overlap_frac: float) -> None:
    boxes = boxes_for(height, width, CuttingConfig(how="grid", box_px=box_px, overlap_frac=overlap_frac), "a")
    if box_px > min(height, width) or max(height, width) > 8 * min(height, width):
        assert boxes == []
        return
    for length, starts in ((width, {b.left_px for b in boxes}), (height, {b.top_px for b in boxes})):
        line = np.zeros(length, bool)
        for start in starts:
            line[start : start + box_px] = True
        bare = np.flatnonzero(~line)
        step = box_px * (1 - overlap_frac)
        assert len(bare) <= math.ceil(UNCOVERED_FRAC * step) + 1
        assert abs(np.argmax(line) - np.argmax(line[::-1])) <= 1  # half at each end, and no gap between
        assert line[np.argmax(line) : length - np.argmax(line[::-1])].all()
        gaps = np.diff(sorted(starts))
        assert (gaps <= math.ceil(step)).all()
        assert len(starts) <= math.ceil((length - box_px * overlap_frac) / step)
    assert len(set(boxes)) == len(boxes)


@given(size=st.tuples(st.integers(130, 500), st.integers(130, 500)), key=st.text(max_size=5), few=st.integers(1, 5))
def test_more_random_boxes_keep_the_first(size: tuple[int, int], key: str, few: int) -> None:
    one = boxes_for(*size, CuttingConfig(how="random", per_frame=few), key)
    more = boxes_for(*size, CuttingConfig(how="random", per_frame=9), key)
    assert len(one) == few
    assert more[:few] == one


def test_random_boxes_differ_by_frame_and_seed_and_reach_every_place_and_side() -> None:
    config = CuttingConfig(how="random", per_frame=4000, min_side_px=20, max_side_px=23)
    boxes = boxes_for(30, 40, config, "one")
    assert {box.side_px for box in boxes} == {20, 21, 22, 23}
    assert {box.left_px for box in boxes} == set(range(21))
    assert {box.top_px for box in boxes} == set(range(11))
    assert min(np.bincount([box.side_px for box in boxes])[20:]) > 800
    assert boxes_for(30, 40, config, "other") != boxes
    assert boxes_for(30, 40, config.model_copy(update={"seed": 1}), "one") != boxes


def test_random_boxes_stay_what_they_are() -> None:
    """A new release that drew others would tear resumed runs apart."""
    config = CuttingConfig(how="random", per_frame=2, min_side_px=64, seed=7)
    assert boxes_for(480, 640, config, "frame") == [Box(149, 38, 426), Box(131, 16, 371)]


@pytest.mark.parametrize(
    "given_values",
    [{"max_side_px": 64, "min_side_px": 65}, {"overlap_frac": 0.8}, {"scale": 0}, {"how": "all"}, {"stride": 3}],
)
def test_impossible_settings_are_refused(given_values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CuttingConfig(**given_values)
