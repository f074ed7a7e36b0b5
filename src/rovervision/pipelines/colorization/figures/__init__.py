"""The figures of colorization, one idea a file. Each function returns a figure of its own, touching no global state."""

from rovervision.imaging.chart_style import INK, MUTED
from rovervision.pipelines.colorization.figures.ab_histograms import draw_ab_histograms
from rovervision.pipelines.colorization.figures.comparison import draw_comparison
from rovervision.pipelines.colorization.figures.extremes import draw_extremes
from rovervision.pipelines.colorization.figures.learning_curves import draw_learning_curves
from rovervision.pipelines.colorization.figures.lightness_scatter import draw_lightness_scatter
from rovervision.pipelines.colorization.figures.panels import draw_panels
from rovervision.pipelines.colorization.figures.reliability import draw_reliability
from rovervision.pipelines.colorization.figures.score_chart import draw_scores
from rovervision.pipelines.colorization.figures.style import METHOD_NAMES, ROLE_COLORS

__all__ = [
    "INK", "METHOD_NAMES", "MUTED", "ROLE_COLORS", "draw_ab_histograms", "draw_comparison", "draw_extremes",
    "draw_learning_curves", "draw_lightness_scatter", "draw_panels", "draw_reliability", "draw_scores",
]  # fmt: skip
