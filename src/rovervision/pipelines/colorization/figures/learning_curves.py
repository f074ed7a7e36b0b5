"""Loss, epoch by epoch."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rovervision.imaging.chart_style import FAINT, INK, MUTED, draw_plain
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.figures.style import ROLE_COLORS


def draw_learning_curves(checkpoint: Weights) -> Figure:
    """Draw the loss on the training tiles and on the watched ones, and the epoch that was kept."""
    history = checkpoint.header["history"]
    figure = Figure(figsize=(8.4, 4.6), layout="constrained", facecolor="white")
    axis = figure.subplots()
    styles = {
        "train_loss": ("training tiles", MUTED),
        "monitor_loss": ("watched tiles (not trained on)", ROLE_COLORS["model"]),
    }
    for name, (label, color) in styles.items():
        points = history.get(name, [])
        axis.plot(
            [p["step"] for p in points],
            [p["value"] for p in points],
            color=color,
            lw=2,
            marker="o",
            ms=3.5,
            label=label,
        )
    if checkpoint.header["best_epoch"]:
        best = checkpoint.header["best_epoch"], checkpoint.header["best_loss"]
        axis.plot(*best, "o", ms=11, mfc="none", mec=ROLE_COLORS["model"], mew=1.8, label=f"kept: epoch {best[0]}")
    axis.set_xlabel("epoch")
    axis.set_ylabel("perceived colour error (CIEDE2000 metric)")
    axis.set_title("Learning to colour", loc="left", fontsize=13, color=INK)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(axis="y", color=FAINT)
    axis.legend(frameon=False)
    draw_plain(axis)
    return figure
