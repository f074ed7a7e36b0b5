"""The number of clusters, chosen by how apart they lie and by how they come out again."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rovervision.learning.cluster_stability import agreement_of_subsamples
from rovervision.learning.clusterers import ClusterersConfig
from rovervision.learning.code_space import fit_space, sample_rows
from rovervision.learning.reduction import lay_out_by_umap

logger = logging.getLogger(__name__)

_SILHOUETTE_ROWS = 2000
_PARTS = 3
_PART_FRAC = 0.8

Fit = Callable[[NDArray[np.floating], ClusterersConfig, int], NDArray[np.int64]]
"""(codes, configuration with the number stated, seed) → clusters of the codes."""


def choose_number(
    codes: NDArray[np.floating], config: ClusterersConfig, seed: int, fit: Fit
) -> tuple[int, list[dict[str, float]]]:
    """Return the number of clusters to take, and what was measured of each candidate.

    Measured are the silhouette in a space of few dimensions (Lowe et al. 2024, arXiv 2406.02465, find that it follows
    the true quality of clusters where it is taken on a UMAP) and the stability over three parts of 80 %. Chosen is the
    highest silhouette among the candidates that are stable enough; the most stable one, where none is.

    Returns:
        The number, and rows of clusters, silhouette, stability in the order of the candidates.
    """
    from sklearn.metrics import silhouette_score

    choice = config.choice
    rows = sample_rows(len(codes), _SILHOUETTE_ROWS, seed)
    places = _few_dimensions(codes[rows], config, seed)
    table = []
    for number in choice.candidates:
        stated = config.model_copy(update={"clusters": number, "choice": choice.model_copy(update={"candidates": ()})})
        labels = fit(codes, stated, seed)[rows]

        def label(part: NDArray[np.intp], each: int, stated: ClusterersConfig = stated) -> NDArray[np.int64]:
            return fit(codes[part], stated, each)

        seeds = [seed + 1 + each for each in range(_PARTS)]
        stability = agreement_of_subsamples(label, len(codes), seeds, _PART_FRAC)
        varied = 1 < len(np.unique(labels)) < len(labels)
        silhouette = float(silhouette_score(places, labels)) if varied else -1.0
        table.append({"clusters": number, "silhouette": silhouette, "stability": stability})
        logger.info("%d clusters: silhouette %.3f, stability %.3f", number, silhouette, stability)
    return int(best_candidate(table, choice.least_stability)["clusters"]), table


def best_candidate(table: list[dict[str, Any]], least_stability: float) -> dict[str, Any]:
    """Return the row with the highest silhouette among those stable enough; the most stable one, where none is."""
    stable = [row for row in table if row["stability"] >= least_stability]
    return max(stable, key=lambda row: row["silhouette"]) if stable else max(table, key=lambda row: row["stability"])


def _few_dimensions(codes: NDArray[np.floating], config: ClusterersConfig, seed: int) -> NDArray[np.float32]:
    if config.choice.space == "umap":
        places = fit_space(codes, config.pca_dim, config.normalize, seed).project(codes)
        return lay_out_by_umap(places, config.choice.dim, 15, seed)
    return fit_space(codes, config.choice.dim, False, seed).project(codes)
