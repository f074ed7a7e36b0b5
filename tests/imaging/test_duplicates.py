"""Vectorised searches find what loops find, and nothing else."""

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.duplicates import (
    DuplicatesConfig,
    burst_pairs,
    components,
    equal_pairs,
    near_pairs,
)
from rovervision.imaging.quality import perceptual_hash

EDGES = st.integers(1, 30).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40))
)


@given(st.lists(st.sampled_from("abcd"), max_size=20))
def test_equal_pairs_name_the_first_of_their_kind(keys: list[str]) -> None:
    expected = [(keys.index(key), row) for row, key in enumerate(keys) if keys.index(key) != row]
    found = equal_pairs(keys)
    assert found.shape == (len(expected), 2)
    assert [(min(pair), max(pair)) for pair in found.tolist()] == expected


def test_equal_pairs_put_the_repeat_last() -> None:
    assert equal_pairs(["a", "b", "a"]).tolist() == [[0, 2]]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(0, 40), bits=st.integers(0, 40), correlation=st.floats(0.1, 1.0))
def test_near_pairs_are_those_of_two_loops(seed: int, count: int, bits: int, correlation: float) -> None:
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 256, (4, 8, 8))
    thumbs = np.clip(base[rng.integers(0, 4, count)] + rng.normal(0, 30, (count, 8, 8)), 0, 255).astype(np.uint8)
    hashes = rng.integers(0, 2**63, 6).astype(np.uint64)[rng.integers(0, 6, count)] ^ rng.integers(0, 64, count).astype(
        np.uint64
    )
    expected = set()
    for j in range(count):
        for i in range(j):
            near = (int(hashes[i]) ^ int(hashes[j])).bit_count() <= bits
            r = np.corrcoef(thumbs[i].ravel(), thumbs[j].ravel())[0, 1]
            if abs(r - correlation) < 1e-4:
                return  # on the limit, rounding decides
            if near and r >= correlation:
                expected.add((i, j))
    config = DuplicatesConfig(hash_bits_max=bits, correlation_min=correlation)
    assert {tuple(pair) for pair in near_pairs(hashes, thumbs, config).tolist()} == expected


def test_near_duplicates_are_found_and_strangers_are_not() -> None:
    rng = np.random.default_rng(0)
    scenes = [cv2.GaussianBlur(rng.integers(0, 256, (32, 32), dtype=np.uint8), (0, 0), 2) for _ in range(200)]
    twins = [np.clip(scene * 0.9 + rng.normal(0, 1, scene.shape), 0, 255).astype(np.uint8) for scene in scenes]
    thumbs = np.stack(scenes + twins)
    hashes = np.array([perceptual_hash(thumb) for thumb in thumbs], np.uint64)
    found = {tuple(pair) for pair in near_pairs(hashes, thumbs, DuplicatesConfig()).tolist()}
    truth = {(row, row + 200) for row in range(200)}
    assert len(found & truth) >= 0.97 * len(truth)
    assert len(found - truth) <= 0.02 * len(truth)


def test_flat_thumbnails_are_alike_to_nothing() -> None:
    assert len(near_pairs(np.zeros(5, np.uint64), np.full((5, 32, 32), 9, np.uint8), DuplicatesConfig())) == 0


def test_ten_thousand_frames_are_compared_in_seconds() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, 10_000).astype(np.uint64)
    start = time.perf_counter()
    near_pairs(hashes, rng.integers(0, 256, (10_000, 8, 8), dtype=np.uint8), DuplicatesConfig())
    assert time.perf_counter() - start < 5


@settings(max_examples=50, deadline=None)
@given(
    frames=st.lists(
        st.tuples(st.sampled_from(["one", "two"]), st.one_of(st.just(np.nan), st.floats(0, 60))), max_size=25
    ),
    burst_s=st.floats(0, 10),
)
def test_bursts_join_neighbours_on_one_clock(frames: list[tuple[str, float]], burst_s: float) -> None:
    rovers, clock = [rover for rover, _ in frames], np.array([when for _, when in frames], float)
    joined = components(len(frames), burst_pairs(rovers, clock, burst_s)) if frames else np.empty(0)
    pairs = np.array(
        [
            (i, j)
            for i, (one, when) in enumerate(frames)
            for j, (other, then) in enumerate(frames)
            if one == other and abs(when - then) <= burst_s
        ]
    ).reshape(-1, 2)
    np.testing.assert_array_equal(joined, components(len(frames), pairs) if frames else np.empty(0))


@given(EDGES)
def test_components_are_those_of_a_walk(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    label = list(range(count))
    for _ in range(count):
        for i, j in edges:
            label[i] = label[j] = min(label[i], label[j])
    half = len(edges) // 2
    first, second = (np.array(part, np.intp).reshape(-1, 2) for part in (edges[:half], edges[half:]))
    assert components(count, first, second).tolist() == label


@pytest.mark.parametrize("wrong", [{"hash_bits_max": 65}, {"correlation_min": 0}, {"burst_s": -1}, {"bits": 3}])
def test_senseless_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        DuplicatesConfig(**wrong)
