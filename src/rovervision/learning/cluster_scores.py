"""How good clusters are: against labels, by their shape, by what they should not follow, and by how they repeat."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

from rovervision.errors import RovervisionError
from rovervision.learning.cluster_stability import agreement_of_seeds, agreement_of_subsamples
from rovervision.learning.clusters import OUTLIER, ChoiceConfig, ClusterersConfig, fit_clusters
from rovervision.learning.code_space import check_codes, sample_rows


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
    """Return how clusters agree with labels, of the rows that have one; nothing where none has.

    With n_ij the rows in cluster i and class j, and N all rows:

    - nmi: mutual information divided by the mean of both entropies; 0 to 1. Grows with the number of clusters.
    - ami, ari: mutual information, and pairs told alike (Rand index), less what chance gives; 1 is perfect, about 0 is
      chance (Vinh, Epps & Bailey 2010; Hubert & Arabie 1985).
    - purity: sum over i of max over j of n_ij, / N: each cluster gets its commonest class (Manning, Raghavan &
      Schuetze 2008, 16.3). Splitting a cluster never lowers it.
    - hungarian_accuracy: each cluster gets at most one class and each class one cluster, as well as can be (Kuhn 1955).
      With one large class it tells mostly whether that class was split: never to be read alone.

    Outliers (-1) count as one more cluster.

    Args:
        clusters: (N,) numbers.
        labels: (N,) words or numbers; None, NaN and "" are unknown.
    """
    from sklearn import metrics
    from sklearn.metrics.cluster import contingency_matrix

    found, true = _known(clusters, labels)
    if not len(true):
        return {}
    return {
        "nmi": float(metrics.normalized_mutual_info_score(true, found)),
        "ami": float(metrics.adjusted_mutual_info_score(true, found)),
        "ari": float(metrics.adjusted_rand_score(true, found)),
        **_matches(contingency_matrix(found, true)),
    }


def _matches(counts: NDArray[np.int64]) -> dict[str, float]:
    """Return purity and Hungarian accuracy of (clusters, classes) counts."""
    from scipy.optimize import linear_sum_assignment

    matched = counts[linear_sum_assignment(counts, maximize=True)].sum()
    return {"purity": float(counts.max(1).sum() / counts.sum()), "hungarian_accuracy": float(matched / counts.sum())}


def score_geometry(codes: NDArray[np.floating], clusters: ArrayLike, most: int, seed: int) -> dict[str, float]:
    """Return how compact clusters are and how far apart; nothing where there is a single one, or each has one member.

    - silhouette: mean of (b - a) / max(a, b), a the mean distance to the own cluster's other members, b to those of the
      nearest other cluster (Rousseeuw 1987); -1 to 1, high is good.
    - davies_bouldin: mean over clusters of the worst (s_i + s_j) / d_ij, s the mean distance of members to their
      centre, d_ij that of two centres (Davies & Bouldin 1979); low is good.

    Args:
        codes: (N, D). Both scores tell of the space they are taken in: compare only what is in the same one.
        clusters: (N,) numbers; outliers (-1) are left out.
        most: the silhouette is taken on at most so many codes.
        seed: draws these.
    """
    from sklearn.metrics import davies_bouldin_score, silhouette_score

    check_codes(codes)
    found = _of_same_length(codes, np.asarray(clusters))
    rows = np.flatnonzero(found != OUTLIER)
    sample = rows[sample_rows(len(rows), most, seed)]
    if not all(1 < len(np.unique(found[part])) < len(part) for part in (rows, sample)):
        return {}
    return {
        "silhouette": float(silhouette_score(np.asarray(codes[sample], np.float64), found[sample])),
        "davies_bouldin": float(davies_bouldin_score(codes if len(rows) == len(codes) else codes[rows], found[rows])),
    }


def score_nuisance(clusters: ArrayLike, cameras: ArrayLike, sols: ArrayLike, block_sols: int) -> dict[str, float]:
    """Return how far clusters follow what they should not: the camera and the time. Low is good.

    camera_nmi and sol_nmi are normalised mutual information, 0 to 1, with the camera and with blocks of sols;
    camera_ami and sol_ami are less what chance gives, which is more the more blocks there are. What is known of no
    row is left out.

    Args:
        clusters: (N,) numbers.
        cameras: (N,) names.
        sols: (N,) sol numbers; missing ones are left out.
        block_sols: sols that count as one time.
    """
    from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

    days = pd.to_numeric(pd.Series(sols), errors="coerce").to_numpy(np.float64, na_value=np.nan)
    blocks = pd.Series(np.floor(days / block_sols)).astype("object").where(np.isfinite(days), None)
    scores: dict[str, float] = {}
    for name, nuisance in (("camera", cameras), ("sol", blocks)):
        found, true = _known(clusters, nuisance)
        if len(true):
            scores[f"{name}_nmi"] = float(normalized_mutual_info_score(true, found))
            scores[f"{name}_ami"] = float(adjusted_mutual_info_score(true, found))
    return scores


def stability(
    codes: NDArray[np.floating], config: ClusterersConfig, seeds: Sequence[int], frac: float = 0.8
) -> dict[str, float]:
    """Return whether clusters come out again: seed_stability and subsample_stability, 1 where they always do.

    The mean adjusted Rand index of all pairs of clusterings: of all codes, each from another seed; and of random parts,
    each pair on the codes that both have. A clusterer that draws nothing has a seed_stability of 1 by nature, so the
    other one is the one to compare.

    Args:
        codes: (N, D).
        config: the clusterer; where it chooses its number, the stated one is taken.
        seeds: two or more.
        frac: share of the codes in a part.
    """
    stated = config.model_copy(update={"choice": ChoiceConfig()})

    def label(rows: NDArray[np.intp], seed: int) -> NDArray[np.int64]:
        return fit_clusters(codes[rows], stated, seed).labels

    return {
        "seed_stability": agreement_of_seeds(label, len(codes), seeds),
        "subsample_stability": agreement_of_subsamples(label, len(codes), seeds, frac),
    }


def known_rows(labels: ArrayLike) -> NDArray[np.bool_]:
    """Return (N,) where a label is known: neither None, NaN nor empty."""
    series = pd.Series(labels, dtype="object")
    return (series.notna() & (series != "")).to_numpy(bool)


def _known(clusters: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return clusters and numbered labels of the rows whose label is known."""
    series = pd.Series(labels, dtype="object")
    found, known = _of_same_length(series, np.asarray(clusters)), known_rows(labels)
    return found[known], pd.factorize(series[known])[0]


def _of_same_length(of: NDArray[np.floating] | pd.Series, clusters: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(of) != len(clusters):
        raise RovervisionError(
            f"There are {len(clusters)} cluster numbers for {len(of)} images: they are of other tiles. Cluster again."
        )
    return clusters
