"""Clusters against what the archive knows of their tiles."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import INK
from rovervision.imaging.tiles import TileStore
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.figures.boards import note_page
from rovervision.pipelines.clustering.labels import known_labels

_CELL_IN = 0.36


def draw_confusion(tiles: TileStore, tile_clusters: pd.DataFrame, config: ClusteringConfig) -> Figure:
    """Draw which share of each cluster's labelled tiles has which label; clusters stand below their main label."""
    labels = known_labels(tiles.index, config.scoring)
    if labels is None:
        return note_page("Clusters and labels", "Nothing is known of these tiles that clusters could be compared with.")
    known = labels.notna().to_numpy()
    counts = pd.crosstab(labels[known].to_numpy(), tile_clusters.loc[known, "cluster"].to_numpy())
    counts = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    main = counts.to_numpy().argmax(axis=0)
    counts = counts.iloc[:, np.lexsort((-counts.max(axis=0).to_numpy(), main))]
    shares = counts / counts.sum(axis=0)
    size = (_CELL_IN * shares.shape[1] + 4.0, _CELL_IN * shares.shape[0] + 2.1)
    figure = Figure(figsize=(max(size[0], 7.0), size[1]), layout="constrained", facecolor="white")
    axis = figure.subplots()
    drawn = axis.imshow(shares.to_numpy(), cmap="YlOrBr", vmin=0, vmax=1, aspect="auto")
    for (line, column), share in np.ndenumerate(shares.to_numpy()):
        if share >= 0.05:
            color = "white" if share > 0.6 else INK
            axis.text(column, line, f"{100 * share:.0f}", ha="center", va="center", fontsize=8, color=color)
    totals = counts.sum(axis=1)
    axis.set_yticks(range(len(shares)), [f"{name}  ({totals[name]:,})" for name in shares.index], fontsize=9)
    axis.set_xticks(range(shares.shape[1]), [str(name) if name >= 0 else "–" for name in shares.columns], fontsize=9)
    axis.set_xlabel("cluster", color=INK)
    axis.tick_params(colors=INK, length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
    bar = figure.colorbar(drawn, ax=axis, pad=0.02, shrink=0.7)
    bar.set_label("share of the cluster's tiles", color=INK)
    axis.set_title("What each cluster's tiles are, in per cent", loc="left", fontsize=13, color=INK)
    return figure
