"""Scores of clusters: against slow references, and the laws that they keep."""

from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.learning.cluster_scores import score_geometry, score_labels, score_nuisance, stability
from rovervision.learning.clusters import ClusterersConfig
from tests.learning.code_examples import blobs

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=30).map(np.array)


def slow_purity(clusters: np.ndarray, labels: np.ndarray) -> float:
    return sum(max(np.sum(labels[clusters == c] == k) for k in set(labels)) for c in set(clusters)) / len(labels)


def slow_matching(clusters: np.ndarray, labels: np.ndarray) -> float:
    best = 0
    for classes in permutations([*range(4), *range(10, 14)], 4):  # those above stand for no class
        best = max(best, sum(int(np.sum((clusters == c) & (labels == k))) for c, k in enumerate(classes)))
    return best / len(labels)


def slow_nmi(clusters: np.ndarray, labels: np.ndarray) -> float:
    def entropy(*columns: np.ndarray) -> float:
        counts = np.unique(np.stack(columns), axis=1, return_counts=True)[1] / len(columns[0])
        return float(-(counts * np.log(counts)).sum())

    mean = (entropy(clusters) + entropy(labels)) / 2
    return (entropy(clusters) + entropy(labels) - entropy(clusters, labels)) / mean if mean else 1.0


def slow_ari(clusters: np.ndarray, labels: np.ndarray) -> float:
    pairs = [(clusters[i] == clusters[j], labels[i] == labels[j]) for i, j in combinations(range(len(labels)), 2)]
    same, ours, theirs = (
        sum(each) for each in ([a and b for a, b in pairs], [a for a, _ in pairs], [b for _, b in pairs])
    )
    chance, most = ours * theirs / len(pairs), (ours + theirs) / 2
    return (same - chance) / (most - chance) if most != chance else 1.0


@settings(max_examples=25)
@given(PAIRS)
def test_scores_are_those_of_their_definitions(pairs: np.ndarray) -> None:
    clusters, labels = pairs[:, 0], pairs[:, 1]
    scores = score_labels(clusters, labels)
    assert scores["purity"] == pytest.approx(slow_purity(clusters, labels))
    assert scores["hungarian_accuracy"] == pytest.approx(slow_matching(clusters, labels))
    assert scores["nmi"] == pytest.approx(slow_nmi(clusters, labels), abs=1e-9)
    assert scores["ari"] == pytest.approx(slow_ari(clusters, labels), abs=1e-9)


@settings(max_examples=25)
@given(PAIRS, st.permutations(range(4)), st.permutations(range(4)))
def test_the_names_of_clusters_and_labels_play_no_part(pairs: np.ndarray, ours: list[int], theirs: list[int]) -> None:
    clusters, labels = pairs[:, 0], pairs[:, 1]
    one = score_labels(clusters, labels)
    two = score_labels(np.array(ours)[clusters], [f"class {theirs[each]}" for each in labels])
    assert one == pytest.approx(two)


@settings(max_examples=25)
@given(PAIRS)
def test_the_truth_is_perfect_and_all_stay_within_bounds(pairs: np.ndarray) -> None:
    clusters, labels = pairs[:, 0], pairs[:, 1]
    assert all(score == pytest.approx(1) for score in score_labels(labels, labels).values())
    scores = score_labels(clusters, labels)
    assert scores["hungarian_accuracy"] <= scores["purity"] + 1e-12
    assert all(-1 <= score <= 1 + 1e-12 for score in scores.values())
    assert scores["nmi"] >= 0


@settings(max_examples=25)
@given(PAIRS, st.data())
def test_splitting_a_cluster_never_lowers_purity(pairs: np.ndarray, data: st.DataObject) -> None:
    clusters, labels = pairs[:, 0], pairs[:, 1]
    moved = np.array(data.draw(st.lists(st.booleans(), min_size=len(labels), max_size=len(labels))))
    split = np.where(moved & (clusters == clusters[0]), 9, clusters)
    assert score_labels(split, labels)["purity"] >= score_labels(clusters, labels)["purity"] - 1e-12


def test_chance_scores_nothing_where_scores_are_adjusted() -> None:
    rng = np.random.default_rng(0)
    clusters, labels = rng.integers(30, size=3000), rng.integers(8, size=3000)
    scores = score_labels(clusters, labels)
    assert abs(scores["ami"]) < 0.01
    assert abs(scores["ari"]) < 0.01
    assert scores["nmi"] > 0.01, "what is not adjusted grows with the number of clusters"
    nuisance = score_nuisance(clusters, labels.astype(str), rng.integers(1000, size=3000), 50)
    assert abs(nuisance["camera_ami"]) < 0.01
    assert abs(nuisance["sol_ami"]) < 0.01


def test_what_has_no_label_plays_no_part() -> None:
    labels = ["a", "a", "b", None, float("nan"), "", pd.NA, "b"]
    assert score_labels([0, 0, 1, 0, 1, 2, 3, 1], labels) == pytest.approx(dict.fromkeys(score_labels([0], ["a"]), 1))
    assert score_labels([0, 1], [None, ""]) == {}
    assert score_labels([0, 1], pd.Series([pd.NA, pd.NA], dtype="string")) == {}


