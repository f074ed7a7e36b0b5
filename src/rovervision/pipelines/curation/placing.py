"""How frames are related, which groups they form, and which split each group goes to."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from rovervision.imaging.looks import Looks, looks_of_rows, looks_of_tiles
from rovervision.imaging.relations import BURST, NEAR, SAME_SCENE, STEREO, find_relations, related_components
from rovervision.imaging.splits import assign_splits, block_keys, crossing, group_keys
from rovervision.imaging.tiles import ExaminedShard
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.judging import HELD_OUT_DUPLICATE, passing

GROUPING = (NEAR, STEREO, BURST, SAME_SCENE)
"""Relations that keep frames in one group."""
LEAKING = (NEAR, SAME_SCENE)
"""Relations that may not reach across splits."""


def relations_of(
    frames_judged: pd.DataFrame, shards: Mapping[str, ExaminedShard], config: CurationConfig
) -> pd.DataFrame:
    """Return the related pairs among the frames that pass their checks, those that repeat another included."""
    frames = frames_judged[passing(frames_judged)].reset_index(drop=True)
    looks = looks_of_rows(frames["phash"].tolist(), frames["thumbnail"].tolist())
    tiles = _tile_looks(frames["frame_id"], shards)
    return find_relations(frames, looks, config.duplicates, config.relations, tiles)


def placed(
    frames_judged: pd.DataFrame, frames_related: pd.DataFrame, config: CurationConfig, seed: int
) -> pd.DataFrame:
    """Return the judged frames with `group`, `split`, `alike` and `n_alike`; what would leak becomes rejected."""
    frames = frames_judged[passing(frames_judged)].reset_index(drop=True)
    ids, kept = frames["frame_id"].tolist(), frames["kept"].to_numpy(bool)
    alike, scene, leaking = (related_components(frames_related, ids, kinds)[kept] for kinds in _KINDS)
    frames = frames[kept]
    sols = [None if pd.isna(sol) else int(sol) for sol in frames["sol"]]
    blocks = block_keys(frames["rover"].tolist(), sols, frames["frame_id"].tolist(), config.splits.sols_per_group)
    groups = group_keys(blocks, scene)
    official = [None if pd.isna(part) else str(part) for part in frames["official_split"]]
    splits = assign_splits(groups, official, config.splits, seed)
    leaked = crossing(leaking, splits)
    places = frames[["frame_id"]].assign(group=groups, split=splits, leaked=leaked, alike=alike)
    places["n_alike"] = places[~leaked].groupby("alike")["frame_id"].transform("size")
    return _with_places(frames_judged, places)


_KINDS = ((NEAR,), GROUPING, LEAKING)


def _tile_looks(frame_ids: pd.Series, shards: Mapping[str, ExaminedShard]) -> tuple[np.ndarray, Looks]:
    """Return the frame's row and the looks of every candidate tile of these frames."""
    parts = list(_looks_by_shard(pd.Index(frame_ids), shards))
    owners = [owner for owner, _ in parts]
    looks = (np.concatenate(arrays) for arrays in zip(*(look for _, look in parts), strict=True))
    return np.concatenate(owners).astype(np.intp), Looks(*looks)


def _looks_by_shard(rows: pd.Index, shards: Mapping[str, ExaminedShard]) -> Iterator[tuple[np.ndarray, Looks]]:
    for shard in shards.values():
        owners = rows.get_indexer(shard.candidates["frame_id"])
        chosen = np.flatnonzero(owners >= 0)
        yield owners[chosen], looks_of_tiles(shard.pixels[chosen])


def _with_places(frames_judged: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Return the judged frames with the columns of the placed ones; leaked frames become rejected ones."""
    frames = frames_judged.merge(places, on="frame_id", how="left", validate="one_to_one")
    leaked = frames.pop("leaked").eq(True).to_numpy()
    note = f"{HELD_OUT_DUPLICATE}: shows nearly the same as a frame that is held out further than {{}}"
    splits = frames["split"].tolist()
    frames["reasons"] = [
        [*listed, HELD_OUT_DUPLICATE] if leak else list(listed)
        for listed, leak in zip(frames["reasons"], leaked, strict=True)
    ]
    frames["findings"] = [
        [*listed, note.format(split)] if leak else list(listed)
        for listed, leak, split in zip(frames["findings"], leaked, splits, strict=True)
    ]
    frames["kept"] = frames["kept"].astype(bool) & ~leaked
    frames.loc[leaked, ["group", "split"]] = None
    return frames.astype({"n_alike": "Int64", "alike": "Int64", "group": "string", "split": "string"})
