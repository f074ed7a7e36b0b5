"""Clusterers find what is there, repeat themselves, and assign new codes as the old ones."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from rovervision.errors import RovervisionError
from rovervision.learning.clusters import (
    OUTLIER,
    AgglomerativeConfig,
    ClustererKind,
    ClusterersConfig,
    Clusters,
    HdbscanConfig,
    MeanShiftConfig,
    MixtureConfig,
    fit_clusters,
)
from rovervision.learning.weights import Weights, read_weights, write_weights
from tests.learning.code_examples import blobs

KINDS = get_args(ClustererKind)
BY_CENTERS = ("kmeans", "minibatch_kmeans", "mean_shift", "gaussian_mixture")


def config_of(kind: ClustererKind, clusters: int = 5) -> ClusterersConfig:
    peaks = MeanShiftConfig(bandwidth_quantile=0.1, sample_tiles=100)  # the slowest by far
    return ClusterersConfig(kind=kind, clusters=clusters, mean_shift=peaks)


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_apart_is_told_apart(kind: ClustererKind) -> None:
    codes, true = blobs()
    found = fit_clusters(codes, config_of(kind), seed=0)
    assert len(found) == 5
    inside = found.labels != OUTLIER
    assert inside.mean() > 0.95
    assert adjusted_rand_score(true[inside], found.labels[inside]) == 1
    assert found.labels.dtype == np.int64
    assert found.distances.dtype == found.confidences.dtype == np.float32
    assert found.confidences[inside].min() > 0.3


@pytest.mark.parametrize("kind", KINDS)
def test_new_codes_go_where_their_like_are(kind: ClustererKind) -> None:
    codes, true = blobs()
    found = fit_clusters(codes, config_of(kind), seed=0)
    new, new_true = blobs(n_rows=150, seed=0)  # the same corners, other draws around them
    labels, distances = found.assign(new)
    inside = labels != OUTLIER
    assert inside.mean() > 0.9
    assert adjusted_rand_score(np.append(true, new_true[inside]), np.append(found.labels, labels[inside])) > 0.95
    assert np.all(distances >= 0)


@pytest.mark.parametrize("kind", BY_CENTERS)
def test_fitted_codes_get_their_own_cluster_again(kind: ClustererKind) -> None:
    codes, _ = blobs(spread=2.5)  # a mess, so that borders are near
    found = fit_clusters(codes, config_of(kind), seed=1)
    labels, distances = found.assign(codes)
    np.testing.assert_array_equal(labels, found.labels)
    np.testing.assert_allclose(distances, found.distances, atol=1e-5)
    np.testing.assert_allclose(found.confidence(codes), found.confidences, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_is_assigned_alike_alone_and_in_company(kind: ClustererKind) -> None:
    codes, _ = blobs(spread=1.0)
    found = fit_clusters(codes, config_of(kind), seed=0)
    together, _ = found.assign(codes[:20])
    alone = [int(found.assign(codes[row : row + 1])[0][0]) for row in range(20)]
    assert alone == together.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_decides(kind: ClustererKind) -> None:
    codes, _ = blobs(spread=2.0)
    one, two = fit_clusters(codes, config_of(kind), seed=3), fit_clusters(codes.copy(), config_of(kind), seed=3)
    np.testing.assert_array_equal(one.labels, two.labels)
    np.testing.assert_array_equal(one.centers, two.centers)


@pytest.mark.parametrize("kind", ["kmeans", "minibatch_kmeans", "gaussian_mixture"])
def test_the_number_of_threads_plays_no_part(kind: ClustererKind) -> None:
    codes, _ = blobs(n_rows=3000, spread=2.0)  # so many that scikit-learn's k-means would share them among threads
    found = []
    for threads in (1, 4):
        with threadpool_limits(threads, user_api="openmp"):
            found.append(fit_clusters(codes, config_of(kind), seed=3))
    np.testing.assert_array_equal(found[0].centers, found[1].centers)


def test_more_starts_never_end_worse() -> None:
    codes, _ = blobs(spread=2.0)
    spreads = np.empty((4, 3))
    for seed in range(4):
        for column, restarts in enumerate((1, 2, 8)):
            found = fit_clusters(codes, ClusterersConfig(clusters=12, restarts=restarts), seed)
            spreads[seed, column] = np.square(found.distances, dtype=np.float64).sum()
    assert np.all(np.diff(spreads, axis=1) < 1e-3)
    assert spreads[:, 2].mean() < spreads[:, 0].mean() - 0.1


def test_another_seed_starts_elsewhere() -> None:
    codes, _ = blobs(spread=3.0)
    one, two = (fit_clusters(codes, config_of("kmeans"), seed) for seed in (0, 1))
    assert not np.array_equal(one.centers, two.centers)


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_cluster_comes_first(kind: ClustererKind) -> None:
    codes, true = blobs(n_rows=500)
    kept = np.concatenate([np.flatnonzero(true == each)[: 20 * (each + 1)] for each in range(5)])  # 20, 40, ... 100
    found = fit_clusters(codes[kept], config_of(kind), seed=0)
    sizes = np.bincount(found.labels[found.labels >= 0])
    assert np.all(np.diff(sizes) <= 0)
    assert len(np.unique(sizes)) > 1
    biggest = np.median(true[kept][found.labels == 0])
    assert biggest == 4
    assert np.bincount(true[kept][found.assign(codes[kept])[0] == 0]).argmax() == 4


@pytest.mark.parametrize("kind", KINDS)
def test_clusters_survive_safetensors(kind: ClustererKind, tmp_path: Path) -> None:
    codes, _ = blobs(spread=1.0)
    found = fit_clusters(codes, config_of(kind), seed=0)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in found.tensors().items()}
    write_weights(tmp_path / "clusters.safetensors", Weights(tensors, found.header()))
    read = read_weights(tmp_path / "clusters.safetensors")
    again = Clusters.restore({name: tensor.numpy() for name, tensor in read.tensors.items()}, read.header)
    for one, two in zip(found.assign(codes), again.assign(codes), strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(again.confidence(codes), found.confidence(codes))
    np.testing.assert_array_equal(again.labels, found.labels)
    assert again.notes == found.notes


def test_weights_of_something_else_are_refused() -> None:
    with pytest.raises(RovervisionError, match="not the weights of clusters"):
        Clusters.restore({"model.weight": np.zeros(3)}, {"clusterer": "kmeans", "normalize": True})


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_every_shape_of_a_mixture_is_kept(covariance: str) -> None:
    codes, true = blobs()
    shape = MixtureConfig(covariance=covariance)
    found = fit_clusters(codes, ClusterersConfig(kind="gaussian_mixture", clusters=5, gaussian_mixture=shape), seed=0)
    assert adjusted_rand_score(true, found.labels) == 1
    assert found.confidences.min() > 0.9
    assert all(len(array) == 5 for array in found.arrays.values())


def test_a_mixture_is_unsure_in_the_middle() -> None:
    codes, _ = blobs(n_blobs=2, spread=0.6)
    config = ClusterersConfig(kind="gaussian_mixture", clusters=2, normalize=False, pca_dim=None)
    found = fit_clusters(codes, config, seed=0)
    middle = codes[:2].mean(0, keepdims=True)
    assert found.confidence(codes[:2]).min() > found.confidence(middle)[0]


def test_confidence_is_the_simplified_silhouette() -> None:
    codes, _ = blobs(spread=1.5)
    found = fit_clusters(codes, config_of("kmeans"), seed=0)
    for row, place in enumerate(found.space.project(codes[:30])):
        apart = sorted(float(np.linalg.norm(place - center)) for center in found.centers)
        assert found.confidences[row] == pytest.approx((apart[1] - apart[0]) / apart[1], abs=1e-5)


def test_hdbscan_leaves_out_what_is_nowhere() -> None:
    codes, _ = blobs()
    stray = np.full((4, codes.shape[1]), -4, np.float32) * np.arange(1, 5)[:, None]
    config = ClusterersConfig(kind="hdbscan", normalize=False, hdbscan=HdbscanConfig(pca_dim=12))
    found = fit_clusters(np.concatenate([codes, stray]), config, seed=0)
    assert found.labels[-4:].tolist() == [OUTLIER] * 4
    assert found.confidences[-4:].tolist() == [0] * 4
    labels, distances = found.assign(stray - 1)
    assert labels.tolist() == [OUTLIER] * 4
    assert np.all(distances > found.arrays["limits"].max())


def test_a_lower_quantile_makes_more_outliers() -> None:
    codes, _ = blobs()
    shares = []
    for quantile in (0.5, 1.0):
        config = ClusterersConfig(kind="hdbscan", hdbscan=HdbscanConfig(outlier_quantile=quantile))
        shares.append(np.mean(fit_clusters(codes, config, seed=0).assign(codes)[0] == OUTLIER))
    assert shares[0] > 0.3
    assert shares[1] < 0.05


def test_agglomerative_joins_a_sample_and_assigns_the_rest() -> None:
    codes, true = blobs(n_rows=400)
    config = ClusterersConfig(kind="agglomerative", clusters=5, agglomerative=AgglomerativeConfig(sample_tiles=60))
    found = fit_clusters(codes, config, seed=0)
    assert len(found.labels) == 400
    assert adjusted_rand_score(true, found.labels) == 1


def test_hdbscan_and_mean_shift_look_at_a_sample_of_many() -> None:
    codes, true = blobs(n_rows=900)
    for config in (
        ClusterersConfig(kind="hdbscan", hdbscan=HdbscanConfig(sample_tiles=200)),
        ClusterersConfig(kind="mean_shift", mean_shift=MeanShiftConfig(sample_tiles=100, bandwidth_quantile=0.1)),
    ):
        found = fit_clusters(codes, config, seed=0)
        inside = found.labels != OUTLIER
        assert len(found.labels) == 900
        assert inside.mean() > 0.85
        assert adjusted_rand_score(true[inside], found.labels[inside]) > 0.99


def test_length_plays_no_part_where_codes_are_normalized() -> None:
    codes, true = blobs(dim=6, n_blobs=3)
    lengths = np.where(np.arange(len(codes)) % 2, 0.5, 1.5)[:, None].astype(np.float32)
    centred = codes - codes.mean(0)
    config = ClusterersConfig(kind="kmeans", clusters=3)
    assert adjusted_rand_score(true, fit_clusters(centred * lengths, config, seed=0).labels) == 1


def test_fewer_numbers_than_axes_are_no_hindrance() -> None:
    codes, true = blobs(dim=6)
    assert adjusted_rand_score(true, fit_clusters(codes, config_of("kmeans"), seed=0).labels) == 1


def test_codes_are_not_changed() -> None:
    codes, _ = blobs()
    codes.flags.writeable = False
    for kind in KINDS:
        fit_clusters(codes, config_of(kind), seed=0).assign(codes)


# --- bad input


@pytest.mark.parametrize("kind", KINDS)
def test_bad_codes_are_refused_in_a_sentence(kind: ClustererKind) -> None:
    codes, _ = blobs(n_rows=20)
    broken = codes.copy()
    broken[7, 3] = np.nan
    for wrong, says in (
        (codes[:0], "0 images"),
        (codes[:1], "1 images, too few"),
        (np.ones((9, 4), np.float32), "All 9 codes are the same"),
        (broken, "image 7 is not finite"),
        (codes[0], "must be a table"),
    ):
        with pytest.raises(RovervisionError, match=says):
            fit_clusters(wrong, config_of(kind), seed=0)


@pytest.mark.parametrize("kind", ["kmeans", "minibatch_kmeans", "gaussian_mixture", "agglomerative"])
def test_more_clusters_than_images_are_refused(kind: ClustererKind) -> None:
    codes, _ = blobs(n_rows=20)
    with pytest.raises(RovervisionError, match=r"30 clusters are more than there are images \(20\)"):
        fit_clusters(codes, config_of(kind, clusters=30), seed=0)
    assert len(fit_clusters(codes, config_of(kind, clusters=20), seed=0)) == 20


def test_fewer_kinds_of_codes_than_clusters_are_told(caplog: pytest.LogCaptureFixture) -> None:
    codes = np.repeat(np.eye(3, dtype=np.float32), 10, axis=0)
    found = fit_clusters(codes, config_of("kmeans"), seed=0)
    assert len(np.unique(found.labels)) == 3
    assert "2 of 5 clusters are empty" in caplog.text


def test_hdbscan_without_a_dense_place_says_what_to_do() -> None:
    codes = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    config = ClusterersConfig(kind="hdbscan", hdbscan=HdbscanConfig(least_tiles=30, core_tiles=30))
    with pytest.raises(RovervisionError, match=r"no dense region of 30 among 40 images.*least_tiles"):
        fit_clusters(codes, config, seed=0)


def test_mean_shift_without_a_radius_says_what_to_do() -> None:
    codes = np.zeros((5000, 4), np.float32)
    codes[-1] = 1  # which no small sample holds
    config = ClusterersConfig(kind="mean_shift", mean_shift=MeanShiftConfig(sample_tiles=10))
    with pytest.raises(RovervisionError, match="bandwidth_quantile"):
        fit_clusters(codes, config, seed=0)


def test_codes_of_another_encoder_are_refused() -> None:
    codes, _ = blobs()
    found = fit_clusters(codes, config_of("kmeans"), seed=0)
    with pytest.raises(RovervisionError, match="5 numbers and the fitted clusters know 12"):
        found.assign(codes[:, :5])
    with pytest.raises(RovervisionError, match="not finite"):
        found.assign(np.full((2, 12), np.inf, np.float32))
