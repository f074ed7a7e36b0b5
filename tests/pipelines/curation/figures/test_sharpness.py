"""The scatter shows frames at their values, and none covers another."""

import numpy as np
import pytest

from rovervision.pipelines.curation.figures import draw_sharpness
from rovervision.pipelines.curation.figures.pages import KEPT, REJECTED
from rovervision.pipelines.curation.figures.sharpness import _levels
from tests.pipelines.curation.figures.conftest import CountedShards, check_page, frames_table

FINDING = {"low_entropy": "entropy_bits 3.1 is below 4"}


@pytest.mark.parametrize("count", [1, 2, 90])
def test_every_frame_is_a_dot_at_its_values(count: int) -> None:
    frames = frames_table(count, reasons={0: FINDING})
    figure = draw_sharpness(CountedShards(frames), frames)
    check_page(figure)
    dots = np.concatenate([np.asarray(part.get_offsets()) for part in figure.axes[1].collections])
    expected = frames[["entropy_bits", "spatial_variance"]].to_numpy(copy=True)
    expected[:, 1] = np.maximum(expected[:, 1], 0.125)
    np.testing.assert_allclose(np.sort(dots, axis=0), np.sort(expected, axis=0))
    (left, right), (low, high) = figure.axes[1].get_xlim(), figure.axes[1].get_ylim()
    assert ((dots[:, 0] > left) & (dots[:, 0] < right)).all()
    assert ((dots[:, 1] > low) & (dots[:, 1] < high)).all()


def test_a_picture_stands_at_its_values_framed_in_the_colour_of_its_fate() -> None:
    frames = frames_table(2, reasons={1: FINDING})
    frames["entropy_bits"], frames["spatial_variance"] = [7.0, 3.0], [900.0, 1.0]
    figure = draw_sharpness(CountedShards(frames), frames)
    axes, board = figure.axes[1], np.asarray(figure.axes[2].images[0].get_array())
    for row, color in ((0, KEPT), (1, REJECTED)):
        place = axes.transData.transform((frames["entropy_bits"][row], frames["spatial_variance"][row]))
        across, up = axes.transAxes.inverted().transform(place)
        y, x = round((1 - up) * board.shape[0]), round(across * board.shape[1])
        np.testing.assert_array_equal(board[y, x], [row, 0, 7, 255])
        right = x + int(np.flatnonzero(board[y, x:, 3] == 0)[0]) - 1
        np.testing.assert_array_equal(board[y, right, :3], _levels(color))


def test_limits_are_drawn_where_a_frame_broke_them() -> None:
    frames = frames_table(30)
    assert "entropy_bits ≥" not in check_page(draw_sharpness(CountedShards(frames), frames))
    both = {
        0: FINDING,
        1: {"blurred": "spatial_variance 0.25 is below 15"},
        2: {"entropy_bits": "contrast 3 is below 9"},
    }
    broken = frames_table(30, reasons=both)
    shown = check_page(draw_sharpness(CountedShards(broken), broken))
    assert "entropy_bits ≥ 4" in shown
    assert "spatial_variance ≥ 15" in shown
    assert "contrast" not in shown


def test_frames_without_measures_are_left_out_and_none_at_all_is_said() -> None:
    frames = frames_table(5)
    frames.loc[:1, ["entropy_bits", "spatial_variance", "thumbnail"]] = None
    assert "3 frames, each a dot" in check_page(draw_sharpness(CountedShards(frames), frames))
    frames[["entropy_bits", "spatial_variance"]] = np.nan
    assert "No frame was measured." in check_page(draw_sharpness({}, frames))
