"""How the training went, and where in the noise it has learnt something."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rovervision.imaging.chart_style import FAINT, INK, MUTED, draw_plain
from rovervision.learning.weights import Weights
from rovervision.pipelines.diffusion.figures.style import METHOD_COLORS

_NAMES = {"training": "training tiles", "held out": "held-out tiles"}
_COLORS = {"training": MUTED, "held out": METHOD_COLORS["generated"]}


def draw_losses(checkpoint: Weights, losses: pd.DataFrame) -> Figure:
    """Draw the loss by epoch with the epoch that was kept, and the loss of the kept weights by noise level."""
    figure = Figure(figsize=(12.6, 4.6), layout="constrained", facecolor="white")
    by_epoch, by_level = figure.subplots(1, 2)
    _draw_epochs(by_epoch, checkpoint)
    for part, rows in losses.groupby("part", sort=False):
        color = _COLORS[str(part)]
        by_level.plot(rows["sigma"], rows["loss"], color=color, lw=2, marker="o", ms=4, label=str(_NAMES[str(part)]))
    by_level.set_xscale("log")
    by_level.set_ylim(bottom=0)
    by_level.set_xlabel("noise level: standard deviation σ on pixels in −1..1")
    by_level.set_ylabel("weighted loss")
    by_level.set_title("Loss of the kept weights by noise level", loc="left", fontsize=13, color=INK)
    for axis in (by_epoch, by_level):
        axis.grid(axis="y", color=FAINT)
        axis.legend(frameon=False)
        draw_plain(axis)
    return figure


def _draw_epochs(axis: Axes, checkpoint: Weights) -> None:
    header = checkpoint.header
    styles = {"train_loss": ("training tiles", MUTED), "monitor_loss": ("held-out tiles", _COLORS["held out"])}
    for name, (label, color) in styles.items():
        points = header["history"].get(name, [])
        steps, values = [point["step"] for point in points], [point["value"] for point in points]
        axis.plot(steps, values, color=color, lw=2, marker="o", ms=3.5, label=label)
    if header["best_epoch"]:
        kept = f"kept: epoch {header['best_epoch']}"
        axis.plot(header["best_epoch"], header["best_loss"], "o", ms=11, mfc="none", mec=INK, mew=1.6, label=kept)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("epoch")
    axis.set_ylabel("weighted loss, all noise levels")
    axis.set_title("Learning to denoise", loc="left", fontsize=13, color=INK)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
