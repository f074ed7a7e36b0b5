"""The nodes of ingestion. Searches and fetches are promised here and performed by the datasets that are saved."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.pipelines.ingestion.selecting import judge_listing
from rovervision.pipelines.ingestion.summary import count_outcomes, summarize
from rovervision.sources.fetch_plan import FetchPlan, FrameFetch, MaskFetch, origin_of, stored_name
from rovervision.sources.frame import Frame, MaskedSource, Query, Source, StoredFile
from rovervision.sources.frame_table import frames_of
from rovervision.sources.registry import IngestionConfig, fingerprint_of, open_source
from rovervision.sources.selection import describe_holdings, unrestricted


def plan_listing(config: IngestionConfig) -> dict[str, Callable[[], Iterator[Frame]]]:
    """Promise one search for each query."""
    return {query.name: partial(_search, open_source(query, config), query) for query in config.queries}


def _search(source: Source, query: Query) -> Iterator[Frame]:
    """Yield a query's frames. Raises RovervisionError, with what the archive does hold, when there are none."""
    n_frames = 0
    for frame in source.search(query):
        n_frames += 1
        yield frame
    if not n_frames:
        held = describe_holdings(source.search(unrestricted(query)))
        raise RovervisionError(f"The query `{query.name}` found no frame in {query.source}: {held}.")


def select_frames(frames_listed: pd.DataFrame, config: IngestionConfig) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Choose the frames to fetch from a listing.

    The queries are applied to the listing as it stands, so that a kept listing serves narrower queries without a new
    search.

    Args:
        frames_listed: One row per frame, columns of `Frame`.
        config: The queries.

    Returns:
        The rows chosen, in the listing's order, and {query: {outcome: count}}.
    """
    outcomes = pd.Series(judge_listing(frames_of(frames_listed), config.queries), frames_listed.index, dtype=object)
    chosen = frames_listed[outcomes == "selected"].reset_index(drop=True)
    if chosen.empty:
        raise RovervisionError("No listed frame answers the queries in `ingestion.queries`. List the archives again.")
    return chosen, count_outcomes(frames_listed["query"], outcomes)


def plan_fetch(frames_selected: pd.DataFrame, config: IngestionConfig) -> tuple[FetchPlan, FetchPlan]:
    """Promise the bytes of every chosen frame, and of every region mask that its archive has.

    Returns:
        Two plans, {file name: promise}: the images, and the masks under the same stems.
    """
    sources = {query.name: open_source(query, config) for query in config.queries}
    images, masks = (
        FetchPlan(attempts=config.fetch_attempts, max_failed_frac=config.max_failed_frac) for _ in range(2)
    )
    for frame in frames_of(frames_selected):
        source, origin = sources[frame.query], origin_of(frame, fingerprint_of(frame.source, config))
        images[stored_name(frame)] = FrameFetch(source, frame, origin)
        if frame.has_mask and isinstance(source, MaskedSource):
            masks[f"{frame.frame_id}.png"] = MaskFetch(source, frame, origin)
    return images, masks


def join_manifest(
    frames_selected: pd.DataFrame,
    selection_counts: dict[str, Any],
    images_raw: dict[str, StoredFile],
    masks_raw: dict[str, StoredFile],
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Put what was asked for and what came side by side.

    Returns:
        The chosen frames with path, n_bytes, sha256 and failure (missing when the file is whole) of their images, where
        `has_mask` is true only when the mask came too; and a summary of counts for people to read.
    """
    files = [images_raw[frame_id] for frame_id in frames_selected["frame_id"]]
    has_mask = [
        bool(promised) and frame_id in masks_raw and masks_raw[frame_id].failure is None
        for frame_id, promised in zip(frames_selected["frame_id"], frames_selected["has_mask"], strict=True)
    ]
    fetched = frames_selected.assign(
        has_mask=has_mask,
        path=pd.array([file.path for file in files], dtype="str"),
        n_bytes=pd.array([file.n_bytes for file in files], dtype="int64"),
        sha256=pd.array([file.sha256 for file in files], dtype="str"),
        failure=pd.array([file.failure for file in files], dtype="str"),
    )
    return fetched, summarize(fetched, selection_counts)
