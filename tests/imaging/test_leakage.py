"""The leakage report finds what is planted, all of it and nothing else, by a search of its own."""

import time

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.leakage import LEAK_COLUMNS, best_matches, find_leaks
from rovervision.imaging.splits import SPLITS


def views(seed: int, count: int) -> np.ndarray:
    """(count, 32, 32) uint8 thumbnails of different scenes."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (count, 32, 32), dtype=np.uint8)
    return np.stack(
        [cv2.normalize(cv2.GaussianBlur(each, (0, 0), 1.5), None, 10, 240, cv2.NORM_MINMAX) for each in noise]
    )


def frames_in(splits: list[str], **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"frame_id": [f"f{row}" for row in range(len(splits))], "split": splits} | columns)


def tiles_in(frames: pd.DataFrame) -> pd.DataFrame:
    return frames[["frame_id", "split"]].assign(tile_id=frames["frame_id"] + "_0")


def noisier(view: np.ndarray, seed: int, sigma: float) -> np.ndarray:
    return np.clip(view + np.random.default_rng(seed).normal(0, sigma, view.shape), 0, 255).astype(np.uint8)


def test_splits_of_strangers_leak_nothing() -> None:
    frames = frames_in(["train"] * 40 + ["val"] * 10 + ["test"] * 10)
    found = find_leaks(frames, views(0, 60), tiles_in(frames), views(1, 60), 0.96)
    assert tuple(found.columns) == LEAK_COLUMNS
    assert len(found) == 0


def test_planted_leaks_are_found_with_both_sides_and_their_likeness() -> None:
    parts = ["train"] * 5 + ["val"] * 3 + ["test"] * 2
    frames = frames_in(parts, sha256=["a", "b", "c", "d", "", "a", "e", "", "f", None])
    wholes, tiles = views(0, 10), views(1, 10)
    wholes[6] = noisier(wholes[1], 0, 3)  # f1 in train, f6 in val
    tiles[8] = np.clip(tiles[7] * 0.8 + 20, 0, 255)  # f7 in val, f8 in test
    tiles[3] = tiles[2]  # both in train: no leak
    found = find_leaks(frames, wholes, tiles_in(frames), tiles, 0.96)
    told = found.astype(object).where(found.notna(), None)[["kind", "frame_id", "other_id", "tile_id", "other_tile_id"]]
    assert told.to_numpy().tolist() == [
        ["exact", "f0", "f5", None, None],
        ["near", "f1", "f6", None, None],
        ["same_scene", "f7", "f8", "f7_0", "f8_0"],
    ]
    assert found[["split", "other_split"]].to_numpy().tolist() == [["train", "val"], ["train", "val"], ["val", "test"]]
    for row, (one, other) in ((1, (wholes[1], wholes[6])), (2, (tiles[7], tiles[8]))):
        assert found["correlation"][row] == pytest.approx(np.corrcoef(one.ravel(), other.ravel())[0, 1], abs=1e-4)


def test_a_leak_that_no_hash_would_show_is_found() -> None:
    """The report knows no hashes: it stands where the grouping, which asks them first, would be blind."""
    frames = frames_in(["train", "test"])
    twins = np.repeat(views(0, 1), 2, axis=0)
    found = find_leaks(frames.assign(phash=["0" * 16, "f" * 16]), twins, tiles_in(frames).iloc[:0], twins[:0], 0.96)
    assert found["kind"].tolist() == ["near"]


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(SPLITS)), min_size=1, max_size=30),
    seed=st.integers(0, 100),
)
def test_every_leaking_frame_is_listed_once_and_dropping_the_listed_ones_leaves_none(
    rows: list[tuple[int, str]], seed: int
) -> None:
    parts = [part for _, part in rows]
    scenes = views(seed, 6)
    wholes = np.stack([noisier(scenes[number], row, 2) for row, (number, _) in enumerate(rows)])
    frames = frames_in(parts)
    nothing = tiles_in(frames).iloc[:0]
    found = find_leaks(frames, wholes, nothing, wholes[:0], 0.96)
    likeness = np.corrcoef(wholes.reshape(len(rows), -1)) if len(rows) > 1 else np.ones((1, 1))
    rank = np.array([SPLITS.index(part) for part in parts])
    leaking = {f"f{row}" for row in range(len(rows)) if (likeness[row][rank > rank[row]] >= 0.96).any()}
    assert sorted(found["frame_id"]) == sorted(leaking)
    stay = ~frames["frame_id"].isin(found["frame_id"]).to_numpy()
    assert len(find_leaks(frames[stay], wholes[stay], nothing, wholes[:0], 0.96)) == 0


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    counts=st.tuples(st.integers(0, 25), st.integers(0, 25)),
    least=st.floats(0.05, 1.0),
    sigma=st.floats(0.0, 60.0),
    blur=st.floats(0.3, 6.0),
)
def test_best_matches_are_those_of_all_correlations(
    seed: int, counts: tuple[int, int], least: float, sigma: float, blur: float
) -> None:
    """The bound that spares full correlations spares no pair that reaches the limit, smooth or rough."""
    rng = np.random.default_rng(seed)
    scenes = [cv2.GaussianBlur(rng.integers(0, 256, (32, 32), dtype=np.uint8), (0, 0), blur) for _ in range(4)]
    one, other = (
        np.array(
            [np.clip(scenes[n % 4] + rng.normal(0, sigma, (32, 32)), 0, 255) for n in range(count)], np.uint8
        ).reshape(-1, 32, 32)
        for count in counts
    )
    best, value = best_matches(one, other, least)
    for row, view in enumerate(one):
        r = [np.corrcoef(view.ravel(), each.ravel())[0, 1] for each in other]
        highest = max(r, default=-1.0)
        if abs(highest - least) < 1e-4:
            continue  # on the limit, rounding decides
        assert (best[row] >= 0) == (highest >= least)
        if best[row] >= 0:
            assert value[row] == pytest.approx(highest, abs=1e-4)
            assert r[best[row]] == pytest.approx(highest, abs=1e-4)


def test_matches_are_found_across_all_blocks() -> None:
    one, other = views(0, 600), views(1, 4200)
    planted = {0: 0, 511: 4095, 512: 4096, 599: 4199}
    for row, column in planted.items():
        other[column] = one[row]
    other[4100] = noisier(one[0], 0, 5)  # like the first, less than its twin in the block before
    other[1] = noisier(one[512], 0, 5)  # and the other way round
    best, _ = best_matches(one, other, 0.96)
    assert {row: int(best[row]) for row in np.flatnonzero(best >= 0)} == planted


def test_flat_and_mirrored_pictures_match_nothing() -> None:
    flat = np.full((3, 32, 32), 80, np.uint8)
    assert (best_matches(flat, flat, 0.5)[0] == -1).all()
    view = views(0, 4)
    assert (best_matches(view, view[:, :, ::-1], 0.96)[0] == -1).all()


def test_ten_thousand_tiles_are_searched_in_seconds() -> None:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (10_000, 8, 8), dtype=np.uint8)
    tiles = np.stack([cv2.resize(each, (32, 32), interpolation=cv2.INTER_LINEAR) for each in small])
    start = time.perf_counter()
    best_matches(tiles[:8000], tiles[8000:], 0.96)
    assert time.perf_counter() - start < 10
