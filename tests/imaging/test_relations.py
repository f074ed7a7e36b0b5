"""Each kind of relation is found where it is, and nowhere else; groups made of them cross no split."""

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.duplicates import DuplicatesConfig
from rovervision.imaging.looks import Looks, looks_of_tiles
from rovervision.imaging.relations import (
    BURST,
    EXACT,
    KINDS,
    NEAR,
    RELATION_COLUMNS,
    SAME_SCENE,
    STEREO,
    VERSION,
    RelationsConfig,
    find_relations,
    older_versions,
    pair_name,
    related_components,
    relation_counts,
    relation_pairs,
    same_scene_pairs,
    stereo_pairs,
)
from rovervision.imaging.splits import SplitsConfig, assign_splits, block_keys, crossing, group_keys

TOGETHER = (EXACT, NEAR, STEREO, BURST, SAME_SCENE)


def scenes(seed: int, count: int, side_px: int = 64) -> np.ndarray:
    """(count, side, side, 3) uint8 pictures that have nothing in common."""
    rng = np.random.default_rng(seed)
    blurred = [
        cv2.GaussianBlur(rng.integers(0, 256, (side_px, side_px), dtype=np.uint8), (0, 0), 4) for _ in range(count)
    ]
    spread = [cv2.normalize(each, None, 20, 230, cv2.NORM_MINMAX) for each in blurred]
    return np.repeat(np.stack(spread)[..., None], 3, axis=3) if count else np.empty((0, side_px, side_px, 3), np.uint8)


def frames_of(count: int, **columns: object) -> pd.DataFrame:
    """Frames of one rover without a clock, unless columns say more."""
    plain = {
        "frame_id": [f"f{row}" for row in range(count)],
        "rover": "curiosity",
        "camera": "mahli",
        "sclk_s": np.nan,
    }
    return pd.DataFrame(plain | columns)


def kinds_of(relations: pd.DataFrame) -> dict[str, set[tuple[str, str]]]:
    return {kind: set(zip(rows["frame_id"], rows["other_id"], strict=True)) for kind, rows in relations.groupby("kind")}


def test_each_kind_is_found_once_and_measured() -> None:
    pixels = scenes(0, 9)
    pixels[1] = pixels[0]
    pixels[2] = np.clip(pixels[0] * 0.9, 0, 255)
    frames = frames_of(
        9,
        camera=["mahli"] * 3 + ["navcam_left", "navcam_right", "mahli", "mahli", "mahli", "mahli"],
        sclk_s=[np.nan] * 3 + [100.0, 104.0, 500.0, 501.0, np.nan, np.nan],
        sha256=["a", "a", "b", "c", "d", "e", "f", "", None],
        product=[""] * 7 + ["P", "P"],
        version=[""] * 7 + ["2", "1"],
    )
    found = find_relations(frames, looks_of_tiles(pixels), DuplicatesConfig(burst_s=2.0), RelationsConfig())
    assert tuple(found.columns) == RELATION_COLUMNS
    assert kinds_of(found) == {
        EXACT: {("f0", "f1")},
        NEAR: {("f0", "f1"), ("f0", "f2"), ("f1", "f2")},
        STEREO: {("f3", "f4")},
        BURST: {("f5", "f6")},
        VERSION: {("f8", "f7")},
    }
    measure = found.groupby("kind")["measure"].min()
    assert measure[STEREO] == 4.0
    assert measure[BURST] == 1.0
    assert 0.96 <= measure[NEAR] <= 1.0001
    assert np.isnan(measure[VERSION])
    assert relation_counts(found) == {EXACT: 1, NEAR: 3, STEREO: 1, BURST: 1, VERSION: 1, SAME_SCENE: 0}


def test_frames_that_share_a_tile_but_not_the_whole_show_the_same_scene() -> None:
    """A panorama of two squares, and its right half as a frame: the wholes are unlike, a tile agrees."""
    left, right, other = scenes(3, 3)
    wide = np.concatenate([left, right], axis=1)
    whole = looks_of_tiles(np.stack([cv2.resize(wide, (64, 64), interpolation=cv2.INTER_AREA), right, other]))
    tiles = looks_of_tiles(np.stack([left, right, np.clip(right * 0.95, 0, 255).astype(np.uint8), other]))
    found = find_relations(frames_of(3), whole, DuplicatesConfig(), RelationsConfig(), (np.array([0, 0, 1, 2]), tiles))
    assert kinds_of(found) == {SAME_SCENE: {("f0", "f1")}}
    assert found["measure"].iloc[0] > 0.96


def test_tiles_of_one_frame_and_of_frames_alike_tell_nothing_new() -> None:
    same = np.repeat(scenes(4, 1), 4, axis=0)
    owners, looks = np.array([0, 0, 1, 2]), looks_of_tiles(same)
    pairs, best = same_scene_pairs(owners, looks, np.array([0, 0, 2]), RelationsConfig())
    assert pairs.tolist() == [[0, 2], [1, 2]]
    assert best == pytest.approx([1.0, 1.0], abs=1e-5)


@pytest.mark.parametrize(
    ("camera", "name"),
    [
        ("navcam_left", "navcam_*"),
        ("navcam_right", "navcam_*"),
        ("front_hazcam_left", "front_hazcam_*"),
        ("MASTCAM_LEFT", "mastcam_*"),
        ("left_eye", "*_eye"),
        ("mahli", None),
        ("brightness", None),
        ("rear_hazcam", None),
        ("left_right", None),
    ],
)
def test_sides_are_words_of_a_camera_name(camera: str, name: str | None) -> None:
    assert pair_name(camera) == name


