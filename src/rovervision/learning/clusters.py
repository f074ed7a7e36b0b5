"""Clusters of codes: what was found, and how new codes are assigned to it."""

import logging
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rovervision.errors import RovervisionError
from rovervision.learning.cluster_choice import choose_number
from rovervision.learning.clusterers import (
    AgglomerativeConfig,
    ChoiceConfig,
    ClustererKind,
    ClusterersConfig,
    Found,
    HdbscanConfig,
    MeanShiftConfig,
    MixtureConfig,
    find_clusters,
)
from rovervision.learning.code_space import CHUNK_ROWS, CodeSpace, check_codes, check_varied, fit_space

__all__ = [
    "OUTLIER",
    "AgglomerativeConfig",
    "ChoiceConfig",
    "ClustererKind",
    "ClusterersConfig",
    "Clusters",
    "HdbscanConfig",
    "MeanShiftConfig",
    "MixtureConfig",
    "fit_clusters",
]

logger = logging.getLogger(__name__)

OUTLIER = -1
"""The label of what belongs to no cluster."""

_FINDS_NUMBER = ("mean_shift", "hdbscan")
_COVARIANCES = {1: "spherical", 2: "diag", 3: "full"}
"""Axes of an array of precisions → scikit-learn's word for it."""
_FIT = ("labels", "distances", "confidences")


Examined = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]
"""Labels, distances and confidences, each (N,)."""


