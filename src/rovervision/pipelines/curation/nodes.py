"""The steps of curation: examine, judge, split, cut, count."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.duplicates import burst_pairs, components, equal_pairs, near_pairs
from rovervision.imaging.quality import THUMBNAIL_PX, findings
from rovervision.imaging.splits import SPLITS, assign_splits, block_keys, group_keys, leaks
from rovervision.imaging.tiles import TILE_INDEX_COLUMNS, ExaminedShard, TileStore
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.examination import examine_shard
from rovervision.sources.frame import StoredFile

EXACT_DUPLICATE = "exact_duplicate"
HELD_OUT_DUPLICATE = "duplicate_of_held_out"
SAMPLE_TYPE = "sample_type"

_PRIORITY = {"test": 0, "val": 1, "train": 2}
"""Of equal files the one that a published split holds out furthest is kept."""


def examine_frames(
    frames_fetched: pd.DataFrame,
    images_raw: Mapping[str, StoredFile],
    masks_raw: Mapping[str, StoredFile],
    config: CurationConfig,
) -> dict[str, Callable[[], ExaminedShard]]:
    """Return promises {shard name: callable} that decode, measure and cut `frames_per_shard` frames each.

    Frames are ordered by id, so a shard holds neighbours in time and is the same in every run.
    """
    frames = frames_fetched.sort_values("frame_id", ignore_index=True)
    step = config.frames_per_shard
    return {
        f"shard_{number:05d}": partial(examine_shard, frames.iloc[top : top + step], images_raw, masks_raw, config)
        for number, top in enumerate(range(0, len(frames), step))
    }


def judge_frames(frames_examined: Mapping[str, ExaminedShard], config: CurationConfig) -> pd.DataFrame:
    """Return every frame with its measures, `kept`, `reasons` (list of names) and `findings` (list of sentences)."""
    if not frames_examined:
        raise RovervisionError("no frame was examined: the ingestion pipeline selected none")
    frames = pd.concat([shard.frames for shard in frames_examined.values()], ignore_index=True)
    failed = [_failed_checks(row, config) for row in frames.to_dict("records")]
    ids = frames["frame_id"].tolist()
    for first, repeat in _equal_files(frames, failed).tolist():
        failed[repeat][EXACT_DUPLICATE] = f"the same bytes as {ids[first]}"
    sentences = [[f"{reason}: {finding}" for reason, finding in checks.items()] for checks in failed]
    return frames.assign(
        kept=np.array([not checks for checks in failed]),
        reasons=pd.Series([list(checks) for checks in failed], dtype=object),
        findings=pd.Series(sentences, dtype=object),
    )


def split_frames(frames_judged: pd.DataFrame, config: CurationConfig, seed: int) -> pd.DataFrame:
    """Return the judged frames with `group`, `split` and `n_alike`; a train frame that shows a held-out one is dropped.

    Rejected frames have no group and no split. n_alike counts the kept frames that show nearly the same, itself too.
    """
    kept = frames_judged[frames_judged["kept"].astype(bool)].reset_index(drop=True)
    alike, scene = _components(kept, config)
    sols = [None if pd.isna(sol) else int(sol) for sol in kept["sol"]]
    blocks = block_keys(kept["rover"].tolist(), sols, kept["frame_id"].tolist(), config.splits.sols_per_group)
    groups = group_keys(blocks, scene)
    official = [None if pd.isna(part) else str(part) for part in kept["official_split"]]
    splits = assign_splits(groups, official, config.splits, seed)
    leaked = leaks(alike, splits)
    placed = kept[["frame_id"]].assign(group=groups, split=splits, leaked=leaked, alike=alike)
    placed["n_alike"] = placed[~leaked].groupby("alike")["frame_id"].transform("size")
    return _with_places(frames_judged, placed)


def cut_tiles(frames_examined: Mapping[str, ExaminedShard], frames_split: pd.DataFrame) -> TileStore:
    """Return the candidate tiles of the kept frames, each weighed so that one distinct view counts once.

    weight = 1 / (tiles of the frame x frames that show nearly the same).
    """
    frames = frames_split[frames_split["kept"].astype(bool)].set_index("frame_id")
    chosen = [np.flatnonzero(shard.candidates["frame_id"].isin(frames.index)) for shard in frames_examined.values()]
    n_tiles = sum(map(len, chosen))
    if n_tiles == 0:
        raise RovervisionError(_nothing_left(frames_split))
    example = next(iter(frames_examined.values()))
    pixels = np.empty((n_tiles, *example.pixels.shape[1:]), np.uint8)
    regions = np.empty((n_tiles, *example.regions.shape[1:]), np.uint8)
    top = 0
    for rows, shard in zip(chosen, frames_examined.values(), strict=True):
        pixels[top : top + len(rows)] = shard.pixels[rows]
        regions[top : top + len(rows)] = shard.regions[rows]
        top += len(rows)
    candidates = pd.concat(
        [shard.candidates.iloc[rows] for rows, shard in zip(chosen, frames_examined.values(), strict=True)],
        ignore_index=True,
    )
    return TileStore(pixels, regions, _tile_index(candidates, frames))


def summarize_curation(frames_split: pd.DataFrame, tiles: TileStore) -> dict[str, Any]:
    """Return what curation kept and why it rejected the rest, as JSON; kept + rejected = frames."""
    kept = frames_split["kept"].astype(bool)
    reasons = _reason_counts(frames_split)
    index = tiles.index
    return {
        "frames": len(frames_split),
        "frames_kept": int(kept.sum()),
        "frames_rejected": int((~kept).sum()),
        "frames_by_reason": dict(reasons.most_common()),
        "frames_by_split": _counts(frames_split.loc[kept, "split"]),
        "frames_gray": int((kept & ~frames_split["is_color"].astype(bool)).sum()),
        "frames_debayered": int((kept & frames_split["is_mosaic"].astype(bool)).sum()),
        "frames_with_near_duplicates": int((frames_split["n_alike"] > 1).sum()),
        "near_duplicates_across_splits": _leak_counts(frames_split),
        "groups_by_split": _counts(frames_split[kept].drop_duplicates(["group", "split"])["split"]),
        "tiles": len(tiles),
        "tile_px": tiles.tile_px,
        "tiles_by_split": _counts(index["split"]),
        "tiles_by_camera": _counts(index["rover"].astype(str) + " " + index["camera"].astype(str)),
    }


def _reason_counts(frames: pd.DataFrame) -> Counter[str]:
    """Return how many frames each reason rejects; a frame may have several."""
    return Counter(reason for listed in frames["reasons"] for reason in listed)


def _nothing_left(frames: pd.DataFrame) -> str:
    """Return the sentence for a curation that rejects every frame, with the three reasons that reject most."""
    counts = [f"{reason} ({count})" for reason, count in _reason_counts(frames).most_common(3)]
    return (
        f"No tile is left of {len(frames)} frames. What rejects most: {', '.join(counts) or 'none'}. "
        "Relax those under curation.rules, or select other frames."
    )


def _failed_checks(row: Mapping[Any, Any], config: CurationConfig) -> dict[str, str]:
    """Return reason -> finding of every check that an examined frame fails but the duplicate checks."""
    if not pd.isna(row["not_examined"]):
        return {str(row["not_examined"]): str(row["examination_failure"])}
    failed = findings(row, config.rules, bool(row["is_color"]))
    if row["sample_type"] in config.rejected_sample_types:
        failed[SAMPLE_TYPE] = f"the archive calls it {row['sample_type']}"
    return failed


def _equal_files(frames: pd.DataFrame, failed: list[dict[str, str]]) -> np.ndarray:
    """Return (n, 2) rows: the file that stays (held out furthest, then first by id), and one that repeats it."""
    usable = np.array([not checks for checks in failed]) & frames["sha256"].fillna("").ne("").to_numpy()
    keys = frames["sha256"].where(usable, frames["frame_id"]).astype(str).to_numpy()
    rank = frames["official_split"].map(_PRIORITY).fillna(len(_PRIORITY)).to_numpy()
    order = np.lexsort((frames["frame_id"].astype(str).to_numpy(), rank))
    return order[equal_pairs(keys[order].tolist())]


def _components(kept: pd.DataFrame, config: CurationConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return the components of near duplicates, and those of near duplicates and bursts together."""
    hashes = np.array([int(key, 16) for key in kept["phash"]], np.uint64)
    small = np.frombuffer(b"".join(kept["thumbnail"]), np.uint8).reshape(-1, THUMBNAIL_PX, THUMBNAIL_PX)
    near = near_pairs(hashes, small, config.duplicates)
    clock = kept["sclk_s"].astype("float64").to_numpy()
    bursts = burst_pairs(kept["rover"].tolist(), clock, config.duplicates.burst_s)
    return components(len(kept), near), components(len(kept), near, bursts)


