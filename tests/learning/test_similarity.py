"""What is alike is found exactly, with FAISS and without."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.learning.similarity import nearest, outliers
from tests.learning.code_examples import blobs


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 9), st.integers(1, 12))
def test_the_nearest_are_those_of_a_slow_loop(seed: int, n_codes: int, dim: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    codes, queries = rng.normal(size=(n_codes, dim)) + 50, rng.normal(size=(5, dim)) + 50
    codes, queries = codes.astype(np.float32), queries.astype(np.float32)
    rows, distances = nearest(codes, queries, count, engine="exact")
    assert rows.shape == distances.shape == (5, min(count, n_codes))
    for query, found, far in zip(queries, rows, distances, strict=True):
        apart = np.linalg.norm(codes.astype(np.float64) - query, axis=1)
        np.testing.assert_allclose(far, np.sort(apart)[: len(far)], rtol=1e-4)
        np.testing.assert_allclose(far, apart[found], rtol=1e-6)
        assert len(set(found.tolist())) == len(found)


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_faiss_finds_the_same(seed: int) -> None:
    pytest.importorskip("faiss")
    rng = np.random.default_rng(seed)
    codes = rng.normal(size=(300, 16)).astype(np.float32)
    rows, distances = nearest(codes, codes[:40] + 0.01, 8, engine="exact")
    faiss_rows, faiss_distances = nearest(codes, codes[:40] + 0.01, 8, engine="faiss")
    np.testing.assert_allclose(faiss_distances, distances, rtol=1e-5)
    assert np.mean(faiss_rows == rows) > 0.99


def test_a_code_is_its_own_nearest_at_no_distance() -> None:
    codes, _ = blobs()
    far = codes + 1000  # where |q|² + |c|² - 2qc would lose the difference
    rows, distances = nearest(far, far, 1)
    assert distances.max() == 0
    np.testing.assert_array_equal(rows[:, 0], np.arange(len(far)))


def test_of_equal_ones_the_earlier_comes_first() -> None:
    codes = np.array([[1.0], [0.0], [1.0], [-1.0]], np.float32)
    rows, _ = nearest(codes, np.zeros((1, 1), np.float32), 4)
    assert rows.tolist() == [[1, 0, 2, 3]]


def test_without_faiss_the_answer_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, _ = blobs(n_rows=50)
    with_it = nearest(codes, codes[:4], 3)
    monkeypatch.setitem(sys.modules, "faiss", None)
    np.testing.assert_allclose(nearest(codes, codes[:4], 3)[1], with_it[1], rtol=1e-5, atol=1e-6)
    with pytest.raises(RovervisionError, match=r"FAISS is not installed.*rovervision\[map\]"):
        nearest(codes, codes[:4], 3, engine="faiss")


def test_bad_questions_are_refused() -> None:
    codes, _ = blobs(n_rows=9)
    for wrong, says in ((codes[:, :3], "3 numbers"), (np.full((1, 12), np.nan), "not finite"), (codes[:0], "0 images")):
        with pytest.raises(RovervisionError, match=says):
            nearest(codes, wrong, 2)
    with pytest.raises(RovervisionError, match="Ask for 1 or more"):
        nearest(codes, codes, 0)
    with pytest.raises(RovervisionError, match="0 images"):
        nearest(codes[:0], codes, 2)
    with pytest.raises(RovervisionError, match="1 images, too few"):
        outliers(codes[:1], 3)


def test_outliers_are_far_from_their_neighbours_in_that_order() -> None:
    codes, _ = blobs(n_rows=100)
    strays = np.concatenate([codes, [[-30.0] * 12], [[20.0] * 12]]).astype(np.float32)
    rows, distances = outliers(strays, 5)
    assert rows[:2].tolist() == [100, 101]
    assert np.all(np.diff(distances) <= 0)
    apart = np.sort(np.linalg.norm(strays[:, None].astype(np.float64) - strays[None], axis=2), axis=1)[:, 5]
    np.testing.assert_allclose(distances, np.sort(apart)[::-1][:5], rtol=1e-5)


def test_a_few_copies_of_an_oddity_stay_odd() -> None:
    codes, _ = blobs(n_rows=100)
    copies = np.concatenate([codes, np.full((4, 12), 25.0)]).astype(np.float32)
    assert set(outliers(copies, 4, neighbour=5)[0].tolist()) == {100, 101, 102, 103}
    assert not {100, 101, 102, 103} & set(outliers(copies, 4, neighbour=1)[0].tolist())


def test_more_outliers_than_codes_are_all_of_them() -> None:
    codes, _ = blobs(n_rows=3)
    rows, distances = outliers(codes, 99)
    assert sorted(rows.tolist()) == [0, 1, 2]
    assert distances.shape == (3,)
