"""The split sheet counts every kept frame once, at its sol and in its split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.imaging.splits import SPLITS
from rovervision.pipelines.curation.figures import draw_splits
from rovervision.pipelines.curation.figures.splits import binned
from tests.pipelines.curation.figures.conftest import check_page, frames_table, tiles_table


@given(st.lists(st.tuples(st.integers(0, 6000), st.sampled_from(SPLITS)), min_size=1, max_size=50))
def test_bars_count_every_frame_once_at_its_sol(listed: list[tuple[int, str]]) -> None:
    sols, splits = np.array([row[0] for row in listed]), np.array([row[1] for row in listed])
    starts, counts, step = binned(sols, splits)
    assert len(starts) <= 150
    assert (np.diff(starts) == step).all()
    for split in SPLITS:
        slow = [sum(start <= sol < start + step and part == split for sol, part in listed) for start in starts]
        assert counts[split].tolist() == slow
    assert sum(int(count.sum()) for count in counts.values()) == len(listed)


@pytest.mark.parametrize("count", [1, 3, 100])
def test_every_rover_and_split_is_counted(count: int) -> None:
    frames = frames_table(count)
    shown = check_page(draw_splits(frames, tiles_table(frames)))
    for rover, mine in frames.groupby("rover"):
        assert f"{rover}\n{len(mine)} frame" in shown
    for split, mine in frames.groupby("split"):
        assert f"{split}\n{len(mine)} frame" in shown
        assert f"{2 * len(mine)} tiles" in shown
    assert "none of them torn" in shown
    missing = set(SPLITS) - set(frames["split"])
    assert all(("Nothing is in" in shown and split in shown) for split in missing)


def test_splits_stand_upon_one_another_at_their_sols() -> None:
    frames = frames_table(15).assign(rover="curiosity", sol=[1] * 6 + [4] * 6 + [1] * 3)
    figure = draw_splits(frames, tiles_table(frames))
    bars = {}
    for split, part in zip(SPLITS, figure.axes[1].collections, strict=True):
        extents = [path.get_extents() for path in part.get_paths()]
        bars[split] = [(box.x0, box.y0, box.y1) for box in extents]
        assert all(0.8 < box.width < 1 for box in extents)
    assert bars == {"train": [(1, 0, 5)], "val": [(1, 5, 6), (4, 0, 4)], "test": [(1, 6, 9), (4, 4, 6)]}


def test_torn_groups_are_told() -> None:
    frames = frames_table(10)
    frames["split"] = ["train", "val"] * 5
    assert "2 groups, 2 of them in several splits" in check_page(draw_splits(frames, tiles_table(frames)))


def test_frames_without_a_sol_have_shares_in_place_of_a_timeline() -> None:
    frames = frames_table(20)
    frames.loc[frames["rover"] == "curiosity", "sol"] = None
    frames.loc[1, "sol"] = None
    shown = check_page(draw_splits(frames, tiles_table(frames)))
    assert "no sol is known: shares of the splits" in shown
    assert "1 without a sol" in shown


def test_without_kept_frames_the_page_says_so() -> None:
    frames = frames_table(2, reasons={row: {"a": "b"} for row in range(2)})
    tiles = tiles_table(frames_table(2)).select([])
    assert "No frame was kept." in check_page(draw_splits(frames, tiles))