@settings(max_examples=80, deadline=None)
@given(
    frames=st.lists(
        st.tuples(
            st.sampled_from(["one", "two"]),
            st.sampled_from(["navcam_left", "navcam_right", "hazcam_left", "hazcam_right", "mahli"]),
            st.one_of(st.just(np.nan), st.integers(0, 30).map(float)),
        ),
        max_size=20,
    ),
    stereo_s=st.integers(0, 8).map(float),
)
def test_stereo_pairs_are_those_of_two_loops(frames: list[tuple[str, str, float]], stereo_s: float) -> None:
    expected = {
        (i, j)
        for j, (rover, camera, then) in enumerate(frames)
        for i, (other, eye, when) in enumerate(frames[:j])
        if rover == other
        and {camera, eye} in ({"navcam_left", "navcam_right"}, {"hazcam_left", "hazcam_right"})
        and abs(then - when) <= stereo_s
    }
    rovers, cameras = [each[0] for each in frames], [each[1] for each in frames]
    found = stereo_pairs(rovers, cameras, np.array([each[2] for each in frames], float), stereo_s)
    assert len(found) == len(expected)
    assert {tuple(pair) for pair in found.tolist()} == expected


def test_the_limit_of_a_stereo_pair_is_still_one() -> None:
    cameras, clock = ["navcam_left", "navcam_right", "navcam_right"], np.array([10.0, 15.0, 4.75])
    assert stereo_pairs(["one"] * 3, cameras, clock, 5.0).tolist() == [[0, 1]]
    assert stereo_pairs(["one"] * 3, cameras[::-1], clock, 5.25).tolist() == [[0, 2]]


def test_frames_without_a_known_digest_are_not_equal() -> None:
    frames = frames_of(5, sha256=["", "", None, None, "a"])
    found = find_relations(frames, looks_of_tiles(scenes(0, 5)), DuplicatesConfig(), RelationsConfig())
    assert len(found) == 0


@given(st.lists(st.tuples(st.sampled_from(["", "P", "Q"]), st.sampled_from(["", "1", "2", "A"])), max_size=15))
def test_of_each_product_the_highest_version_stays(names: list[tuple[str, str]]) -> None:
    products, versions = [name for name, _ in names], [version for _, version in names]
    found = older_versions(products, versions)
    best = {product: max(v for p, v in names if p == product) for product in products}
    assert {row for row, _ in found.tolist()} == {
        row for row, (product, version) in enumerate(names) if product and version < best[product]
    }
    for row, newest in found.tolist():
        assert products[row] == products[newest]
        assert versions[newest] == best[products[row]]
        assert newest == min(r for r, name in enumerate(names) if name == names[newest])


def test_equal_product_names_of_two_rovers_are_two_products() -> None:
    frames = frames_of(2, rover=["spirit", "opportunity"], product=["P", "P"], version=["1", "2"])
    found = find_relations(frames, looks_of_tiles(scenes(0, 2)), DuplicatesConfig(), RelationsConfig())
    assert len(found) == 0


def test_relations_of_frames_that_are_gone_are_left_out() -> None:
    relations = pd.DataFrame(
        [("a", "b", NEAR, 1.0), ("b", "c", BURST, 1.0), ("c", "d", STEREO, 1.0)], columns=list(RELATION_COLUMNS)
    )
    assert relation_pairs(relations, ["c", "b", "a"], KINDS).tolist() == [[2, 1], [1, 0]]
    assert related_components(relations, ["c", "b", "a"], (NEAR,)).tolist() == [0, 1, 1]
    assert related_components(relations, ["c", "b", "a"], KINDS).tolist() == [0, 0, 0]


def test_no_frames_have_no_relations() -> None:
    none = looks_of_tiles(np.empty((0, 64, 64, 3), np.uint8))
    tiles: tuple[np.ndarray, Looks] = (np.empty(0, np.intp), none)
    found = find_relations(frames_of(0), none, DuplicatesConfig(), RelationsConfig(), tiles)
    assert tuple(found.columns) == RELATION_COLUMNS
    assert len(found) == 0
    assert related_components(found, [], KINDS).tolist() == []


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 3),  # scene
            st.sampled_from(["navcam_left", "navcam_right", "mahli"]),
            st.one_of(st.just(np.nan), st.integers(0, 200).map(float)),
            st.one_of(st.none(), st.integers(0, 12)),  # sol
            st.sampled_from([None, None, "train", "val", "test"]),  # official split
        ),
        max_size=14,
    ),
    seed=st.integers(0, 20),
)
def test_nothing_related_crosses_splits_once_leaks_are_dropped(
    rows: list[tuple[int, str, float, int | None, str | None]], seed: int
) -> None:
    frames = frames_of(len(rows), camera=[row[1] for row in rows], sclk_s=np.array([row[2] for row in rows], float))
    frames = frames.astype({"camera": "string"})
    wholes, tiles = scenes(7, len(rows)), scenes(8, 4)
    found = find_relations(
        frames,
        looks_of_tiles(wholes),
        DuplicatesConfig(),
        RelationsConfig(),
        (np.arange(len(rows)), looks_of_tiles(tiles[[row[0] for row in rows]])),
    )
    ids = frames["frame_id"].tolist()
    config = SplitsConfig()
    component = related_components(found, ids, TOGETHER)
    blocks = block_keys(["curiosity"] * len(rows), [row[3] for row in rows], ids, 3)
    official = [row[4] for row in rows]
    splits = np.array(assign_splits(group_keys(blocks, component), official, config, seed), dtype=str)
    dropped = crossing(component, splits.tolist())
    i, j = relation_pairs(found, ids, TOGETHER).T
    stay = ~(dropped[i] | dropped[j])
    assert (splits[i][stay] == splits[j][stay]).all()
    if not any(official):
        assert not dropped.any()
