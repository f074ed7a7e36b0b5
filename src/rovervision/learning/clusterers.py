"""Six ways to look for clusters among places; the algorithms are scikit-learn's."""

import logging
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from rovervision.errors import RovervisionError
from rovervision.learning.code_space import sample_rows

logger = logging.getLogger(__name__)

_CLIMBS = 200
"""Mean shift climbs from so many codes: a peak that draws a hundredth of them is missed in one case of seven."""

ClustererKind = Literal["kmeans", "minibatch_kmeans", "mean_shift", "hdbscan", "gaussian_mixture", "agglomerative"]

OUTLIER = -1
"""The label of what belongs to no cluster."""


class ChoiceConfig(BaseModel):
    """How the number of clusters is chosen, where it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: tuple[Annotated[int, Field(ge=2)], ...] = ()
    """Numbers of clusters to try; none: the number is the one stated."""
    space: Literal["pca", "umap"] = "pca"
    """Where the silhouette is taken: on the main axes, or on a UMAP (extra `map`)."""
    dim: int = Field(default=8, ge=2, le=64)
    """Dimensions of that space."""
    least_stability: float = Field(default=0.6, ge=0, le=1)
    """Chosen is the highest silhouette among the numbers that are at least so stable; if none is, the most stable."""


class MeanShiftConfig(BaseModel):
    """Mean shift: climbs to the peaks of density; finds the number of clusters itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pca_dim: int = Field(default=50, ge=1)
    """Main axes, instead of the number above; 50, as in horatan's clustering of Curiosity's images."""
    bandwidth_quantile: float = Field(default=0.2, gt=0, le=1)
    """The radius is the mean distance to the neighbour at this share of the sample; 0.2, as there."""
    sample_tiles: int = Field(default=2000, ge=10)
    """Density is taken on at most so many codes, and peaks are climbed to from at most 200 of these: the work grows
    with the square."""


class HdbscanConfig(BaseModel):
    """HDBSCAN: dense regions at every density; the rest are outliers. Finds the number of clusters itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pca_dim: int = Field(default=8, ge=1)
    """Main axes, instead of the number above: in many dimensions all places are about equally thin."""
    least_tiles: int = Field(default=15, ge=2)
    """The smallest group that counts as a cluster."""
    core_tiles: int = Field(default=5, ge=1)
    """A code is in a dense place as far as so many others are near. More: more outliers."""
    sample_tiles: int = Field(default=10_000, ge=10)
    """Density is taken on at most so many codes: the work grows with the square."""
    outlier_quantile: float = Field(default=0.95, gt=0, le=1)
    """A new code is an outlier where it is farther from the nearest centre than this share of that cluster's
    members."""


class MixtureConfig(BaseModel):
    """A mixture of Gaussians: clusters with shapes of their own, and probabilities."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    covariance: Literal["full", "tied", "diag", "spherical"] = "diag"
    """Shape of a cluster: any ellipsoid, one for all, along the axes, or a ball."""
    regularization: float = Field(default=1e-4, gt=0)
    """Added to variances, in the units of places squared."""


class AgglomerativeConfig(BaseModel):
    """Agglomerative: the nearest two groups are joined until few are left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    linkage: Literal["ward", "complete", "average"] = "ward"
    sample_tiles: int = Field(default=5000, ge=10)
    """At most so many codes are joined, drawn by the seed; the others go to the nearest mean: the work grows with the
    square."""


class ClusterersConfig(BaseModel):
    """Which clusterer, and in which space."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClustererKind = "kmeans"
    clusters: int = Field(default=30, ge=2)
    """Number of clusters; 30, as in horatan's clustering. mean_shift and hdbscan find it themselves."""
    pca_dim: int | None = Field(default=64, ge=1)
    """Codes are turned to so many main axes first; None: as they are."""
    normalize: bool = True
    """Places are brought to length one, so that distances are those of angles. Not for mean_shift, whose radius
    is of the codes' own units."""
    restarts: int = Field(default=4, ge=1)
    """k-means and mixtures start so often; the best is kept."""
    choice: ChoiceConfig = ChoiceConfig()
    mean_shift: MeanShiftConfig = MeanShiftConfig()
    hdbscan: HdbscanConfig = HdbscanConfig()
    gaussian_mixture: MixtureConfig = MixtureConfig()
    agglomerative: AgglomerativeConfig = AgglomerativeConfig()


@dataclass(frozen=True)
class Found:
    """What a clusterer found among places."""

    centers: NDArray[np.float64]
    """(K, d): means of the members; peaks of density for mean_shift."""
    labels: NDArray[np.int64] | None = None
    """(S,) clusters of the places that were looked at; None: each belongs where a new place would."""
    rows: NDArray[np.intp] | None = None
    """(S,) which places those are; None: all."""
    arrays: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """What a kind needs besides, a row per cluster."""


