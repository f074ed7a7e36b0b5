"""The figures of diffusion, one idea a file. Each function returns a figure of its own, touching no global state."""

from rovervision.pipelines.diffusion.figures.curves import draw_losses
from rovervision.pipelines.diffusion.figures.denoising_path import draw_denoising_path
from rovervision.pipelines.diffusion.figures.samples import draw_class_grid, draw_neighbours, draw_real_and_generated
from rovervision.pipelines.diffusion.figures.score_chart import draw_score_chart

__all__ = [
    "draw_class_grid", "draw_denoising_path", "draw_losses", "draw_neighbours", "draw_real_and_generated",
    "draw_score_chart",
]  # fmt: skip
