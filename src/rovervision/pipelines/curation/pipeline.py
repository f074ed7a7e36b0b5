"""The pipeline `curation`: raw images in, tiles with splits out, and a picture of what was rejected and why."""

from kedro.pipeline import Node, Pipeline

from rovervision.pipelines.curation.figures import draw_funnel, draw_sheet
from rovervision.pipelines.curation.nodes import (
    cut_tiles,
    examine_frames,
    judge_frames,
    split_frames,
    summarize_curation,
)


def create_pipeline(**_: object) -> Pipeline:
    """Build the pipeline. Its namespace only folds it into one box of a drawing; dataset names stay as they are."""
    return Pipeline(
        [
            Node(
                examine_frames,
                ["frames_fetched", "images_raw", "masks_raw", "params:curation"],
                "frames_examined",
                name="examine_frames",
            ),
            Node(judge_frames, ["frames_examined", "params:curation"], "frames_judged", name="judge_frames"),
            Node(
                split_frames,
                ["frames_judged", "params:curation", "params:seed"],
                "frames_split",
                name="split_frames",
            ),
            Node(cut_tiles, ["frames_examined", "frames_split"], "tiles", name="cut_tiles"),
            Node(summarize_curation, ["frames_split", "tiles"], "curation_summary", name="summarize_curation"),
            Node(draw_funnel, ["frames_examined", "frames_split"], "curation_funnel", name="draw_funnel"),
            Node(draw_sheet, "tiles", "curation_sheet", name="draw_sheet"),
        ],
        namespace="curation",
        prefix_datasets_with_namespace=False,
    )
