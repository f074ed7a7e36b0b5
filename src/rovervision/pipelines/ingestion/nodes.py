"""The nodes of ingestion. Searches and fetches are promised here and performed by the datasets that are saved."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.pipelines.ingestion.planning import (
    describe,
    expected_bytes,
    mark_stored,
    measure,
    tabulate,
    unmeasured,
)
from rovervision.pipelines.ingestion.selecting import judge_listing
from rovervision.pipelines.ingestion.summary import summarize, table_of_outcomes
from rovervision.sources.fetch_plan import FetchPlan, FetchTerms, FrameFetch, MaskFetch, origin_of, stored_name
from rovervision.sources.frame import Frame, MaskedSource, MeasuringSource, Query, Source, StoredFile
from rovervision.sources.frame_table import FrameListing, each_frame, frames_of
from rovervision.sources.registry import IngestionConfig, fingerprint_of, is_live, open_source
from rovervision.sources.selection import describe_holdings, unrestricted


def plan_listing(config: IngestionConfig) -> dict[str, Callable[[], Iterator[Frame]]]:
    """Promise one search for each query."""
    return {query.name: partial(_search, open_source(query, config), query) for query in config.asked()}


def _search(source: Source, query: Query) -> Iterator[Frame]:
    """Yield a query's frames.

    Where there are none, RovervisionError tells what the archive does hold, if that can be known without asking a live
    archive for everything.
    """
    n_frames = 0
    for frame in source.search(query):
        n_frames += 1
        yield frame
    if not n_frames and not is_live(query.source):
        held = describe_holdings(source.search(unrestricted(query)))
        raise RovervisionError(f"The query `{query.name}` found no frame in {query.source}: {held}.")


def select_frames(frames_listed: FrameListing, config: IngestionConfig) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Choose the frames to fetch from a listing.

    The queries are applied to the listing as it stands, so that a kept listing serves narrower queries without a new
    search. The listing is read in batches: only the chosen rows are held.

    Args:
        frames_listed: The listing.
        config: The queries.

    Returns:
        The rows chosen, in the listing's order, columns of `Frame`; and {query: {outcome: count}}.
    """
    outcomes = judge_listing(frames_listed.frames, config.asked())
    counts: Counter[tuple[str, str]] = Counter()
    chosen = []
    for batch in frames_listed.batches():
        of_batch = np.array(list(islice(outcomes, len(batch))), dtype=object)
        counts.update(zip(batch["query"], of_batch, strict=True))
        chosen.append(batch[of_batch == "selected"])
    if not any(len(part) for part in chosen):
        raise RovervisionError("No listed frame answers the queries in `ingestion.queries`. List the archives again.")
    return pd.concat(chosen, ignore_index=True), table_of_outcomes(counts)


def ask_sizes(
    frames_selected: pd.DataFrame, files_stored: pd.DataFrame, config: IngestionConfig
) -> dict[str, Callable[[], list[int]]]:
    """Promise the sizes of a few files of each kind that is to be fetched, where the archive can tell them."""
    sources = _sources(config)
    asked: dict[str, Callable[[], list[int]]] = {}
    for key, few in unmeasured(mark_stored(frames_selected, files_stored, config)):
        frames = frames_of(few)
        source = sources[frames[0].query]
        if isinstance(source, MeasuringSource):
            asked[key] = partial(measure, source, frames)
    return asked


def plan_download(
    frames_selected: pd.DataFrame,
    files_stored: pd.DataFrame,
    sizes_asked: dict[str, list[int]],
    config: IngestionConfig,
) -> tuple[pd.DataFrame, str]:
    """Count what is to be fetched by query, camera and sol, with the bytes that it will take.

    Returns:
        The table (see `planning.tabulate`), and the same in words: in full for a dry run, else in one line.
    """
    plan = tabulate(mark_stored(frames_selected, files_stored, config), sizes_asked)
    return plan, describe(plan, in_full=config.dry_run)


def plan_fetch(
    frames_selected: pd.DataFrame, download_plan: pd.DataFrame, config: IngestionConfig
) -> tuple[FetchPlan, FetchPlan]:
    """Promise the bytes of every chosen frame, and of every region mask that its archive has.

    Returns:
        Two plans, {file name: promise}: the images, and the masks under the same stems. Raises RovervisionError in a
        dry run.
    """
    if config.dry_run:
        raise RovervisionError("This is a dry run (`ingestion.dry_run`): nothing is fetched. Set it to false to fetch.")
    sources = _sources(config)
    terms = FetchTerms(
        attempts=config.fetch_attempts,
        max_failed_frac=config.max_failed_frac,
        threads=config.http.connections_per_host * 3 // 2,  # while some verify and write, others use the connections
        expected_bytes=expected_bytes(download_plan),
        min_free_bytes=config.min_free_bytes,
    )
    images, masks = FetchPlan(terms=terms), FetchPlan(terms=replace(terms, expected_bytes=0))
    for frame in each_frame(frames_selected):
        source, origin = sources[frame.query], origin_of(frame, fingerprint_of(frame.source, config))
        # A live archive fetches by address; millions of raw records would be most of a plan's memory.
        images[stored_name(frame)] = FrameFetch(
            source, replace(frame, record="{}") if is_live(frame.source) else frame, origin
        )
        if frame.has_mask and isinstance(source, MaskedSource):
            masks[f"{frame.frame_id}.png"] = MaskFetch(source, frame, origin)
    return images, masks


def _sources(config: IngestionConfig) -> dict[str, Source]:
    return {query.name: open_source(query, config) for query in config.asked()}


def join_manifest(
    frames_selected: pd.DataFrame,
    selection_counts: dict[str, Any],
    images_raw: dict[str, StoredFile],
    masks_raw: dict[str, StoredFile],
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Put what was asked for and what came side by side.

    Returns:
        The chosen frames with path, n_bytes, sha256, failure and failure_reason (a sentence and a word, missing when
        the file is whole) of their images, where `has_mask` is true only when the mask came too; and a summary of
        counts for people to read.
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
        failure_reason=pd.array([file.reason for file in files], dtype="str"),
    )
    return fetched, summarize(fetched, selection_counts)