def _with_places(frames_judged: pd.DataFrame, placed: pd.DataFrame) -> pd.DataFrame:
    """Return the judged frames with the columns of the placed ones; leaked frames become rejected ones."""
    frames = frames_judged.merge(placed, on="frame_id", how="left", validate="one_to_one")
    leaked = frames.pop("leaked").eq(True).to_numpy()
    note = f"{HELD_OUT_DUPLICATE}: nearly the same as a val or test frame"
    frames["reasons"] = [
        [*listed, HELD_OUT_DUPLICATE] if leak else list(listed)
        for listed, leak in zip(frames["reasons"], leaked, strict=True)
    ]
    frames["findings"] = [
        [*listed, note] if leak else list(listed) for listed, leak in zip(frames["findings"], leaked, strict=True)
    ]
    frames["kept"] = frames["kept"].astype(bool) & ~leaked
    frames.loc[leaked, ["group", "split"]] = None
    return frames.astype({"n_alike": "Int64", "alike": "Int64", "group": "string", "split": "string"})


def _tile_index(candidates: pd.DataFrame, frames: pd.DataFrame) -> pd.DataFrame:
    """Return `TILE_INDEX_COLUMNS` for each candidate, of frames indexed by frame_id."""
    order = candidates.groupby("frame_id").cumcount()
    columns = ["rover", "camera", "sol", "taken_utc", "sclk_s", "label", "split", "group", "n_alike", "is_mosaic"]
    index = candidates.join(frames[columns], on="frame_id").rename(columns={"is_mosaic": "is_debayered"})
    index["is_debayered"] = index["is_debayered"].astype(bool)
    tiles_of_frame = index.groupby("frame_id")["frame_id"].transform("size")
    index["weight"] = 1.0 / (tiles_of_frame * index["n_alike"].astype("float64"))
    index["tile_id"] = index["frame_id"].astype(str) + "_" + order.astype(str)
    return index[list(TILE_INDEX_COLUMNS)]


def _leak_counts(frames: pd.DataFrame) -> dict[str, int]:
    """Return components of near duplicates that span several parts, the train frames dropped, and val-test overlaps."""
    dropped = np.array([HELD_OUT_DUPLICATE in listed for listed in frames["reasons"]], bool)
    parts = frames[frames["kept"].astype(bool)].groupby("alike")["split"].nunique()
    return {
        "components_with_train": int(frames.loc[dropped, "alike"].nunique()),
        "train_frames_dropped": int(dropped.sum()),
        "components_across_val_and_test": int((parts > 1).sum()),
    }


def _counts(values: Iterable[Any]) -> dict[str, int]:
    """Return how often each value occurs, the splits in their order and all else by name."""
    counted = Counter(map(str, values))
    order = {name: place for place, name in enumerate(SPLITS)}
    return dict(sorted(counted.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))
