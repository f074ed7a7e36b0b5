"""Every kind of colorizer that was scored so far, side by side."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rovervision.imaging.chart_style import FAINT, INK, MUTED, draw_plain
from rovervision.pipelines.colorization.figures.style import ROLE_COLORS
from rovervision.pipelines.colorization.scoreboard import compared_rows, tell_apart

CHARTS = {
    "ciede2000_mean": "mean error",
    "ciede2000_p90": "90th percentile",
    "ciede2000_low_chroma": "white, gray, black",
    "ciede2000_sky": "sky",
    "ciede2000_terrain": "terrain",
    "ciede2000_hardware": "hardware",
    "chroma_ratio": "chroma ratio",
}
"""Columns of the scoreboard that are drawn, and their titles. All are errors but the last, which should be 1."""

_LINES = {"baseline": (0, (4, 3)), "oracle": (0, (1, 2))}


def draw_comparison(scoreboard: pd.DataFrame) -> Figure:
    """Draw one line for each colorizer that was scored on the same data as the latest, the best above.

    The table by lightness and the image's own table are drawn as lines across: what needs no network, and the floor of
    lightness alone.
    """
    rows = compared_rows(scoreboard)
    models = rows[rows["role"] == "model"].sort_values("ciede2000_mean", ascending=False, kind="stable")
    charts = [name for name in CHARTS if models[name].notna().any()]
    figure = Figure(
        figsize=(2.3 + 2.25 * len(charts), 0.62 * len(models) + 2.1), layout="constrained", facecolor="white"
    )
    axes = figure.subplots(1, len(charts), sharey=True, squeeze=False)[0]
    for axis, name in zip(axes, charts, strict=True):
        _draw_chart(axis, models, rows[rows["role"] != "model"], name)
    axes[0].set_yticks(range(len(models)), [_label(row, name) for row, name in _named(models)])
    axes[0].set_ylim(-0.6, len(models) - 0.4)
    figure.suptitle(
        f"Colorizers compared on the same {int(models['frames'].iloc[0]):,} frames "
        f"of the {models['split'].iloc[0]} split", fontsize=14, color=INK,
    )  # fmt: skip
    figure.supxlabel(
        "CIEDE2000, smaller is better; lines: table by lightness (dashed), the image's own table (dotted). "
        "Chroma: predicted / true, best at 1.", fontsize=9.5, color=MUTED,
    )  # fmt: skip
    return figure


def _named(models: pd.DataFrame) -> list[tuple[pd.Series, str]]:
    return [(row, name) for (_, row), name in zip(models.iterrows(), tell_apart(models), strict=True)]


def _label(row: pd.Series, name: str) -> str:
    return f"{name}\n{row['parameters'] / 1e6:.2g} M parameters, {int(row['epochs'])} epochs"


def _draw_chart(axis: Axes, models: pd.DataFrame, references: pd.DataFrame, name: str) -> None:
    y, color = np.arange(len(models)), ROLE_COLORS["model"]
    is_ratio = name == "chroma_ratio"
    if is_ratio:
        axis.axvline(1.0, color=MUTED, lw=1)
    else:
        for role, value in zip(references["role"], references[name], strict=True):
            axis.axvline(value, color=ROLE_COLORS[role], lw=1.5, ls=_LINES[role])
    if name == "ciede2000_mean":
        axis.hlines(y, models["ciede2000_low"], models["ciede2000_high"], color=color, lw=3, alpha=0.4)
    axis.plot(models[name], y, "o", ms=8, color=color)
    for value, at in zip(models[name], y, strict=True):
        if np.isfinite(value):
            _annotate(axis, value, float(at))
    largest = float(models[name].max()) if is_ratio else float(pd.concat([models[name], references[name]]).max())
    axis.set_xlim(min(0.6, 0.9 * float(models[name].min())) if is_ratio else 0, max(1.25, 1.1 * largest))
    axis.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axis.set_title(CHARTS[name], fontsize=11.5, color=INK)
    axis.grid(axis="x", color=FAINT)
    draw_plain(axis)


def _annotate(axis: Axes, value: float, at: float) -> None:
    number = axis.annotate(f"{value:.2f}", (value, at), xytext=(0, 8), textcoords="offset points", fontsize=10)
    number.set(ha="center", color=INK)
    number.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8})