def find_clusters(places: NDArray[np.float32], config: ClusterersConfig, seed: int) -> Found:
    """Return the clusters of (N, d) places; the same for the same seed, on any number of processor cores.

    Raises RovervisionError where a kind finds none.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    # sums by several threads come out in the order in which these finish
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _FINDERS[config.kind](places, config, seed)


def _find_by_means(places: NDArray[np.float32], config: ClusterersConfig, seed: int) -> Found:
    from sklearn.cluster import KMeans

    def start(each: int) -> Any:
        return KMeans(config.clusters, n_init=1, max_iter=200, random_state=each).fit(places)

    runs = _restarted(start, seed, config.restarts)
    return Found(min(runs, key=lambda run: run.inertia_).cluster_centers_)


def _find_by_small_batches(places: NDArray[np.float32], config: ClusterersConfig, seed: int) -> Found:
    from sklearn.cluster import MiniBatchKMeans

    means = MiniBatchKMeans(
        config.clusters, batch_size=2048, n_init=config.restarts, max_no_improvement=20, random_state=seed
    )
    return Found(means.fit(places).cluster_centers_)


def _find_peaks(places: NDArray[np.float32], config: ClusterersConfig, seed: int) -> Found:
    """Comaniciu & Meer 2002; the radius as in scikit-learn's estimate_bandwidth."""
    from sklearn.cluster import MeanShift, estimate_bandwidth

    options = config.mean_shift
    sample = places[sample_rows(len(places), options.sample_tiles, seed)]
    radius = estimate_bandwidth(sample, quantile=options.bandwidth_quantile)
    if not radius > 0:
        raise RovervisionError(
            f"Mean shift has a radius of 0: a share of {options.bandwidth_quantile} of the images has the same code. "
            "Raise clusterer.mean_shift.bandwidth_quantile, or remove copies in curation."
        )
    starts = sample[sample_rows(len(sample), _CLIMBS, seed)]
    return Found(MeanShift(bandwidth=radius, seeds=starts, max_iter=100).fit(sample).cluster_centers_)


def _find_dense_regions(places: NDArray[np.float32], config: ClusterersConfig, seed: int) -> Found:
    """Campello, Moulavi & Sander 2013. New places are judged by the distances of members to the mean."""
    from sklearn.cluster import HDBSCAN

    options = config.hdbscan
    rows = sample_rows(len(places), options.sample_tiles, seed)
    core = min(options.core_tiles, len(rows))
    labels = HDBSCAN(min_cluster_size=options.least_tiles, min_samples=core, copy=True).fit_predict(places[rows])
    if labels.max() < 0:
        raise RovervisionError(
            f"HDBSCAN found no dense region of {options.least_tiles} among {len(rows)} images: all would be outliers. "
            "Lower clusterer.hdbscan.least_tiles, core_tiles or pca_dim, or take another kind."
        )
    centers = _means(places[rows], labels)
    limits = [
        np.quantile(np.linalg.norm(places[rows[labels == each]] - center, axis=1), options.outlier_quantile)
        for each, center in enumerate(centers)
    ]
    return Found(centers, labels.astype(np.int64), rows, {"limits": np.asarray(limits, np.float32)})


def _find_gaussians(places: NDArray[np.float32], config: ClusterersConfig, seed: int) -> Found:
    from sklearn.mixture import GaussianMixture

    options = config.gaussian_mixture

    def start(each: int) -> Any:
        return GaussianMixture(
            config.clusters, covariance_type=options.covariance, reg_covar=options.regularization, random_state=each
        ).fit(places.astype(np.float64))

    best = max(_restarted(start, seed, config.restarts), key=lambda run: run.lower_bound_)
    precisions = best.precisions_cholesky_
    if options.covariance == "tied":  # one for all; from here on each has its own
        precisions = np.broadcast_to(precisions, (config.clusters, *precisions.shape))
    arrays = {"mixture_weights": best.weights_, "precisions_cholesky": precisions}
    return Found(best.means_, arrays={name: array.astype(np.float32) for name, array in arrays.items()})


def _find_by_joining(places: NDArray[np.float32], config: ClusterersConfig, seed: int) -> Found:
    from sklearn.cluster import AgglomerativeClustering

    options = config.agglomerative
    rows = sample_rows(len(places), max(options.sample_tiles, config.clusters), seed)
    labels = AgglomerativeClustering(config.clusters, linkage=options.linkage).fit_predict(places[rows])
    return Found(_means(places[rows], labels), labels.astype(np.int64), rows)


_FINDERS: dict[str, Callable[[NDArray[np.float32], ClusterersConfig, int], Found]] = {
    "kmeans": _find_by_means,
    "minibatch_kmeans": _find_by_small_batches,
    "mean_shift": _find_peaks,
    "hdbscan": _find_dense_regions,
    "gaussian_mixture": _find_gaussians,
    "agglomerative": _find_by_joining,
}


def _restarted(start: Callable[[int], Any], seed: int, times: int) -> list[Any]:
    """Return the runs of different starts, in their order. Threads share the starts, never the work of one."""
    from threadpoolctl import threadpool_limits

    def alone(each: int) -> Any:
        with threadpool_limits(1, user_api="openmp"):  # a thread's own setting
            return start(each)

    seeds = np.random.default_rng(seed).integers(2**31, size=times).tolist()
    with ThreadPoolExecutor(min(times, os.cpu_count() or 1)) as pool:
        return list(pool.map(alone, seeds))


def _means(places: NDArray[np.float32], labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the mean place of each cluster 0, 1, ... (outliers aside)."""
    return np.stack([places[labels == each].mean(0, dtype=np.float64) for each in range(int(labels.max()) + 1)])
