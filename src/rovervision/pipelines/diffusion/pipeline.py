"""The graph of diffusion."""

from kedro.pipeline import Node, Pipeline

from rovervision.pipelines.diffusion.exporting import export_denoiser
from rovervision.pipelines.diffusion.figures import (
    draw_class_grid,
    draw_denoising_path,
    draw_losses,
    draw_neighbours,
    draw_real_and_generated,
    draw_score_chart,
)
from rovervision.pipelines.diffusion.generating import generate_images, generate_tiles
from rovervision.pipelines.diffusion.nodes import finish_denoiser, measure_losses, train_denoiser
from rovervision.pipelines.diffusion.scoring import fit_judge, score_tiles


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline: training → generated tiles → scores and figures, and images on demand (tag `apply`)."""
    return Pipeline(
        [*_training_nodes(), *_generating_nodes(), *_scoring_nodes(), *_figure_nodes()],
        namespace="diffusion",
        prefix_datasets_with_namespace=False,
    )


def _training_nodes() -> list[Node]:
    """From tiles to a denoiser, for this project and for others."""
    return [
        Node(
            train_denoiser,
            ["tiles", "tile_clusters@known", "params:diffusion", "params:seed", "params:device", "denoiser_saved"],
            ["denoiser_checkpoint", "diffusion_metrics"],
            name="train_denoiser",
            tags=("train", "ranks"),
        ),
        Node(finish_denoiser, "denoiser_checkpoint", "denoiser", name="finish_denoiser", tags="train"),
        Node(export_denoiser, "denoiser", "denoiser_exported", name="export_denoiser", tags="train"),
    ]


def _generating_nodes() -> list[Node]:
    """A set of generated tiles, and images that are asked for."""
    given = ["denoiser", "params:diffusion", "params:seed", "params:device"]
    return [
        Node(generate_tiles, given, "tiles_generated", name="generate_tiles"),
        Node(generate_images, given, "images_generated", name="generate_images", tags="apply"),
    ]


def _scoring_nodes() -> list[Node]:
    """What the generated tiles are worth."""
    return [
        Node(
            fit_judge,
            ["tiles", "params:diffusion", "params:seed", "params:device"],
            "diffusion_judge",
            name="fit_judge",
        ),
        Node(
            score_tiles,
            ["tiles", "tiles_generated", "diffusion_judge", "params:diffusion", "params:seed"],
            ["diffusion_score_table", "diffusion_score_metrics", "diffusion_neighbours"],
            name="score_tiles",
        ),
        Node(
            measure_losses,
            ["tiles", "denoiser", "params:diffusion", "params:seed", "params:device"],
            "diffusion_losses",
            name="measure_losses",
        ),
    ]


def _figure_nodes() -> list[Node]:
    """What there is to look at."""
    return [
        Node(draw_class_grid, ["tiles_generated", "params:diffusion"], "diffusion_class_grid", name="draw_class_grid"),
        Node(
            draw_real_and_generated,
            ["tiles", "tiles_generated", "params:diffusion"],
            "diffusion_real_and_generated",
            name="draw_real_and_generated",
        ),
        Node(
            draw_neighbours,
            ["tiles", "tiles_generated", "diffusion_neighbours", "params:diffusion"],
            "diffusion_neighbour_panel",
            name="draw_neighbours",
        ),
        Node(
            draw_denoising_path,
            ["denoiser", "params:diffusion", "params:seed", "params:device"],
            "diffusion_path",
            name="draw_denoising_path",
        ),
        Node(draw_losses, ["denoiser_checkpoint", "diffusion_losses"], "diffusion_curves", name="draw_losses"),
        Node(draw_score_chart, "diffusion_score_table", "diffusion_score_chart", name="draw_score_chart"),
    ]
