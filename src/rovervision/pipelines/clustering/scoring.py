"""Scores: the encoder and its clusters beside raw pixels, handcrafted codes and random weights."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rovervision.imaging.tiles import TileStore
from rovervision.learning.cluster_scores import score_geometry, score_labels, score_nuisance, stability
from rovervision.learning.clusters import ClusterersConfig, fit_clusters
from rovervision.learning.code_scores import cross_sol_neighbours, probe
from rovervision.learning.code_space import fit_space
from rovervision.learning.codes import TileCodes
from rovervision.learning.encoders import Kind, open_encoder
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.labels import known_labels
from rovervision.pipelines.clustering.names import encoder_name
from rovervision.pipelines.clustering.training import finish_encoder, train_encoder

BASELINES: tuple[Kind, ...] = ("pixels", "handcrafted", "random")
"""Kinds that learn nothing: what any encoder has to beat, always in the table."""

ALL = "all"
"""The scope of all tiles; the other one is the scored split alone."""


_LONG = 256
"""Codes of more numbers are long: finding main axes takes time that grows with the cube of their number."""


@dataclass(frozen=True)
class Contender:
    """One row of the table before it is scored."""

    name: str
    role: str
    codes: np.ndarray
    axes: np.ndarray
    """Codes on so many main axes that clusters are the same: of long codes, axes are found once and not each time."""
    clusters: np.ndarray


def score_encoders(
    tiles: TileStore, tile_codes: TileCodes, tile_clusters: pd.DataFrame, config: ClusteringConfig, seed: int
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the score table, two rows per encoder (all tiles; the scored split alone), and numbers for MLflow.

    Every encoder's codes are clustered alike, with the parameters of the chosen clusterer. Columns: encoder, role
    (model or baseline), scope, n_tiles, n_labelled, dim, clusters, and the scores of `learning.cluster_scores` and
    `learning.code_scores`, missing where nothing is known to score against.
    """
    tile_codes.check_tiles(tiles.index["tile_id"])
    labels = known_labels(tiles.index, config.scoring)
    scores = [
        {"encoder": each.name, "role": each.role} | row
        for each in contenders(tiles, tile_codes, tile_clusters, config, seed)
        for row in score_contender(each, tiles.index, labels, config, seed)
    ]
    table = pd.DataFrame(scores)
    return table, as_metrics(table)


def contenders(
    tiles: TileStore, tile_codes: TileCodes, tile_clusters: pd.DataFrame, config: ClusteringConfig, seed: int
) -> Iterator[Contender]:
    """Yield the baselines, then the chosen encoder; one that is a baseline itself is the model alone."""
    for kind in BASELINES:
        if kind != encoder_name(config.encoder):
            codes = baseline_codes(tiles, kind, config, seed)
            axes = main_axes(codes, config.clusterer, seed)
            yield Contender(kind, "baseline", codes, axes, fit_clusters(axes, config.clusterer, seed).labels)
    own = np.asarray(tile_codes.codes)
    axes, clusters = main_axes(own, config.clusterer, seed), tile_clusters["cluster"].to_numpy()
    yield Contender(encoder_name(config.encoder), "model", own, axes, clusters)


def main_axes(codes: np.ndarray, config: ClusterersConfig, seed: int) -> np.ndarray:
    """Return long codes on their first main axes, more than the clusterer turns them to; short ones as they are."""
    if codes.shape[1] <= _LONG or config.pca_dim is None or config.pca_dim > _LONG // 2:
        return codes
    return fit_space(codes, _LONG, False, seed).project(codes)


def baseline_codes(tiles: TileStore, kind: Kind, config: ClusteringConfig, seed: int) -> np.ndarray:
    """Return the codes of a kind that learns nothing. (N, D) float32."""
    alone = config.model_copy(update={"encoder": config.encoder.baseline(kind)})
    checkpoint, _ = next(train_encoder(tiles, alone, seed, "cpu"))
    return open_encoder(finish_encoder(checkpoint, alone)).embed(tiles.pixels)


