"""Generated tiles beside real ones and a simple generator."""

import pandas as pd
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import FAINT, INK, draw_plain
from rovervision.pipelines.diffusion.figures.style import METHOD_COLORS

MEASURES = {
    "frechet": "Fréchet distance\n(lower is better)",
    "kernel": "kernel distance\n(lower is better)",
    "spectrum": "power spectrum, log₁₀\n(lower is better)",
    "mean_color": "mean colour, of 255\n(lower is better)",
    "precision": "precision",
    "recall": "recall",
    "density": "density\n(1: as real tiles)",
    "coverage": "coverage",
}


def draw_score_chart(table: pd.DataFrame) -> Figure:
    """Draw the scores against the first reference, one small chart each, all of them from zero."""
    rows = table[table["reference"] == table["reference"].iloc[0]].set_index("method")
    rows = rows.loc[[name for name in METHOD_COLORS if name in rows.index]]
    figure = Figure(figsize=(13.0, 4.8), layout="constrained", facecolor="white")
    for axis, (name, title) in zip(figure.subplots(2, 4).flat, MEASURES.items(), strict=True):
        colors = [METHOD_COLORS[str(method)] for method in rows.index]
        axis.barh(range(len(rows)), rows[name], color=colors, height=0.62)
        for y, value in enumerate(rows[name]):
            axis.annotate(
                f"{value:.3g}", (max(value, 0), y), xytext=(5, 0), textcoords="offset points", va="center",
                fontsize=9, color=INK,
            )  # fmt: skip
        axis.set_xlim(0, max(float(rows[name].max()) * 1.28, 1e-9))
        axis.set_yticks(range(len(rows)), rows.index if axis.get_subplotspec().is_first_col() else [""] * len(rows))
        axis.invert_yaxis()
        axis.set_title(title, fontsize=10, color=INK, loc="left")
        axis.grid(axis="x", color=FAINT)
        draw_plain(axis)
    first = rows.iloc[0]
    figure.suptitle(
        f"{int(first['tiles'])} tiles of each kind against {int(first['reference_tiles'])} real ones "
        f"({str(table['reference'].iloc[0]).replace('_', ' ')}) that nothing was learnt from",
        fontsize=12, color=INK,
    )  # fmt: skip
    return figure
