"""The figures of clustering, one idea a file. Every function returns its own figure and sets nothing global."""

from rovervision.pipelines.clustering.figures.confusion import draw_confusion
from rovervision.pipelines.clustering.figures.encoder_curves import draw_encoder_curves
from rovervision.pipelines.clustering.figures.map import draw_map
from rovervision.pipelines.clustering.figures.overview import draw_overview
from rovervision.pipelines.clustering.figures.reconstructions import draw_reconstructions
from rovervision.pipelines.clustering.figures.score_chart import draw_cluster_scores
from rovervision.pipelines.clustering.figures.sheets import draw_cluster_sheets, draw_outliers, draw_similar
from rovervision.pipelines.clustering.figures.timeline import draw_timeline

__all__ = [
    "draw_cluster_scores", "draw_cluster_sheets", "draw_confusion", "draw_encoder_curves", "draw_map", "draw_outliers",
    "draw_overview", "draw_reconstructions", "draw_similar", "draw_timeline",
]  # fmt: skip