def score_contender(
    each: Contender, index: pd.DataFrame, labels: pd.Series | None, config: ClusteringConfig, seed: int
) -> list[dict[str, object]]:
    """Return the two rows of one encoder."""
    measures, own = config.scoring.measures, config.clusterer
    steady = stability(each.axes, own, range(seed, seed + measures.stability_seeds), measures.stability_frac)
    at = cluster_counts(each.axes, config.scoring.at_clusters, own, seed)
    rows = []
    for scope in (ALL, config.scoring.split):
        chosen = np.flatnonzero(index["split"] == scope) if scope != ALL else np.arange(len(index))
        if len(chosen) < 2:
            continue
        part = index.iloc[chosen]
        row: dict[str, object] = {"scope": scope, "n_tiles": len(chosen), "n_labelled": 0, "dim": each.codes.shape[1]}
        row["clusters"] = int(np.unique(each.clusters[each.clusters >= 0]).size)
        codes = each.codes if scope == ALL else each.codes[chosen]  # a copy of all may be more than the machine has
        row |= score_shape(codes, each.clusters[chosen], part, config, seed)
        row |= steady if scope == ALL else {}
        if labels is not None:
            row |= score_known(each, chosen, part, labels.iloc[chosen], at, config)
        rows.append(row)
    if labels is not None and len(rows) > 1:
        rows[1] |= probe_on(each.codes, labels, index["split"], config)
    return rows


def cluster_counts(
    codes: np.ndarray, counts: tuple[int, ...], config: ClusterersConfig, seed: int
) -> dict[int, np.ndarray]:
    """Return the clusters of k-means with each of these numbers of clusters."""
    fits = {k: config.model_copy(update={"kind": "kmeans", "clusters": k}) for k in counts if k <= len(codes)}
    return {k: fit_clusters(codes, fit, seed).labels for k, fit in fits.items()}


def score_shape(
    codes: np.ndarray, clusters: np.ndarray, index: pd.DataFrame, config: ClusteringConfig, seed: int
) -> dict[str, float]:
    """Return the scores that need no label: of the clusters' shape, and of what they should not follow."""
    measures = config.scoring.measures
    cameras = index["rover"].astype(str) + "/" + index["camera"].astype(str)
    found = score_geometry(codes, clusters, measures.silhouette_tiles, seed)
    return found | score_nuisance(clusters, cameras.to_numpy(), index["sol"].to_numpy(), measures.block_sols)


def score_known(
    each: Contender,
    rows: np.ndarray,
    index: pd.DataFrame,
    labels: pd.Series,
    at: dict[int, np.ndarray],
    config: ClusteringConfig,
) -> dict[str, float]:
    """Return the scores against labels, of the tiles that have one."""
    has = labels.notna().to_numpy()
    if not has.any():
        return {}
    known, chosen = labels.to_numpy()[has].astype(str), rows[has]
    found: dict[str, float] = {"n_labelled": int(has.sum())} | score_labels(each.clusters[chosen], known)
    for k, clusters in at.items():
        found |= {f"{name}_at_{k}": v for name, v in score_labels(clusters[chosen], known).items()}
    sols = (index["rover"].astype(str) + "/" + index["sol"].astype(str)).to_numpy()[has]
    if len(np.unique(sols)) > 1:
        found |= cross_sol_neighbours(each.axes[chosen], known, sols, config.scoring.measures.neighbours)
    return found


def probe_on(codes: np.ndarray, labels: pd.Series, splits: pd.Series, config: ClusteringConfig) -> dict[str, float]:
    """Return the linear probe's scores on the scored split; nothing where there is nothing to learn or to score."""
    parts = splits.astype(str).to_numpy(object)
    judged = np.where(parts == config.scoring.split, "val", np.where(parts == "train", "train", ""))
    return probe(codes, labels.to_numpy(object), judged, config.scoring.measures.probe_strength)


def as_metrics(table: pd.DataFrame) -> dict[str, float]:
    """Return the numbers of a score table by name: `nmi`, `val_nmi`, `pixels.nmi`. The model's have no name before."""
    numbers: dict[str, float] = {}
    for row in table.to_dict("records"):
        front = "" if row["role"] == "model" else f"{row['encoder']}."
        front += "" if row["scope"] == ALL else f"{row['scope']}_"
        values = {name: v for name, v in row.items() if name not in ("encoder", "role", "scope")}
        numbers |= {f"{front}{name}": float(v) for name, v in values.items() if pd.notna(v) and np.isfinite(v)}
    return numbers
