"""The colorizer beside its baselines and oracles."""

import pandas as pd
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import FAINT, INK, draw_plain
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.pipelines.colorization.figures.style import METHOD_NAMES, ROLE_COLORS


def draw_scores(table: pd.DataFrame, config: ColorizationConfig) -> Figure:
    """Draw mean CIEDE2000 of every method with its 95 % interval, baselines above, oracles below."""
    order = {"baseline": 0, "model": 1, "oracle": 2}
    rows = table.sort_values(["role", "ciede2000_mean"], key=lambda c: c.map(order) if c.name == "role" else -c)
    figure = Figure(figsize=(9.6, 0.52 * len(rows) + 1.7), layout="constrained", facecolor="white")
    axis = figure.subplots()
    for y, row in enumerate(rows.itertuples()):
        color = ROLE_COLORS[str(row.role)]
        axis.plot(
            [row.ciede2000_low, row.ciede2000_high], [y, y], color=color, lw=3, alpha=0.45, solid_capstyle="round"
        )
        axis.plot(row.ciede2000_mean, y, "o", ms=8, color=color)
        axis.plot(row.ciede2000_median, y, "|", ms=11, mew=2, color=color)
        axis.annotate(
            f"{row.ciede2000_mean:.2f}", (row.ciede2000_high, y), xytext=(8, 0), textcoords="offset points",
            va="center", fontsize=10, color=INK,
        )  # fmt: skip
    axis.set_yticks(range(len(rows)), [METHOD_NAMES.get(name, f"{name} (this model)") for name in rows["method"]])
    for label, role in zip(axis.get_yticklabels(), rows["role"], strict=True):
        label.set_color(ROLE_COLORS[role])
    axis.invert_yaxis()
    axis.set_xlim(left=0, right=float(rows["ciede2000_high"].max()) * 1.1)
    axis.set_xlabel("CIEDE2000 per frame: mean (dot, 95 % interval over sols) and median (bar); smaller is better")
    axis.set_title(
        f"How far from true colour: {int(rows['frames'].iloc[0])} frames of the {config.scoring.split} split",
        loc="left", fontsize=13, color=INK,
    )  # fmt: skip
    axis.grid(axis="x", color=FAINT)
    draw_plain(axis)
    return figure
