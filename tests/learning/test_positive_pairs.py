"""Companions are the other eye, neighbours in time and parts of a frame: by clock, by UTC or by name."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.learning.positive_pairs import Companions, PairingConfig, find_companions
from tests.pipelines.clustering.scenes import scene_tiles

ONLY = {
    kind: PairingConfig(**{name: name == kind for name in ("frame", "stereo", "time")}, across_splits=True)
    for kind in ("frame", "stereo", "time")
}


def named(names: list[str], **columns) -> pd.DataFrame:
    index = pd.DataFrame({"frame_id": names, "sol": 3, "split": "train", "taken_utc": None, "sclk_s": np.nan})
    cameras = {"L": "mastcam_left", "R": "mastcam_right", "H": "mahli"}
    known = {"rover": "curiosity", "camera": [cameras.get(n[5:6], "mahli") for n in names]}
    return index.assign(**(known | columns))


def test_the_other_eye_is_of_the_same_instant():
    index = scene_tiles().index
    pairs = find_companions(index, ONLY["stereo"]).pairs()
    assert len(pairs) == len(index) // 2
    one, two = index.iloc[pairs[:, 0]], index.iloc[pairs[:, 1]]
    assert (one["camera"].to_numpy() != two["camera"].to_numpy()).all()
    assert (np.abs(one["sclk_s"].to_numpy() - two["sclk_s"].to_numpy()) <= 1).all()


def test_neighbours_are_of_one_camera_and_run():
    index = scene_tiles().index
    found = find_companions(index, ONLY["time"])
    pairs = found.pairs()
    one, two = index.iloc[pairs[:, 0]], index.iloc[pairs[:, 1]]
    for column in ("camera", "sol", "label"):
        assert (one[column].to_numpy() == two[column].to_numpy()).all()
    assert len(pairs) == 8 * 2 * 2 * 6  # sols, scenes, eyes, pairs of four shots
    assert len(np.unique(found.sequences)) == 8 * 2 * 2


def test_reach_and_pause_limit_neighbours():
    index = scene_tiles().index
    near = find_companions(index, ONLY["time"].model_copy(update={"reach_frames": 1}))
    assert len(near.pairs()) == 8 * 2 * 2 * 3
    short = find_companions(index, ONLY["time"].model_copy(update={"time_s": 10.0}))
    assert len(short.pairs()) == 0


def test_a_chain_of_neighbours_is_no_longer_than_the_longest_time():
    index = named(["a", "b", "c"]).assign(sclk_s=[0.0, 200.0, 400.0])
    found = find_companions(index, ONLY["time"])
    assert found.pairs().tolist() == [[0, 1], [1, 2]]
    assert len(np.unique(found.sequences)) == 1


def test_a_frame_of_unknown_sol_is_alone_and_tears_no_other_run():
    names = [f"frame_{row}" for row in range(8)]
    sols = pd.array([1, 1, 1, 1, 2, 2, None, None], dtype="Int64")
    index = named(names, sol=sols, sclk_s=[0.0, 20.0, 40.0, 60.0, 10.0, 30.0, 15.0, 16.0], camera="mahli")
    found = find_companions(index, ONLY["time"])
    assert [len(found.of(row)) for row in range(8)] == [3, 3, 3, 3, 1, 1, 0, 0]


def test_utc_serves_where_there_is_no_clock():
    index = scene_tiles().index
    utc = pd.Timestamp("2012-08-06", tz="UTC") + pd.to_timedelta(index["sclk_s"], unit="s")
    other = index.assign(sclk_s=np.nan, taken_utc=[t.isoformat() for t in utc])
    for kind in ("stereo", "time"):
        np.testing.assert_array_equal(
            find_companions(other, ONLY[kind]).pairs(), find_companions(index, ONLY[kind]).pairs()
        )


def test_names_serve_where_there_is_no_time():
    index = named(
        [
            "0003ML0000110010100031E01_DRCL", "0003ML0000110020100032E01_DRCL", "0003MR0000110020200040E01_DRCL",
            "0003ML0000120010100033E01_DRCL", "0003MH0000110010300001C00_DRCL", "something else",
        ]
    )  # fmt: skip
    assert find_companions(index, ONLY["time"]).pairs().tolist() == [[0, 1]]
    assert find_companions(index, ONLY["stereo"]).pairs().tolist() == [[1, 2]]
    assert len(np.unique(find_companions(index, PairingConfig()).sequences)) == 5


def test_parts_of_a_frame_are_companions():
    index = named(["a", "a", "b", "a"])
    assert find_companions(index, ONLY["frame"]).pairs().tolist() == [[0, 1], [0, 3], [1, 3]]


@given(st.lists(st.sampled_from(["train", "val", "test"]), min_size=128, max_size=128))
def test_no_companion_is_of_another_split_unless_asked_for(splits):
    index = scene_tiles().index.assign(split=splits)
    pairs = find_companions(index, PairingConfig()).pairs()
    assert (index["split"].to_numpy()[pairs[:, 0]] == index["split"].to_numpy()[pairs[:, 1]]).all()
    assert len(find_companions(index, PairingConfig(across_splits=True)).pairs()) >= len(pairs)


def test_companions_are_mutual_and_never_oneself():
    found = find_companions(scene_tiles().index, PairingConfig())
    for row in range(len(found.sequences)):
        assert row not in found.of(row)
        assert all(row in found.of(other) for other in found.of(row))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_drawn_are_companions_by_chance(share):
    found = Companions(np.array([0, 2, 2, 3]), np.array([1, 2, 0]), np.arange(3))
    rows = np.tile([0, 1, 2], 2000)
    drawn = found.draw(rows, share, np.random.default_rng(0)).reshape(-1, 3)
    assert (drawn[:, 1] == 1).all()
    for column in (0, 2):
        assert set(drawn[:, column]) <= {column, *found.of(column).tolist()}
        assert (drawn[:, column] != column).mean() == pytest.approx(share, abs=0.05)


def test_nobody_else_is_drawn():
    found = find_companions(scene_tiles().index, PairingConfig()).among(np.arange(0, 128, 3))
    assert (found.rows % 3 == 0).all()
    assert all(len(found.of(row)) == 0 for row in range(128) if row % 3)


def test_without_any_companion_everyone_is_drawn_alone():
    alone = find_companions(named(["x", "y"]), PairingConfig())
    assert len(alone.pairs()) == 0
    assert alone.draw(np.array([0, 1]), 1.0, np.random.default_rng(0)).tolist() == [0, 1]