@dataclass(frozen=True)
class Clusters:
    """What was found. Cluster 0 is the largest; -1 stands for outliers, which only hdbscan knows."""

    kind: ClustererKind
    space: CodeSpace
    centers: NDArray[np.float32]
    """(K, d) means of the members in the space; peaks of density for mean_shift."""
    labels: NDArray[np.int64]
    """(N,) cluster of each code that was fitted on, in their order."""
    distances: NDArray[np.float32]
    """(N,) distance to the centre of the own cluster in the space; to the nearest one, for outliers."""
    confidences: NDArray[np.float32]
    """(N,) 0 to 1: how clear the choice was. A mixture's probability; else, of the distances a to the own centre and b
    to the nearest other, (b - a) / max(a, b), not below 0: the simplified silhouette (Hruschka et al. 2004). Outliers
    have 0."""
    arrays: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """What a kind needs besides, a row per cluster: a mixture's weights and precisions, hdbscan's limits."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Plain JSON values: configuration, seed, and what was measured where the number was chosen."""

    def __len__(self) -> int:
        """Return the number of clusters, outliers aside."""
        return len(self.centers)

    def assign(self, codes: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the cluster of new codes and their distance to its centre. (N, D) to (N,) and (N,).

        A mixture gives the likeliest cluster, other kinds the nearest centre; hdbscan gives -1 to what is farther from
        it than most of its members (`outlier_quantile`). Codes that were fitted on get their own cluster again, but
        with hdbscan and agglomerative, whose clusters have shapes that a centre cannot tell.

        Raises RovervisionError for codes of another size, or not finite.
        """
        labels, distances, _ = self._examine(codes)
        return labels, distances

    def confidence(self, codes: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return how clear the choice is for new codes, 0 to 1, as in `confidences`. (N, D) to (N,)."""
        return self._examine(codes)[2]

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, as safetensors keeps them."""
        own = {"mean": self.space.mean, "components": self.space.components, "centers": self.centers}
        return {**own, **{name: getattr(self, name) for name in _FIT}, **self.arrays}

    def header(self) -> dict[str, Any]:
        """Return the rest, as JSON keeps it."""
        return {"clusterer": self.kind, "normalize": self.space.normalize, "notes": self.notes}

    @classmethod
    def restore(cls, tensors: dict[str, NDArray[Any]], header: dict[str, Any]) -> "Clusters":
        """Return the clusters that `tensors` and `header` were taken of. Raises RovervisionError where parts lack."""
        rest = dict(tensors)
        try:
            space = CodeSpace(rest.pop("mean"), rest.pop("components"), header["normalize"])
            kind, centers = cast(ClustererKind, header["clusterer"]), rest.pop("centers")
            labels, distances, confidences = (rest.pop(name) for name in _FIT)
            return cls(kind, space, centers, labels, distances, confidences, rest, header["notes"])
        except KeyError as error:
            raise RovervisionError(
                f"These are not the weights of clusters: {error} is missing. Cluster again."
            ) from None

    def _examine(self, codes: NDArray[np.floating]) -> Examined:
        """Return labels, distances and confidences of codes."""
        check_codes(codes, dim=len(self.space.mean))
        return self._examine_all(self.space.project(codes))

    def _examine_all(self, places: NDArray[np.float32]) -> Examined:
        """Return labels, distances and confidences of places, a chunk at a time."""
        parts = [self._examine_places(places[at : at + CHUNK_ROWS]) for at in range(0, len(places), CHUNK_ROWS)]
        labels, distances, confidences = (np.concatenate(each) for each in zip(*parts, strict=True))
        return labels, distances, confidences

    def _examine_places(self, places: NDArray[np.float32]) -> Examined:
        apart = _distances(places, self.centers)
        if self.kind == "gaussian_mixture":
            likely = self._probabilities(places)
            labels = likely.argmax(1)
            return labels, apart[np.arange(len(apart)), labels], likely.max(1).astype(np.float32)
        labels, distances, confidences = _judge(apart, apart.argmin(1))
        if "limits" in self.arrays:
            far = distances > self.arrays["limits"][labels]
            labels, confidences = np.where(far, OUTLIER, labels), np.where(far, np.float32(0), confidences)
        return labels, distances, confidences

    def _probabilities(self, places: NDArray[np.float32]) -> NDArray[np.float64]:
        from sklearn.mixture import GaussianMixture

        precisions = self.arrays["precisions_cholesky"]
        mixture = GaussianMixture(len(self.centers), covariance_type=_COVARIANCES[precisions.ndim])
        mixture.weights_, mixture.means_ = self.arrays["mixture_weights"], self.centers
        mixture.precisions_cholesky_ = precisions
        return np.asarray(mixture.predict_proba(places))


def fit_clusters(codes: NDArray[np.floating], config: ClusterersConfig, seed: int) -> Clusters:
    """Return the clusters of (N, D) codes; the same for the same seed, on any number of processor cores.

    Time and memory grow linearly with N: what grows with the square (mean_shift, hdbscan, agglomerative) is done with a
    bounded sample, and the others are assigned.

    Raises RovervisionError for one image, codes that are all the same or not finite, and more clusters than codes.
    """
    _check_number(codes, config)
    chosen: dict[str, Any] = {}
    if config.choice.candidates and config.kind not in _FINDS_NUMBER:
        number, table = choose_number(
            codes, config, seed, lambda part, stated, each: fit_clusters(part, stated, each).labels
        )
        config = config.model_copy(update={"clusters": number})
        chosen = {"chosen": number, "candidates": table}
    space = fit_space(codes, _axes(config), config.normalize and config.kind != "mean_shift", seed)
    places = space.project(codes)
    clusters = _labelled(config.kind, space, places, find_clusters(places, config, seed), {"seed": seed, **chosen})
    _warn(clusters)
    return clusters


def _check_number(codes: NDArray[np.floating], config: ClusterersConfig) -> None:
    check_codes(codes, least=2)
    check_varied(codes)
    most = 2 if config.kind in _FINDS_NUMBER else max(config.clusters, *config.choice.candidates, 2)
    if most > len(codes):
        raise RovervisionError(
            f"{most} clusters are more than there are images ({len(codes)}). Lower clusterer.clusters (and the "
            "candidates of clusterer.choice), or give more images."
        )


def _axes(config: ClusterersConfig) -> int | None:
    own = {"mean_shift": config.mean_shift.pca_dim, "hdbscan": config.hdbscan.pca_dim}
    return own.get(config.kind, config.pca_dim)


def _labelled(
    kind: ClustererKind, space: CodeSpace, places: NDArray[np.float32], found: Found, notes: dict[str, Any]
) -> Clusters:
    """Return what was found as clusters, the largest first, with the label of each place."""
    none, no_labels = np.empty(0, np.float32), np.empty(0, np.int64)
    clusters = Clusters(kind, space, found.centers.astype(np.float32), no_labels, none, none, found.arrays, notes)
    labels, distances, confidences = clusters._examine_all(places)
    if found.labels is not None:
        rows = found.rows if found.rows is not None else np.arange(len(places))
        labels[rows], distances[rows], confidences[rows] = _judge(
            _distances(places[rows], clusters.centers), found.labels
        )
    order = np.argsort(-np.bincount(labels[labels >= 0], minlength=len(clusters)), kind="stable")
    new = np.append(np.argsort(order), OUTLIER)  # the last one is that of -1
    arrays = {name: array[order] for name, array in clusters.arrays.items()}
    return replace(
        clusters, centers=clusters.centers[order], arrays=arrays,
        labels=new[labels], distances=distances, confidences=confidences,
    )  # fmt: skip


def _distances(places: NDArray[np.float32], centers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return Euclidean distances. (N, d), (K, d) to (N, K)."""
    from scipy.spatial.distance import cdist

    return cdist(places, centers).astype(np.float32)


def _judge(apart: NDArray[np.float32], labels: NDArray[np.int64]) -> Examined:
    """Return labels, distance to the own centre (the nearest, for outliers) and confidence, by distances (N, K)."""
    rows, own = np.arange(len(apart)), np.where(labels < 0, apart.argmin(1), labels)
    distances = apart[rows, own]
    if apart.shape[1] == 1:
        return labels, distances, (labels >= 0).astype(np.float32)
    others = apart.copy()
    others[rows, own] = np.inf
    nearest_other = others.min(1)
    margin = (nearest_other - distances) / np.maximum(np.maximum(nearest_other, distances), 1e-12)
    return labels, distances, np.where(labels < 0, 0, np.clip(margin, 0, 1)).astype(np.float32)


def _warn(clusters: Clusters) -> None:
    empty = len(clusters) - len(np.unique(clusters.labels[clusters.labels >= 0]))
    if empty:
        logger.warning("%d of %d clusters are empty: there are fewer kinds of codes than that", empty, len(clusters))
    if len(clusters) == 1:
        logger.warning(
            "%s found a single cluster: lower %s", clusters.kind,
            "mean_shift.bandwidth_quantile" if clusters.kind == "mean_shift" else "hdbscan.least_tiles",
        )  # fmt: skip
