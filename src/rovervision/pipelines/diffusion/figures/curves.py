"""How the training went, and where in the noise it has learnt something."""

import pandas as pd
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import FAINT, INK, MUTED, draw_plain
from rovervision.learning.learning_curves import draw_epochs
from rovervision.learning.weights import Weights
from rovervision.pipelines.diffusion.figures.style import METHOD_COLORS

_NAMES = {"training": "training tiles", "held out": "held-out tiles"}
_COLORS = {"training": MUTED, "held out": METHOD_COLORS["generated"]}


def draw_losses(checkpoint: Weights, losses: pd.DataFrame) -> Figure:
    """Draw the loss by epoch with the epoch that was kept, and the loss of the kept weights by noise level."""
    figure = Figure(figsize=(12.6, 4.6), layout="constrained", facecolor="white")
    by_epoch, by_level = figure.subplots(1, 2)
    draw_epochs(by_epoch, checkpoint.header, "Learning to denoise", "weighted loss, all noise levels", "held-out tiles")
    by_epoch.set_ylim(bottom=0)
    for part, rows in losses.groupby("part", sort=False):
        color = _COLORS[str(part)]
        by_level.plot(rows["sigma"], rows["loss"], color=color, lw=2, marker="o", ms=4, label=str(_NAMES[str(part)]))
    by_level.set_xscale("log")
    by_level.set_ylim(bottom=0)
    by_level.set_xlabel("noise level: standard deviation σ on pixels in −1..1")
    by_level.set_ylabel("weighted loss")
    by_level.set_title("Loss of the kept weights by noise level", loc="left", fontsize=13, color=INK)
    by_level.grid(axis="y", color=FAINT)
    by_level.legend(frameon=False)
    draw_plain(by_level)
    return figure
