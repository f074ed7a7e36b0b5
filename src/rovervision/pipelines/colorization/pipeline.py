"""The graph of colorization."""

from kedro.pipeline import Node, Pipeline

from rovervision.pipelines.colorization.applying import colorize_images, exemplify_colorizer, select_gray_images
from rovervision.pipelines.colorization.card import describe_colorizer
from rovervision.pipelines.colorization.figures import (
    draw_ab_histograms,
    draw_comparison,
    draw_extremes,
    draw_learning_curves,
    draw_lightness_scatter,
    draw_panels,
    draw_reliability,
    draw_scores,
)
from rovervision.pipelines.colorization.film import measure_film, render_film
from rovervision.pipelines.colorization.nodes import (
    finish_colorizer,
    fit_color_priors,
    train_colorizer,
)
from rovervision.pipelines.colorization.sampling import calibrate_doubt, sample_predictions
from rovervision.pipelines.colorization.scoreboard import update_scoreboard
from rovervision.pipelines.colorization.scoring import score_colorizer, tabulate_scores
from rovervision.pipelines.colorization.truth import (
    compose_natural_color,
    score_natural_color,
    tabulate_natural_color,
)


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline: priors → training → scores and figures, and colour for gray images (tag `apply`)."""
    return Pipeline(
        [
            Node(
                fit_color_priors,
                ["tiles", "params:colorization", "tile_clusters@known"],
                "color_priors",
                name="fit_color_priors",
                tags="train",
            ),
            Node(
                train_colorizer,
                [
                    "tiles",
                    "color_priors",
                    "params:colorization",
                    "params:seed",
                    "params:device",
                    "colorizer_saved",
                    "encoder_weights",
                    "tile_clusters@known",
                ],
                ["colorizer_checkpoint", "colorization_metrics"],
                name="train_colorizer",
                tags=("train", "ranks"),
            ),
            Node(
                finish_colorizer,
                ["colorizer_checkpoint", "params:colorization"],
                "colorizer",
                name="finish_colorizer",
                tags="train",
            ),
            Node(
                exemplify_colorizer,
                ["tiles", "colorizer", "params:colorization"],
                "colorizer_tracked",
                name="track_colorizer",
                tags="train",
            ),
            Node(
                score_colorizer,
                ["tiles", "colorizer", "color_priors", "params:colorization"],
                "colorization_scores",
                name="score_colorizer",
            ),
            Node(
                tabulate_scores,
                ["colorization_scores", "params:colorization", "params:seed"],
                ["colorization_score_table", "colorization_score_metrics"],
                name="tabulate_scores",
            ),
            Node(
                describe_colorizer,
                ["colorizer", "tiles", "frames_split", "colorization_score_table", "params:colorization"],
                "colorizer_card",
                name="describe_colorizer",
            ),
            *_figure_nodes(),
            Node(select_gray_images, ["frames_split", "images_raw"], "images_gray@written", name="select_gray_images"),
            Node(
                colorize_images,
                ["images_gray@read", "colorizer", "params:colorization"],
                "images_colorized",
                name="colorize_images",
                tags="apply",
            ),
            *_film_nodes(),
            *_truth_nodes(),
        ],
        namespace="colorization",
        prefix_datasets_with_namespace=False,
    )


def _figure_nodes() -> list[Node]:
    """Figures of the last colorizer, and the one that compares it with those before."""
    examples = ["tiles", "colorizer", "colorization_scores", "params:colorization"]
    return [
        Node(
            sample_predictions,
            ["tiles", "colorizer", "params:colorization", "params:seed"],
            "colorization_samples",
            name="sample_predictions",
        ),
        Node(calibrate_doubt, "colorization_samples", "colorization_calibration", name="calibrate_doubt"),
        Node(
            update_scoreboard,
            [
                "colorization_scoreboard_saved",
                "colorization_score_table",
                "colorization_scores",
                "colorizer",
                "params:colorization",
            ],
            "colorization_scoreboard",
            name="update_scoreboard",
        ),
        Node(draw_learning_curves, "colorizer_checkpoint", "colorization_curves", name="draw_learning_curves"),
        Node(
            draw_scores,
            ["colorization_score_table", "params:colorization"],
            "colorization_score_chart",
            name="draw_scores",
        ),
        Node(draw_comparison, "colorization_scoreboard", "colorization_comparison", name="draw_comparison"),
        Node(draw_panels, examples, "colorization_panels", name="draw_panels"),
        Node(draw_extremes, examples, "colorization_extremes", name="draw_extremes"),
        Node(draw_ab_histograms, "colorization_samples", "colorization_ab_histograms", name="draw_ab_histograms"),
        Node(
            draw_lightness_scatter,
            "colorization_samples",
            "colorization_lightness_scatter",
            name="draw_lightness_scatter",
        ),
        Node(
            draw_reliability,
            ["colorization_calibration", "colorization_samples", "colorization_score_metrics"],
            "colorization_reliability",
            name="draw_reliability",
        ),
    ]


def _film_nodes() -> list[Node]:
    """Gray frames in colour as a film, where one is asked for."""
    return [
        Node(
            render_film,
            ["images_gray@read", "colorizer", "params:colorization"],
            "film",
            name="render_film",
            tags="film",
        ),
        Node(measure_film, "film", "film_metrics", name="measure_film", tags="film"),
    ]


def _truth_nodes() -> list[Node]:
    """Natural colour from Pancam's narrow bands, and scores on it."""
    return [
        Node(
            compose_natural_color,
            ["frames_fetched", "images_raw", "params:colorization"],
            "images_natural_color",
            name="compose_natural_color",
            tags="truth",
        ),
        Node(
            tabulate_natural_color,
            "images_natural_color",
            "natural_color_table",
            name="tabulate_natural_color",
            tags="truth",
        ),
        Node(
            score_natural_color,
            ["images_natural_color", "colorizer", "params:colorization"],
            ["natural_color_scores", "natural_color_metrics"],
            name="score_natural_color",
            tags="truth_scores",
        ),
    ]
