"""Which candidate tiles are kept, and the index that says of each what it is and how much it weighs."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.balance import region_shares, sampling_weights, scarcest_region, share_column
from rovervision.imaging.quality import MEASURES
from rovervision.imaging.tiles import TILE_INDEX_COLUMNS, ExaminedShard, TilePlan, assemble
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.judging import nothing_left
from rovervision.sources.regions import REGION_NAMES, UNKNOWN

KNOWN_REGIONS: Final = {number: name for number, name in REGION_NAMES.items() if number != UNKNOWN}

INDEX_COLUMNS: Final = (
    *TILE_INDEX_COLUMNS,
    "sampling_weight",
    "recipe",
    "n_alike",
    "region",
    *(share_column(name) for name in KNOWN_REGIONS.values()),
    *MEASURES,
)
"""sampling_weight is `weight` balanced (see `imaging.balance`), of mean 1 within each split; region is the scarcest
that the tile shows, missing where no mask tells; measures are those of the tile's frame."""

_OF_FRAME = ("rover", "camera", "sol", "taken_utc", "sclk_s", "label", "split", "group", "n_alike", "recipe", *MEASURES)


def tile_plan(shards: Mapping[str, ExaminedShard], frames_split: pd.DataFrame, config: CurationConfig) -> TilePlan:
    """Return the candidate tiles of the kept frames as promises, with their index.

    Raises:
        RovervisionError: No tile is left; the sentence says what rejects most.
    """
    frames = frames_split[frames_split["kept"].astype(bool)].set_index("frame_id")
    rows = [np.flatnonzero(shard.candidates["frame_id"].isin(frames.index)) for shard in shards.values()]
    if not any(map(len, rows)):
        raise RovervisionError(nothing_left(frames_split))
    described = [_described(shard, chosen) for shard, chosen in zip(shards.values(), rows, strict=True)]
    return assemble(shards, rows, _index(pd.concat(described, ignore_index=True), frames, config))


def _described(shard: ExaminedShard, rows: np.ndarray) -> pd.DataFrame:
    """Return the chosen candidates with the share of each region."""
    shares = region_shares(shard.regions[rows], KNOWN_REGIONS)
    return pd.concat([shard.candidates.iloc[rows].reset_index(drop=True), shares], axis=1)


def _index(candidates: pd.DataFrame, frames: pd.DataFrame, config: CurationConfig) -> pd.DataFrame:
    """Return `INDEX_COLUMNS` for each candidate, of frames indexed by frame_id.

    weight = 1 / (tiles of the frame x frames that show nearly the same), so that one distinct view counts once.
    """
    index = candidates.join(frames[[*_OF_FRAME, "is_mosaic"]], on="frame_id")
    by_frame = index.groupby("frame_id")
    names = tuple(KNOWN_REGIONS.values())
    index = index.assign(
        tile_id=index["frame_id"].astype(str) + "_" + by_frame.cumcount().astype(str),
        is_debayered=index["is_mosaic"].astype(bool),
        weight=1.0 / (by_frame["frame_id"].transform("size") * index["n_alike"].astype("float64")),
        region=scarcest_region(index, names, config.balance.region_min_frac),
    )
    index["sampling_weight"] = sampling_weights(index, config.balance)
    return index[list(INDEX_COLUMNS)]
