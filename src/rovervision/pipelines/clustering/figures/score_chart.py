"""The encoder beside its baselines."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import ACCENT, FAINT, INK, MUTED, draw_plain
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.scoring import ALL

ROLE_COLORS = {"baseline": "#8c817a", "model": ACCENT}

MEASURES = {
    "nmi": "NMI with labels",
    "purity": "purity",
    "neighbour_accuracy": "nearest neighbours of\nother sols agree",
    "probe_macro_f1": "linear probe on the\nsplit, macro-F1",
    "silhouette": "silhouette",
    "subsample_stability": "stability",
    "camera_nmi": "NMI with camera\n(lower is better)",
    "sol_nmi": "NMI with time\n(lower is better)",
}


def draw_cluster_scores(cluster_scores: pd.DataFrame, config: ClusteringConfig) -> Figure:
    """Draw the main scores of every encoder: all tiles as a dot, the scored split alone as a ring."""
    present = [name for name in MEASURES if name in cluster_scores and cluster_scores[name].notna().any()]
    names = list(dict.fromkeys(cluster_scores["encoder"]))[::-1]
    columns = min(4, len(present))
    lines = -(-len(present) // columns)
    figure = Figure(figsize=(3.0 * columns + 1.6, (0.42 * len(names) + 1.15) * lines + 0.9), layout="constrained")
    figure.set_facecolor("white")
    axes = figure.subplots(lines, columns, squeeze=False, sharey=True)
    for axis, measure in zip(axes.flat, present, strict=False):
        _draw_measure(axis, cluster_scores, measure, names)
    for axis in axes.flat[len(present) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_yticks(range(len(names)), names)
    n_tiles = int(cluster_scores.loc[cluster_scores["scope"] == ALL, "n_tiles"].iloc[0])
    figure.suptitle(
        f"How good the codes and clusters are: all {n_tiles:,} tiles (dot), the {config.scoring.split} split (ring)",
        fontsize=13, color=INK, x=0.01, ha="left",
    )  # fmt: skip
    return figure


def _draw_measure(axis: Axes, scores: pd.DataFrame, measure: str, names: list[str]) -> None:
    for row in scores.to_dict("records"):
        value = row[measure]
        if pd.isna(value):
            continue
        color, y, whole = ROLE_COLORS[str(row["role"])], names.index(str(row["encoder"])), row["scope"] == ALL
        axis.plot(value, y, "o", ms=9 if whole else 7, color=color, mfc=color if whole else "white", mew=1.8)
        if whole or measure.startswith("probe"):
            axis.annotate(
                f"{value:.2f}", (value, y), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=8,
                color=INK,
            )  # fmt: skip
    values = scores[measure].to_numpy(np.float64)
    low, high = min(0.0, float(np.nanmin(values))), float(np.nanmax(values))
    axis.set_xlim(low - 0.02, high + 0.12 * (high - low) + 0.02)
    axis.set_ylim(-0.5, len(names) - 0.2)
    axis.set_title(MEASURES[measure], fontsize=10, color=INK)
    axis.grid(axis="x", color=FAINT)
    draw_plain(axis)
    axis.tick_params(colors=MUTED, labelsize=9)
