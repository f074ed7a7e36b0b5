"""The duplicates sheet shows each kind of relation from its weakest group to its strongest."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from rovervision.imaging.relations import KINDS
from rovervision.pipelines.curation.figures import draw_duplicates
from rovervision.pipelines.curation.figures.duplicates import Group, groups_of, laid_out
from rovervision.pipelines.curation.figures.pages import REJECTED, SPLIT_COLORS
from tests.pipelines.curation.figures.conftest import CountedShards, check_page, frames_table


def pairs_table(pairs: list[tuple[int, int]], kind: str, measures: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "frame_id": pd.Series([f"f{i}" for i, _ in pairs], dtype="string"),
            "other_id": pd.Series([f"f{j}" for _, j in pairs], dtype="string"),
            "kind": pd.Series([kind] * len(pairs), dtype="string"),
            "measure": np.array(measures, np.float64),
        }
    )


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(10, 19), st.floats(0.5, 1.0)), min_size=1, max_size=15))
def test_groups_are_what_pairs_connect(listed: list[tuple[int, int, float]]) -> None:
    found = groups_of(pairs_table([row[:2] for row in listed], "near", [row[2] for row in listed]))
    together: list[set[str]] = []
    for i, j, _ in listed:
        joined = {f"f{i}", f"f{j}"}.union(*(one for one in together if one & {f"f{i}", f"f{j}"}))
        together = [one for one in together if not one & joined] + [joined]
    assert sorted(map(sorted, together)) == sorted(group.frame_ids for group in found)
    for group in found:
        mine = [row[2] for row in listed if f"f{row[0]}" in group.frame_ids]
        assert group.measures == (min(mine), max(mine))
    weakest = [group.measures[0] for group in found]
    assert weakest == sorted(weakest)


def test_seconds_apart_are_weakest_where_most() -> None:
    found = groups_of(pairs_table([(0, 1), (2, 3), (4, 5)], "burst", [1.0, 9.0, 3.0]))
    assert [group.measures[1] for group in found] == [9.0, 3.0, 1.0]


@given(st.lists(st.integers(2, 9), min_size=1, max_size=60))
def test_two_lines_hold_the_weakest_and_as_many_more_as_fit(sizes: list[int]) -> None:
    groups = [Group([f"{number}_{k}" for k in range(size)], (0.0, 1.0)) for number, size in enumerate(sizes)]
    lines = laid_out("near", groups)
    shown = [group for line in lines for group in line.groups]
    assert 1 <= len(lines) <= 2
    assert shown[0] is groups[0]
    if len(shown) > 1:
        assert shown[-1] is groups[-1]
    assert [groups.index(group) for group in shown] == sorted(groups.index(group) for group in shown)
    assert len(shown) >= min(len(groups), 4)


@pytest.mark.parametrize("kinds", [KINDS, KINDS[:1], KINDS[1:3]])
def test_every_kind_is_named_with_its_pairs_and_groups(kinds: tuple[str, ...]) -> None:
    frames = frames_table(60, reasons={3: {"exact_duplicate": "the same bytes as f2"}})
    tables = []
    for kind in kinds:
        value = np.nan if kind in {"exact", "version"} else 0.98
        pairs = [(2, 3), (3, 4), *((row, row + 1) for row in range(10, 50, 2)), *((50, j) for j in range(51, 58))]
        tables.append(pairs_table(pairs, kind, [value] * len(pairs)))
    figure = draw_duplicates(CountedShards(frames), frames, pd.concat(tables, ignore_index=True))
    shown = check_page(figure)
    for kind in KINDS:
        assert f"{kind.replace('_', ' ')} {29 if kind in kinds else 0}" in shown
        assert (f"\n{kind.replace('_', ' ')}\n" in shown) == (kind in kinds)
    assert shown.count("29 pairs, 22 groups of 2 to 8 frames") == len(kinds)
    if "near" in kinds:
        assert "r = 0.980" in shown
    if "stereo" in kinds:
        assert "0.98 s apart" in shown


def test_large_groups_say_how_many_more_there_are() -> None:
    frames = frames_table(12)
    related = pairs_table([(0, j) for j in range(1, 12)], "near", [0.97 + j / 1000 for j in range(11)])
    figure = draw_duplicates(CountedShards(frames), frames, related)
    shown = check_page(figure)
    assert "+8" in shown
    assert "r = 0.970 to 0.980" in shown
    assert len(figure.axes[0].images) == 4


def test_the_bar_below_a_picture_is_its_split() -> None:
    frames = frames_table(15, reasons={1: {"exact_duplicate": "the same bytes as f0"}})
    figure = draw_duplicates(CountedShards(frames), frames, pairs_table([(0, 1), (1, 5), (5, 10)], "near", [1.0] * 3))
    below = [0.02 + image.get_extent()[2] for image in figure.axes[0].images]
    bars = [part for part in figure.axes[0].patches if isinstance(part, Rectangle) and part.get_y() in below]
    expected = [SPLIT_COLORS["train"], REJECTED, SPLIT_COLORS["test"], SPLIT_COLORS["val"]]  # f0, f1, f10, f5
    assert [to_hex(bar.get_facecolor()) for bar in sorted(bars, key=lambda bar: bar.get_x())] == expected


def test_without_relations_the_page_says_so() -> None:
    frames = frames_table(3)
    assert "No two frames are related." in check_page(draw_duplicates({}, frames, pairs_table([], "near", [])))
