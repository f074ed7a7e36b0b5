"""The number of clusters: by how apart they lie, and by how they come out again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.learning.cluster_choice import best_candidate
from rovervision.learning.cluster_stability import agreement_of_seeds, agreement_of_subsamples
from rovervision.learning.clusters import ChoiceConfig, ClustererKind, ClusterersConfig, fit_clusters
from tests.learning.code_examples import blobs

ROWS = st.lists(
    st.fixed_dictionaries(
        {"clusters": st.integers(2, 50), "silhouette": st.floats(-1, 1), "stability": st.floats(-0.5, 1)}
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("kind", ["kmeans", "agglomerative"])
def test_the_true_number_is_chosen_and_the_reasons_are_kept(kind: ClustererKind) -> None:
    codes, _ = blobs(n_rows=200)
    config = ClusterersConfig(kind=kind, clusters=30, choice=ChoiceConfig(candidates=(2, 5, 9)))
    found = fit_clusters(codes, config, seed=0)
    assert len(found) == found.notes["chosen"] == 5
    table = found.notes["candidates"]
    assert [row["clusters"] for row in table] == [2, 5, 9]
    assert table[1]["silhouette"] == max(row["silhouette"] for row in table)
    assert table[1]["stability"] == pytest.approx(1)
    plain = fit_clusters(codes, ClusterersConfig(kind=kind, clusters=5), seed=0)
    np.testing.assert_array_equal(plain.labels, found.labels)


def test_kinds_that_find_the_number_are_left_to_it() -> None:
    codes, _ = blobs()
    found = fit_clusters(codes, ClusterersConfig(kind="hdbscan", choice=ChoiceConfig(candidates=(2, 3))), seed=0)
    assert len(found) == 5
    assert "candidates" not in found.notes


def test_candidates_above_the_number_of_images_are_refused() -> None:
    codes, _ = blobs(n_rows=40)
    with pytest.raises(RovervisionError, match="60 clusters are more"):
        fit_clusters(codes, ClusterersConfig(choice=ChoiceConfig(candidates=(4, 60))), seed=0)


@given(ROWS, st.floats(0, 1))
def test_the_choice_is_stable_where_any_is(table: list[dict[str, float]], least: float) -> None:
    best = best_candidate(table, least)
    stable = [row for row in table if row["stability"] >= least]
    if stable:
        assert best in stable
        assert all(best["silhouette"] >= row["silhouette"] for row in stable)
    else:
        assert all(best["stability"] >= row["stability"] for row in table)


def test_agreement_is_one_for_what_never_changes_and_about_nothing_for_chance() -> None:
    def steady(rows: np.ndarray, seed: int) -> np.ndarray:
        return (rows % 4 + seed) % 4  # other numbers, the same clusters

    def chance(rows: np.ndarray, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(4, size=len(rows))

    assert agreement_of_seeds(steady, 400, [1, 2, 3]) == 1
    assert agreement_of_subsamples(steady, 400, [1, 2, 3], 0.8) == 1
    assert abs(agreement_of_seeds(chance, 4000, [1, 2, 3])) < 0.02
    assert abs(agreement_of_subsamples(chance, 4000, [1, 2, 3], 0.5)) < 0.02


def test_parts_have_their_share_of_the_rows() -> None:
    seen: list[np.ndarray] = []

    def label(rows: np.ndarray, seed: int) -> np.ndarray:
        seen.append(rows)
        return rows % 3

    agreement_of_subsamples(label, 50, [0, 1], 0.8)
    assert [len(rows) for rows in seen] == [40, 40]
    assert not np.array_equal(*seen)
    assert all(len(np.unique(rows)) == 40 for rows in seen)


def test_one_clustering_agrees_with_nothing() -> None:
    with pytest.raises(RovervisionError, match="two seeds"):
        agreement_of_seeds(lambda rows, seed: rows, 9, [1])
