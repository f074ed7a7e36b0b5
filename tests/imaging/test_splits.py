"""Splits are disjoint, cover everything, keep groups whole and stay as they are when frames arrive."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.imaging.splits import (
    SPLITS,
    SplitsConfig,
    assign_splits,
    block_keys,
    crossing,
    group_keys,
    leaks,
    split_of,
)

CONFIG = SplitsConfig(sols_per_group=5, train_share=0.8, val_share=0.1, test_share=0.1)
FRAMES = st.lists(
    st.tuples(st.sampled_from(["curiosity", "spirit"]), st.one_of(st.none(), st.integers(0, 60))), max_size=40
)


def split(
    frames: list[tuple[str, int | None]], component: list[int] | None = None, seed: int = 0
) -> tuple[list[str], list[str]]:
    rovers, sols = [rover for rover, _ in frames], [sol for _, sol in frames]
    blocks = block_keys(rovers, sols, [f"frame{row}" for row in range(len(frames))], CONFIG.sols_per_group)
    groups = group_keys(blocks, np.array(component if component is not None else range(len(frames)), int))
    return groups, assign_splits(groups, [None] * len(frames), CONFIG, seed)


@given(FRAMES)
def test_every_frame_has_one_split_and_groups_are_whole(frames: list[tuple[str, int | None]]) -> None:
    groups, splits = split(frames)
    assert len(splits) == len(frames)
    assert set(splits) <= set(SPLITS)
    assert len(set(zip(groups, splits, strict=True))) == len(set(groups))
    blocks = {
        (rover, None if sol is None else sol // 5, row if sol is None else 0) for row, (rover, sol) in enumerate(frames)
    }
    assert len(set(groups)) == len(blocks)


@given(FRAMES, FRAMES)
def test_new_frames_move_no_old_one(old: list[tuple[str, int | None]], new: list[tuple[str, int | None]]) -> None:
    assert split(old + new)[1][: len(old)] == split(old)[1]


@given(FRAMES, st.data())
def test_a_component_is_never_torn(frames: list[tuple[str, int | None]], data: st.DataObject) -> None:
    component: list[int] = []
    for row in range(len(frames)):
        component.append(data.draw(st.sampled_from(sorted({*component, row}))))
    groups, splits = split(frames, component)
    assert len(set(zip(component, splits, strict=True))) == len(set(component))
    assert not leaks(np.array(component, int), splits).any()
    alone, _ = split(frames)
    for row, root in enumerate(component):
        assert groups[row] == min(alone[other] for other, theirs in enumerate(component) if theirs == root)


def test_a_target_seen_everywhere_does_not_join_all_sols() -> None:
    frames = [("curiosity", sol) for sol in range(0, 100, 5) for _ in range(3)]
    component = [0 if row % 3 == 0 else row for row in range(len(frames))]
    groups, _ = split(frames, component)
    assert len(set(groups)) == 20


def test_the_order_of_frames_does_not_matter() -> None:
    frames = [("curiosity", sol) for sol in range(40)]
    assert split(frames[::-1])[1][::-1] == split(frames)[1]


def test_shares_are_kept_on_the_whole_and_the_seed_draws_anew() -> None:
    drawn = [split_of(f"rover-{number:05d}", CONFIG, 0) for number in range(4000)]
    assert abs(drawn.count("train") / 4000 - 0.8) < 0.02
    assert abs(drawn.count("val") / 4000 - 0.1) < 0.02
    again = [split_of(f"rover-{number:05d}", CONFIG, 1) for number in range(4000)]
    assert 0.5 < np.mean(np.array(drawn) == again) < 0.8


def test_the_draw_is_the_same_on_every_machine() -> None:
    keys = [f"curiosity-{sol:05d}" for sol in range(0, 50, 5)]
    expected = dict.fromkeys(keys, "train") | {keys[1]: "val", keys[7]: "test", keys[8]: "val"}
    assert {key: split_of(key, CONFIG, 0) for key in keys} == expected


def test_a_share_of_one_takes_everything() -> None:
    for name in SPLITS:
        config = SplitsConfig(**{f"{other}_share": float(other == name) for other in SPLITS})
        assert {split_of(str(number), config, 0) for number in range(50)} == {name}


def test_an_official_split_is_kept() -> None:
    official = ["test", "train", None, "elsewhere"]
    groups = ["g"] * 4
    drawn = split_of("g", CONFIG, 0)
    assert assign_splits(groups, official, CONFIG, 0) == ["test", "train", drawn, drawn]


def test_leaks_are_the_train_frames_that_show_held_out_ones() -> None:
    component = np.array([0, 0, 2, 2, 4, 4, 6])
    parts = ["train", "val", "train", "train", "test", "val", "test"]
    assert leaks(component, parts).tolist() == [True, False, False, False, False, False, False]


@given(FRAMES, FRAMES, st.integers(0, 5))
def test_a_new_frame_of_an_old_group_joins_its_split(
    old: list[tuple[str, int | None]], new: list[tuple[str, int | None]], seed: int
) -> None:
    groups, splits = split(old + new, seed=seed)
    homes = dict(zip(groups[: len(old)], splits[: len(old)], strict=True))
    for group, part in zip(groups[len(old) :], splits[len(old) :], strict=True):
        assert part == homes.get(group, part)


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(SPLITS)), max_size=20))
def test_what_crosses_is_dropped_down_to_the_most_held_out_part(rows: list[tuple[int, str]]) -> None:
    first = {label: row for row, (label, _) in reversed(list(enumerate(rows)))}
    component = np.array([first[label] for label, _ in rows], np.int64)
    parts = [part for _, part in rows]
    dropped = crossing(component, parts)
    for root in set(component.tolist()):
        members = [row for row in range(len(rows)) if component[row] == root]
        furthest = max((parts[row] for row in members), key=SPLITS.index)
        assert [row for row in members if not dropped[row]] == [row for row in members if parts[row] == furthest]
    assert not (leaks(component, parts) & ~dropped).any()


def test_shares_must_add_up() -> None:
    with pytest.raises(ValueError, match="add up"):
        SplitsConfig(train_share=0.5)
