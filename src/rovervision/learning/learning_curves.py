"""Loss, epoch by epoch, as every training records it."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rovervision.imaging.chart_style import ACCENT, FAINT, INK, MUTED, draw_plain


def draw_epochs(axis: Axes, header: Mapping[str, Any], title: str, loss: str, watched: str) -> None:
    """Draw the loss on the training tiles and on the watched ones, and the epoch that was kept.

    Args:
        axis: empty.
        header: of a checkpoint that `training.fit` yielded: history, best_epoch, best_loss.
        title: of the chart.
        loss: what the loss is called.
        watched: what the watched tiles are called.
    """
    for name, label, color in (("train_loss", "training tiles", MUTED), ("monitor_loss", watched, ACCENT)):
        points = header["history"].get(name, [])
        steps, values = [point["step"] for point in points], [point["value"] for point in points]
        axis.plot(steps, values, color=color, lw=2, marker="o", ms=3.5, label=label)
    if header.get("best_epoch"):
        kept = f"kept: epoch {header['best_epoch']}"
        axis.plot(header["best_epoch"], header["best_loss"], "o", ms=11, mfc="none", mec=ACCENT, mew=1.8, label=kept)
    axis.set_xlabel("epoch")
    axis.set_ylabel(loss)
    axis.set_title(title, loc="left", fontsize=13, color=INK)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(axis="y", color=FAINT)
    axis.legend(frameon=False)
    draw_plain(axis)
