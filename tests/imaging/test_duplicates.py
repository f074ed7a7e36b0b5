"""Vectorised searches find what loops find, and nothing else."""

import time
import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.duplicates import (
    DuplicatesConfig,
    burst_pairs,
    components,
    correlations,
    equal_pairs,
    near_links,
    near_pairs,
    strongest_trees,
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


def test_close_hashes_are_found_across_all_blocks() -> None:
    """More rows than a block holds, of rows and of columns: no seam loses a pair."""
    rng = np.random.default_rng(0)
    count = 4500
    hashes = rng.integers(0, 2**63, count).astype(np.uint64)
    rows = np.array([0, 63, 64, 127, 4095, 4096, 4097, 4499])
    hashes[rows] = hashes[0] ^ (np.uint64(1) << np.arange(8, dtype=np.uint64))
    thumbs = np.tile(rng.integers(0, 256, (1, 8, 8), dtype=np.uint8), (count, 1, 1))
    found = near_pairs(hashes, thumbs, DuplicatesConfig(hash_bits_max=2))
    expected = {(int(i), int(j)) for i in rows for j in rows if i < j}
    assert {tuple(pair) for pair in found.tolist()} == expected


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(2, 30), pairs=st.integers(0, 60))
def test_correlations_are_those_of_pearson(seed: int, count: int, pairs: int) -> None:
    rng = np.random.default_rng(seed)
    thumbs = rng.integers(0, 256, (count, 8, 8), dtype=np.uint8)
    thumbs[0] = 7  # flat
    chosen = rng.integers(0, count, (pairs, 2))
    flat = [np.corrcoef(thumbs[i].ravel(), thumbs[j].ravel())[0, 1] if i and j else 0.0 for i, j in chosen]
    np.testing.assert_allclose(correlations(thumbs, chosen), np.array(flat), atol=1e-5)


def noisy_scenes(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Hashes and thumbnails of few scenes, of which many are near duplicates of one another."""
    rng = np.random.default_rng(seed)
    scene = rng.integers(0, 5, count)
    base = rng.integers(60, 200, (5, 32, 32))
    thumbs = np.clip(base[scene] + rng.normal(0, 6, (count, 32, 32)), 0, 255).astype(np.uint8)
    return rng.integers(0, 2**63, 5).astype(np.uint64)[scene], thumbs


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(0, 60), most=st.integers(1, 40))
def test_thinned_links_connect_what_all_pairs_connect(seed: int, count: int, most: int) -> None:
    hashes, thumbs = noisy_scenes(seed, count)
    every, strength = near_links(hashes, thumbs, DuplicatesConfig())
    few, few_strength = near_links(hashes, thumbs, DuplicatesConfig(), most)
    assert {tuple(pair) for pair in every.tolist()} == {
        tuple(pair) for pair in near_pairs(hashes, thumbs, DuplicatesConfig()).tolist()
    }
    np.testing.assert_array_equal(components(count, few), components(count, every))
    if len(every) <= most:
        np.testing.assert_array_equal(few, every)
    else:
        assert len(few) == count - len(np.unique(components(count, every)))
        assert abs(few_strength.sum() - strongest_trees(count, every, strength)[1].sum()) < 1e-3


def test_a_camera_that_never_moves_costs_no_more_memory_than_most_allows() -> None:
    """1,500 frames of one scene are 1.1 million pairs."""
    rng = np.random.default_rng(0)
    thumbs = np.clip(rng.integers(60, 200, (1, 32, 32)) + rng.normal(0, 2, (1500, 32, 32)), 0, 255).astype(np.uint8)
    found, peak_mib = [], []
    for most in (2_000_000, 50_000):
        tracemalloc.start()
        found.append(len(near_links(np.zeros(1500, np.uint64), thumbs, DuplicatesConfig(), most)[0]))
        peak_mib.append(tracemalloc.get_traced_memory()[1] / 2**20)
        tracemalloc.stop()
    assert found == [1500 * 1499 // 2, 1499]
    assert peak_mib[1] < 0.6 * peak_mib[0], peak_mib


@settings(max_examples=50, deadline=None)
@given(edges=EDGES, seed=st.integers(0, 100))
def test_the_strongest_tree_is_that_of_kruskal(edges: tuple[int, list[tuple[int, int]]], seed: int) -> None:
    count, listed = edges
    pairs = np.array(sorted({(min(pair), max(pair)) for pair in listed if pair[0] != pair[1]}), np.intp).reshape(-1, 2)
    strength = np.random.default_rng(seed).uniform(0.9, 1.0, len(pairs)).astype(np.float32)
    label, total = list(range(count)), 0.0
    for row in np.argsort(-strength):
        i, j = (label[end] for end in pairs[row])
        if i != j:
            label = [i if each == j else each for each in label]
            total += float(strength[row])
    tree, kept = strongest_trees(count, pairs, strength)
    assert abs(kept.sum() - total) < 1e-4
    assert {tuple(sorted(pair)) for pair in tree.tolist()} <= {tuple(pair) for pair in pairs.tolist()}


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
