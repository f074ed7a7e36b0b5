"""Clusters of codes: how they are looked for, and what was found, which new codes are assigned to."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from rovervision.learning.code_space import CodeSpace

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
    """Main axes, in the place of `pca_dim`; 50, as in horatan's clustering of Curiosity's images."""
    bandwidth_quantile: float = Field(default=0.2, gt=0, le=1)
    """The radius is the mean distance to the neighbour at this share of the sample; 0.2, as there."""
    sample_tiles: int = Field(default=2000, ge=10)
    """Peaks are climbed to from at most so many codes: the work grows with the square."""


class HdbscanConfig(BaseModel):
    """HDBSCAN: dense regions at every density; the rest are outliers. Finds the number of clusters itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
class Clusters:
    """What was found. Cluster 0 is the largest; -1 stands for outliers."""

    kind: ClustererKind
    space: CodeSpace
    centers: NDArray[np.float32]
    """(K, d) means of the members, in the space."""
    labels: NDArray[np.int64]
    """(N,) cluster of each code that was fitted on, in their order."""
    distances: NDArray[np.float32]
    """(N,) distance to the centre of the own cluster in the space; of the nearest, for outliers."""
    confidences: NDArray[np.float32]
    """(N,) 0 to 1: how clear the choice was."""
    arrays: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """What a kind needs besides: gaussian_mixture weights and precisions, hdbscan limits."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Plain JSON values: configuration, seed, how the number was chosen."""

    def __len__(self) -> int:
        """Return the number of clusters, outliers aside."""
        return len(self.centers)

    def assign(self, codes: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the cluster of new codes and their distance to its centre. (N, D) to (N,) and (N,)."""
        raise NotImplementedError

    def confidence(self, codes: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return how clear the choice is for new codes, 0 to 1. (N, D) to (N,)."""
        raise NotImplementedError

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, as safetensors keeps them."""
        raise NotImplementedError

    def header(self) -> dict[str, Any]:
        """Return the rest, as JSON keeps it."""
        raise NotImplementedError

    @classmethod
    def restore(cls, tensors: dict[str, NDArray[Any]], header: dict[str, Any]) -> "Clusters":
        """Return the clusters that `tensors` and `header` were taken of."""
        raise NotImplementedError


def fit_clusters(codes: NDArray[np.floating], config: ClusterersConfig, seed: int) -> Clusters:
    """Return the clusters of (N, D) codes; the same for the same seed.

    Raises RovervisionError for one image, codes that are all the same or not finite, and more clusters than codes.
    """
    raise NotImplementedError
