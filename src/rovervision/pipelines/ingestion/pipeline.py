"""The pipeline `ingestion`: queries in, raw images and a table of what they are out."""

from kedro.pipeline import Node, Pipeline

from rovervision.pipelines.ingestion.nodes import (
    ask_sizes,
    join_manifest,
    plan_download,
    plan_fetch,
    plan_listing,
    select_frames,
)


def create_pipeline(**_: object) -> Pipeline:
    """Build the pipeline. Its namespace only folds it into one box of a drawing; dataset names stay as they are.

    The nodes tagged `plan` list the archives and count what a download would cost: a dry run is these alone.
    """
    planning = Pipeline(
        [
            Node(plan_listing, "params:ingestion", "frames_listed", name="plan_listing"),
            Node(
                select_frames,
                ["frames_listed", "params:ingestion"],
                ["frames_selected", "selection_counts"],
                name="select_frames",
            ),
            Node(ask_sizes, ["frames_selected", "files_stored", "params:ingestion"], "sizes_asked", name="ask_sizes"),
            Node(
                plan_download,
                ["frames_selected", "files_stored", "sizes_asked", "params:ingestion"],
                ["download_plan", "download_plan_text"],
                name="plan_download",
            ),
        ],
        tags="plan",
    )
    fetching = [
        Node(
            plan_fetch,
            ["frames_selected", "download_plan", "params:ingestion"],
            ["images_raw", "masks_raw"],
            name="plan_fetch",
        ),
        Node(
            join_manifest,
            ["frames_selected", "selection_counts", "images_raw", "masks_raw"],
            ["frames_fetched", "ingestion_summary"],
            name="join_manifest",
        ),
    ]
    return Pipeline([*planning.nodes, *fetching], namespace="ingestion", prefix_datasets_with_namespace=False)
