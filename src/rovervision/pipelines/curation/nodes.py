"""The steps of curation: examine, judge, relate, split, cut, look for leaks, count, publish."""

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import cv2
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.leakage import find_leaks
from rovervision.imaging.looks import looks_of_rows, looks_of_tiles
from rovervision.imaging.shard_plan import ShardPlan, ShardPromise, digest_of
from rovervision.imaging.tiles import ExaminedShard, TileExport, TilePlan, TileStore
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.dataset_card import dataset_card
from rovervision.pipelines.curation.examination import examine_shard
from rovervision.pipelines.curation.judging import judged
from rovervision.pipelines.curation.placing import placed, relations_of
from rovervision.pipelines.curation.summary import summary_of
from rovervision.pipelines.curation.tiling import tile_plan
from rovervision.sources.frame import StoredFile

EXAMINING_CODE = ("rovervision.imaging", "rovervision.pipelines.curation.examination")
"""Modules and packages that decide what an examination finds."""

_logger = logging.getLogger(__name__)


def examine_frames(
    frames_fetched: pd.DataFrame,
    images_raw: Mapping[str, StoredFile],
    masks_raw: Mapping[str, StoredFile],
    config: CurationConfig,
) -> ShardPlan:
    """Return promises {shard name: callable} that decode, measure and cut `frames_per_shard` frames each.

    Frames are ordered by id, so a shard holds neighbours in time and is the same in every run.
    """
    frames = frames_fetched.drop(columns="record", errors="ignore").sort_values("frame_id", ignore_index=True)
    step = config.frames_per_shard
    promises = {
        f"shard_{number:05d}": _promise(
            frames.iloc[top : top + step].reset_index(drop=True), images_raw, masks_raw, config.for_examination()
        )
        for number, top in enumerate(range(0, len(frames), step))
    }
    return ShardPlan(promises, workers=config.workers, code=EXAMINING_CODE)


def judge_frames(frames_examined: Mapping[str, ExaminedShard], config: CurationConfig) -> pd.DataFrame:
    """Return every frame with its measures, `kept`, `reasons` (list of names) and `findings` (list of sentences)."""
    if not frames_examined:
        raise RovervisionError("no frame was examined: the ingestion pipeline selected none")
    return judged(pd.concat([shard.frames for shard in frames_examined.values()], ignore_index=True), config)


def relate_frames(
    frames_judged: pd.DataFrame, frames_examined: Mapping[str, ExaminedShard], config: CurationConfig
) -> pd.DataFrame:
    """Return one row for each pair of frames that show the same: ids, kind, and how near (`RELATION_COLUMNS`)."""
    return relations_of(frames_judged, frames_examined, config)


def split_frames(
    frames_judged: pd.DataFrame, frames_related: pd.DataFrame, config: CurationConfig, seed: int
) -> pd.DataFrame:
    """Return the judged frames with `group`, `split` and `n_alike`; a frame that shows one held out further is dropped.

    Rejected frames have no group and no split. n_alike counts the kept frames that show nearly the same, itself too.
    """
    return placed(frames_judged, frames_related, config, seed)


def cut_tiles(
    frames_examined: Mapping[str, ExaminedShard], frames_split: pd.DataFrame, config: CurationConfig
) -> TilePlan:
    """Return the candidate tiles of the kept frames, shard by shard, with weights and measures in their index."""
    return tile_plan(frames_examined, frames_split, config)


def report_leaks(frames_split: pd.DataFrame, tiles: TileStore, config: CurationConfig) -> pd.DataFrame:
    """Return what shows nearly the same on both sides of a split, by a search that knows no group; best no row."""
    kept = frames_split[frames_split["kept"].astype(bool)].reset_index(drop=True)
    frame_looks = looks_of_rows(kept["phash"].tolist(), kept["thumbnail"].tolist())
    tile_looks = looks_of_tiles(tiles.pixels)
    found = find_leaks(
        kept, frame_looks.thumbnails, tiles.index, tile_looks.thumbnails, config.duplicates.correlation_min
    )
    if len(found):
        _logger.warning(
            "%d frames or tiles show nearly the same as one in another split: see leakage_report. Scores on the "
            "held-out splits flatter the model.",
            len(found),
        )
    return found


def summarize_curation(
    frames_split: pd.DataFrame, frames_related: pd.DataFrame, tiles: TileStore, leakage_report: pd.DataFrame
) -> dict[str, Any]:
    """Return what curation kept and why it rejected the rest, as JSON; kept + rejected = frames."""
    return summary_of(frames_split, frames_related, tiles, leakage_report)


def export_tiles(tiles: TileStore, frames_split: pd.DataFrame, config: CurationConfig) -> Iterator[TileExport]:
    """Yield the tiles with their card where an export is asked for, else nothing, so that nothing is written."""
    if config.export.enabled:
        yield TileExport(tiles, dataset_card(tiles, frames_split, config.export.title))


def _promise(
    frames: pd.DataFrame, images: Mapping[str, StoredFile], masks: Mapping[str, StoredFile], config: CurationConfig
) -> Callable[[], ExaminedShard]:
    """Return the promise to examine some frames, which holds their files and no others."""
    ids = frames["frame_id"].tolist()
    own, own_masks = ({key: files[key] for key in ids if key in files} for files in (images, masks))
    examine = partial(examine_shard, frames, own, own_masks, config)
    files = [*own.values(), *own_masks.values()]
    if any(not file.sha256 and file.failure is None and file.n_bytes for file in files):
        return examine  # nobody knows whether such a file is still the one that it was
    known = [f"{file.key} {file.sha256} {file.failure}" for file in files]
    told = [config.model_dump_json(), cv2.__version__, str(len(own)), *known, _text(frames)]
    return ShardPromise(examine, tuple(ids), digest_of(*told))


def _text(frames: pd.DataFrame) -> str:
    """Return a table as text that differs where a value, a column or a type does."""
    return str(frames.dtypes.astype(str).to_dict()) + frames.to_csv(index=False)
