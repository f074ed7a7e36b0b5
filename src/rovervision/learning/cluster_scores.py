"""How good clusters are: against labels, by their shape, by what they should not follow, and by how they repeat."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

from rovervision.learning.clusters import ClusterersConfig


class ClusterScoresConfig(BaseModel):
    """How clusters and codes are scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    silhouette_tiles: int = Field(default=2000, ge=10)
    """The silhouette is taken on at most so many codes, drawn by the seed: the work grows with the square."""
    stability_seeds: int = Field(default=3, ge=2)
    """Clusterings that are compared with one another."""
    stability_frac: float = Field(default=0.8, gt=0, lt=1)
    """Share of the codes in each subsample."""
    block_sols: int = Field(default=50, ge=1)
    """Sols that count as one time, where clusters should not follow time."""
    neighbours: int = Field(default=5, ge=1)
    """Neighbours of other sols that vote for a label."""
    probe_strength: float = Field(default=0.01, gt=0)
    """The linear probe's C, the inverse of its L2 penalty, on standardised codes."""


def score_labels(clusters: ArrayLike, labels: ArrayLike) -> dict[str, float]:
    """Return nmi, ami, ari, purity, hungarian_accuracy of clusters against labels. Both (N,)."""
    raise NotImplementedError


def score_geometry(codes: NDArray[np.floating], clusters: ArrayLike, most: int, seed: int) -> dict[str, float]:
    """Return silhouette and davies_bouldin of (N, D) codes in clusters (N,)."""
    raise NotImplementedError


def score_nuisance(clusters: ArrayLike, cameras: ArrayLike, sols: ArrayLike, block_sols: int) -> dict[str, float]:
    """Return camera_nmi and sol_nmi: how far clusters follow the camera and the time. Low is good."""
    raise NotImplementedError


def stability(
    codes: NDArray[np.floating], config: ClusterersConfig, seeds: Sequence[int], frac: float = 0.8
) -> dict[str, float]:
    """Return seed_stability and subsample_stability: mean adjusted Rand index of pairs of clusterings."""
    raise NotImplementedError