def test_outliers_are_one_more_cluster() -> None:
    assert score_labels([0, 0, -1, -1], ["a", "a", "b", "c"])["purity"] == 0.75


def test_numbers_of_other_tiles_are_refused() -> None:
    with pytest.raises(RovervisionError, match="2 cluster numbers for 3 images"):
        score_labels([0, 1], ["a", "b", "c"])
    with pytest.raises(RovervisionError, match="cluster numbers"):
        score_geometry(np.zeros((3, 2)), [0, 1], 10, 0)


# --- shape


def slow_silhouette(codes: np.ndarray, clusters: np.ndarray) -> float:
    apart = np.linalg.norm(codes[:, None] - codes[None], axis=2)
    values = []
    for row, cluster in enumerate(clusters):
        own = (clusters == cluster) & (np.arange(len(codes)) != row)
        if not own.any():
            values.append(0.0)
            continue
        a = apart[row, own].mean()
        b = min(apart[row, clusters == other].mean() for other in set(clusters) - {cluster})
        values.append((b - a) / max(a, b))
    return float(np.mean(values))


def slow_davies_bouldin(codes: np.ndarray, clusters: np.ndarray) -> float:
    numbers = sorted(set(clusters))
    centers = [codes[clusters == each].mean(0) for each in numbers]
    spreads = [np.linalg.norm(codes[clusters == n] - c, axis=1).mean() for n, c in zip(numbers, centers, strict=True)]
    worst = [
        max((spreads[i] + spreads[j]) / np.linalg.norm(centers[i] - centers[j]) for j in range(len(numbers)) if j != i)
        for i in range(len(numbers))
    ]
    return float(np.mean(worst))


@pytest.mark.parametrize("spread", [0.3, 2.0])
def test_shape_is_scored_by_its_definition(spread: float) -> None:
    codes, true = blobs(n_rows=60, spread=spread)
    scores = score_geometry(codes, true, 1000, 0)
    assert scores["silhouette"] == pytest.approx(slow_silhouette(codes, true), abs=1e-5)
    assert scores["davies_bouldin"] == pytest.approx(slow_davies_bouldin(codes, true), abs=1e-5)


def test_shape_gets_worse_as_clusters_run_together() -> None:
    scores = [score_geometry(*blobs(spread=spread), 1000, 0) for spread in (0.2, 0.6, 1.5)]
    assert scores[0]["silhouette"] > scores[1]["silhouette"] > scores[2]["silhouette"]
    assert scores[0]["davies_bouldin"] < scores[1]["davies_bouldin"] < scores[2]["davies_bouldin"]


def test_a_sample_tells_about_the_same() -> None:
    codes, true = blobs(n_rows=1000, spread=1.0)
    all_of_them, some = (score_geometry(codes, true, most, 0)["silhouette"] for most in (1000, 300))
    assert some == pytest.approx(all_of_them, abs=0.03)
    assert score_geometry(codes, true, 300, 0)["silhouette"] == some


def test_outliers_have_no_shape() -> None:
    codes, true = blobs(n_rows=60)
    strays = np.concatenate([codes, 99 * np.ones((3, codes.shape[1]), np.float32)])
    with_strays = score_geometry(strays, np.append(true, [-1, -1, -1]), 1000, 0)
    assert with_strays == pytest.approx(score_geometry(codes, true, 1000, 0), abs=1e-6)


def test_one_cluster_has_no_shape() -> None:
    codes, _ = blobs(n_rows=20)
    assert score_geometry(codes, np.zeros(20, int), 10, 0) == {}
    assert score_geometry(codes, np.arange(20), 100, 0) == {}
    assert score_geometry(codes, np.full(20, -1), 10, 0) == {}


# --- what clusters should not follow


def test_clusters_that_are_cameras_are_found_out() -> None:
    cameras = np.array(["left", "right"] * 50)
    clusters = (cameras == "left").astype(int)
    scores = score_nuisance(clusters, cameras, np.arange(100), 10)
    assert scores["camera_nmi"] == scores["camera_ami"] == pytest.approx(1)
    assert scores["sol_nmi"] < 0.01


def test_clusters_that_are_times_are_found_out() -> None:
    sols = pd.array([3, 7, 49, 50, 51, 99, None, 100], dtype="Int64")
    scores = score_nuisance([0, 0, 0, 1, 1, 1, 9, 2], ["x"] * 8, sols, 50)
    assert scores["sol_nmi"] == pytest.approx(1)
    unknown = score_nuisance([0, 1], [None, None], [None, np.nan], 50)
    assert unknown == {}


# --- repetition


def test_clear_clusters_come_out_again_and_a_cloud_does_not() -> None:
    cloud = np.random.default_rng(0).normal(size=(300, 12)).astype(np.float32)
    clear = stability(blobs()[0], ClusterersConfig(clusters=5), seeds=[0, 1, 2])
    vague = stability(cloud, ClusterersConfig(clusters=5), seeds=[0, 1, 2])
    assert clear == pytest.approx({"seed_stability": 1, "subsample_stability": 1})
    assert vague["subsample_stability"] < 0.7
    assert vague == stability(cloud, ClusterersConfig(clusters=5), seeds=[0, 1, 2])
