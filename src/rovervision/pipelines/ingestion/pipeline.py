"""The pipeline `ingestion`: queries in, raw images and a table of what they are out."""

from kedro.pipeline import Node, Pipeline

from rovervision.pipelines.ingestion.nodes import join_manifest, plan_fetch, plan_listing, select_frames


def create_pipeline(**_: object) -> Pipeline:
    """Build the pipeline. Its namespace only folds it into one box of a drawing; dataset names stay as they are."""
    return Pipeline(
        [
            Node(plan_listing, "params:ingestion", "frames_listed", name="plan_listing"),
            Node(
                select_frames,
                ["frames_listed", "params:ingestion"],
                ["frames_selected", "selection_counts"],
                name="select_frames",
            ),
            Node(plan_fetch, ["frames_selected", "params:ingestion"], ["images_raw", "masks_raw"], name="plan_fetch"),
            Node(
                join_manifest,
                ["frames_selected", "selection_counts", "images_raw", "masks_raw"],
                ["frames_fetched", "ingestion_summary"],
                name="join_manifest",
            ),
        ],
        namespace="ingestion",
        prefix_datasets_with_namespace=False,
    )
