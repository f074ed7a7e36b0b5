"""Whether the error that a colorizer expects is the error that it makes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import FAINT, INK, MUTED, draw_plain
from rovervision.pipelines.colorization.figures.style import ROLE_COLORS


def draw_reliability(calibration: pd.DataFrame, samples: pd.DataFrame, metrics: dict[str, float]) -> Figure:
    """Draw mean error against mean doubt of equally many pixels a point, and how often each doubt occurs.

    Args:
        calibration: the bins of `calibrate_doubt`; without rows, the figure says that there is no doubt.
        samples: the pixels that they were made of.
        metrics: the colorizer's row of the score table: the rank correlations.
    """
    figure = Figure(figsize=(7.4, 8.6), layout="constrained", facecolor="white")
    figure.suptitle("Does it know when it is wrong?", fontsize=14, color=INK)
    if calibration.empty:
        figure.text(0.5, 0.5, "This kind of colorizer tells no doubt.", ha="center", fontsize=12, color=MUTED)
        return figure
    line, counts = figure.subplots(2, 1, height_ratios=[3.4, 1], sharex=True)
    top = 1.05 * max(float(calibration["error_mean"].max()), float(samples["doubt"].quantile(0.999)))
    _draw_line(line, calibration, top)
    line.set_title(in_words(calibration, metrics), loc="left", fontsize=10, color=INK, linespacing=1.5, pad=10)
    edges = np.linspace(0, top, 61)
    counts.stairs(np.histogram(samples["doubt"].dropna(), edges)[0], edges, fill=True, color=MUTED, alpha=0.6)
    counts.set_xlabel("expected error (doubt), CIEDE2000")
    counts.set_ylabel("pixels")
    draw_plain(counts)
    return figure


def _draw_line(axis: Axes, calibration: pd.DataFrame, top: float) -> None:
    axis.plot([0, top], [0, top], color=MUTED, lw=1.2, ls=(0, (4, 3)), label="as large as expected")
    axis.plot(
        calibration["doubt_mean"], calibration["error_mean"],
        color=ROLE_COLORS["model"], lw=2, marker="o", ms=7, label="a tenth of the pixels a point",
    )  # fmt: skip
    axis.set_xlim(0, top)
    axis.set_ylim(0, top)
    axis.set_ylabel("mean error, CIEDE2000")
    axis.grid(color=FAINT)
    axis.legend(frameon=False, loc="upper left")
    draw_plain(axis)


def in_words(calibration: pd.DataFrame, metrics: dict[str, float]) -> str:
    """Return what the figure shows, in sentences."""
    expected = float(np.average(calibration["doubt_mean"], weights=calibration["pixels"]))
    found = float(np.average(calibration["error_mean"], weights=calibration["pixels"]))
    words = [f"On average it expects an error of {expected:.2f} and makes one of {found:.2f}."]
    ranks = {"pixels within a tile": "doubt_rank", "frames": "doubt_rank_frames"}
    known = [f"{metrics[key]:.2f} for {what}" for what, key in ranks.items() if key in metrics]
    words += [f"Rank correlation of doubt with error: {', '.join(known)}."] if known else []
    return "\n".join(words)
