"""The pipeline `curation`: raw images in, tiles with splits out, and a picture of what was rejected and why."""

from kedro.pipeline import Node, Pipeline

from rovervision.pipelines.curation.figures import (
    draw_duplicates,
    draw_funnel,
    draw_sharpness,
    draw_sheet,
    draw_splits,
    tabulate_sizes,
)
from rovervision.pipelines.curation.nodes import (
    cut_tiles,
    examine_frames,
    export_tiles,
    judge_frames,
    relate_frames,
    report_leaks,
    split_frames,
    summarize_curation,
)


def create_pipeline(**_: object) -> Pipeline:
    """Build the pipeline. Its namespace only folds it into one box of a drawing; dataset names stay as they are."""
    return Pipeline([*_dataset_nodes(), *_report_nodes()], namespace="curation", prefix_datasets_with_namespace=False)


def _dataset_nodes() -> list[Node]:
    """Return the nodes from raw images to tiles."""
    return [
        Node(
            examine_frames,
            ["frames_fetched", "images_raw", "masks_raw", "params:curation"],
            "frames_examined",
            name="examine_frames",
        ),
        Node(judge_frames, ["frames_examined", "params:curation"], "frames_judged", name="judge_frames"),
        Node(
            relate_frames,
            ["frames_judged", "frames_examined", "params:curation"],
            "frames_related",
            name="relate_frames",
        ),
        Node(
            split_frames,
            ["frames_judged", "frames_related", "params:curation", "params:seed"],
            "frames_split",
            name="split_frames",
        ),
        Node(cut_tiles, ["frames_examined", "frames_split", "params:curation"], "tiles", name="cut_tiles"),
        Node(
            export_tiles,
            ["tiles", "frames_split", "params:curation"],
            "tiles_exported",
            name="export_tiles",
            tags="export",
        ),
    ]


def _report_nodes() -> list[Node]:
    """Return the nodes that count and draw."""
    return [
        Node(report_leaks, ["frames_split", "tiles", "params:curation"], "leakage_report", name="report_leaks"),
        Node(
            summarize_curation,
            ["frames_split", "frames_related", "tiles", "leakage_report"],
            "curation_summary",
            name="summarize_curation",
        ),
        Node(draw_funnel, ["frames_examined", "frames_split"], "curation_funnel", name="draw_funnel"),
        Node(draw_sheet, "tiles", "curation_sheet", name="draw_sheet"),
        Node(draw_sharpness, ["frames_examined", "frames_split"], "curation_sharpness", name="draw_sharpness"),
        Node(
            draw_duplicates,
            ["frames_examined", "frames_split", "frames_related"],
            "curation_duplicates",
            name="draw_duplicates",
        ),
        Node(draw_splits, ["frames_split", "tiles"], "curation_splits", name="draw_splits"),
        Node(tabulate_sizes, "frames_split", "curation_sizes", name="tabulate_sizes"),
    ]
