"""The graph of clustering."""

from kedro.pipeline import Node, Pipeline

from rovervision.pipelines.clustering.applying import assign_images
from rovervision.pipelines.clustering.describing import tabulate_clusters
from rovervision.pipelines.clustering.figures import (
    draw_cluster_scores,
    draw_cluster_sheets,
    draw_confusion,
    draw_encoder_curves,
    draw_map,
    draw_outliers,
    draw_overview,
    draw_reconstructions,
    draw_similar,
    draw_timeline,
)
from rovervision.pipelines.clustering.map_page import write_map_page
from rovervision.pipelines.clustering.nodes import cluster_tiles, embed_tiles, list_outliers, map_tiles
from rovervision.pipelines.clustering.scoring import score_encoders
from rovervision.pipelines.clustering.similar import choose_queries, find_similar
from rovervision.pipelines.clustering.training import finish_encoder, train_encoder

OWN = "params:clustering"


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline: encoder → codes → clusters → scores, figures and map; and their use on new images."""
    nodes = [*_learning_nodes(), *_looking_nodes(), *_finding_nodes()]
    return Pipeline(nodes, namespace="clustering", prefix_datasets_with_namespace=False)


def _learning_nodes() -> list[Node]:
    """All that later nodes, and new images, need."""
    return [
        Node(
            train_encoder,
            ["tiles", OWN, "params:seed", "params:device", "encoder_saved", "encoder_weights"],
            ["encoder_checkpoint", "encoder_metrics"],
            name="train_encoder",
            tags=("train", "ranks"),
        ),
        Node(finish_encoder, ["encoder_checkpoint", OWN], "encoder", name="finish_encoder", tags="train"),
        Node(embed_tiles, ["tiles", "encoder"], "tile_codes", name="embed_tiles", tags="train"),
        Node(
            cluster_tiles,
            ["tiles", "tile_codes", OWN, "params:seed"],
            ["clusters", "tile_clusters@written"],
            name="cluster_tiles",
            tags="train",
        ),
        Node(
            tabulate_clusters,
            ["tiles", "tile_clusters@written", OWN],
            "cluster_table",
            name="tabulate_clusters",
            tags="train",
        ),
    ]


def _looking_nodes() -> list[Node]:
    """Scores, figures and the interactive map."""
    found, named = "tile_clusters@written", "cluster_table"
    return [
        Node(
            score_encoders,
            ["tiles", "tile_codes", found, OWN, "params:seed"],
            ["cluster_scores", "cluster_score_metrics"],
            name="score_encoders",
        ),
        Node(map_tiles, ["tile_codes", OWN, "params:seed"], "tile_map", name="map_tiles"),
        Node(draw_cluster_scores, ["cluster_scores", OWN], "cluster_score_chart", name="draw_cluster_scores"),
        Node(draw_encoder_curves, ["encoder_checkpoint", OWN], "encoder_curves", name="draw_encoder_curves"),
        Node(
            draw_reconstructions,
            ["tiles", "encoder", named, OWN],
            "encoder_reconstructions",
            name="draw_reconstructions",
        ),
        Node(draw_overview, ["tiles", found, named, OWN], "cluster_overview", name="draw_overview"),
        Node(draw_cluster_sheets, ["tiles", found, named, OWN], "cluster_sheets", name="draw_cluster_sheets"),
        Node(draw_map, ["tiles", "tile_map", found, named, OWN], "cluster_map", name="draw_map"),
        Node(draw_timeline, [found, named], "cluster_timeline", name="draw_timeline"),
        Node(draw_confusion, ["tiles", found, OWN], "cluster_confusion", name="draw_confusion"),
        Node(write_map_page, ["tiles", "tile_map", found, named, OWN], "cluster_map_page", name="write_map_page"),
    ]


def _finding_nodes() -> list[Node]:
    """What is rare, what is alike, and where new images belong."""
    found, named = "tile_clusters@written", "cluster_table"
    return [
        Node(list_outliers, ["tiles", "tile_codes", "clusters", found, OWN], "tile_outliers", name="list_outliers"),
        Node(draw_outliers, ["tiles", "tile_outliers"], "outlier_sheet", name="draw_outliers"),
        Node(
            choose_queries,
            ["tiles", named, "images_asked", "clusters", OWN],
            "query_pictures",
            name="choose_queries",
            tags="similar",
        ),
        Node(
            find_similar,
            ["query_pictures", "tile_codes", found, "encoder", "clusters", OWN],
            "similar_images",
            name="find_similar",
            tags="similar",
        ),
        Node(
            draw_similar,
            ["tiles", "similar_images", "query_pictures"],
            "similar_sheet",
            name="draw_similar",
            tags="similar",
        ),
        Node(
            assign_images,
            ["images_unseen", "encoder", "clusters", named, OWN],
            "clusters_applied",
            name="assign_images",
            tags="apply",
        ),
    ]
