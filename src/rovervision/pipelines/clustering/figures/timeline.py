"""When the clusters were seen: their share of what each rover sent, over its sols."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from rovervision.imaging.chart_style import INK, MUTED
from rovervision.pipelines.clustering.figures.boards import note_page, shortened
from rovervision.pipelines.clustering.figures.members import titles_of

_BINS = 40
"""Spans of sols over the whole of a rover's time."""
_ROW_IN = 0.27


def draw_timeline(tile_clusters: pd.DataFrame, cluster_table: pd.DataFrame) -> Figure:
    """Draw for each rover how the clusters share the tiles of each span of sols, and how many tiles there are."""
    dated = tile_clusters[tile_clusters["sol"].notna()]
    if not len(dated):
        return note_page("When the clusters were seen", "No tile has a sol.")
    order = dated.groupby("cluster")["sol"].median().sort_values(kind="stable").index.to_list()
    rovers = list(dated.groupby("rover", sort=False).size().sort_values(ascending=False).index)
    spans = {rover: _edges(dated.loc[dated["rover"] == rover, "sol"].to_numpy(float)) for rover in rovers}
    ratios = [max(len(spans[rover]) - 1, 6) for rover in rovers]
    height = _ROW_IN * len(order) + 2.3
    figure = Figure(figsize=(4.4 + min(9.0, 0.24 * sum(ratios)), height), layout="constrained", facecolor="white")
    axes = figure.subplots(
        2, len(rovers), squeeze=False, sharex="col", width_ratios=ratios, height_ratios=[0.8, max(height - 2.2, 1.0)]
    )
    counts = {rover: _counts(dated[dated["rover"] == rover], order, spans[rover]) for rover in rovers}
    shares = {rover: np.divide(n, np.maximum(n.sum(axis=0), 1)) for rover, n in counts.items()}
    top = max(float(share.max()) for share in shares.values())
    for column, rover in zip(axes.T, rovers, strict=True):
        _draw_counts(column[0], counts[rover].sum(axis=0), spans[rover], str(rover))
        drawn = _draw_shares(column[1], shares[rover], counts[rover].sum(axis=0), spans[rover], top)
    titles = titles_of(cluster_table)
    axes[0, 0].set_ylabel("tiles", color=MUTED)
    axes[1, 0].set_yticks(np.arange(len(order)), [shortened(titles[cluster], 46) for cluster in order], fontsize=8)
    bar = figure.colorbar(drawn, ax=axes[1, :], pad=0.02, shrink=min(1.0, 3.0 / (_ROW_IN * len(order))))
    bar.set_label("share of the span's tiles", color=INK)
    figure.suptitle(
        "When the clusters were seen, the earliest above; gray: no tile", fontsize=14, color=INK, x=0.01, ha="left"
    )
    return figure


def _edges(sols: np.ndarray) -> np.ndarray:
    """Return the limits of spans of equal, whole sols over all of them."""
    first, last = int(sols.min()), int(sols.max())
    step = max(1, -(-(last + 1 - first) // _BINS))
    return np.arange(first, last + 1 + step, step)


def _counts(dated: pd.DataFrame, order: list[int], edges: np.ndarray) -> np.ndarray:
    """Return (clusters, spans) numbers of tiles."""
    sols, clusters = dated["sol"].to_numpy(float), dated["cluster"].to_numpy()
    return np.stack([np.histogram(sols[clusters == cluster], edges)[0] for cluster in order])


def _draw_counts(axis: Axes, counts: np.ndarray, edges: np.ndarray, rover: str) -> None:
    axis.stairs(counts, edges, fill=True, color="#c9b8ad")
    axis.set_title(rover, loc="left", fontsize=11, color=INK)
    axis.set_ylim(bottom=0)
    axis.tick_params(colors=MUTED, length=0, labelbottom=False, labelsize=8)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)


def _draw_shares(axis: Axes, shares: np.ndarray, counts: np.ndarray, edges: np.ndarray, top: float) -> AxesImage:
    """Draw a field for each cluster and span; spans without tiles stay gray."""
    seen = np.ma.masked_where(np.broadcast_to(counts == 0, shares.shape), shares)
    drawn = axis.imshow(
        seen, cmap="YlOrBr", vmin=0, vmax=top, aspect="auto", interpolation="nearest",
        extent=(edges[0], edges[-1], len(shares) - 0.5, -0.5),
    )  # fmt: skip
    axis.set_facecolor("#e3ddd8")
    axis.set_xlabel("sol", color=INK)
    axis.set_yticks([])
    axis.tick_params(colors=INK, length=0)
    for spine in axis.spines.values():
        spine.set_color("#cfc6c0")
    return drawn
