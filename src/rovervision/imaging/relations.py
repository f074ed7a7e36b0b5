"""How frames are related: a table of pairs that says which two, in what way and how strongly; and groups made of it."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from rovervision.imaging.duplicates import (
    DuplicatesConfig,
    burst_pairs,
    components,
    equal_pairs,
    near_links,
)
from rovervision.imaging.looks import Looks

RELATION_COLUMNS = ("frame_id", "other_id", "kind", "measure")
"""measure: seconds apart for stereo and burst, Pearson correlation for near and same_scene, else missing."""

EXACT, NEAR, STEREO, BURST, VERSION, SAME_SCENE = "exact", "near", "stereo", "burst", "version", "same_scene"
KINDS = (EXACT, NEAR, STEREO, BURST, VERSION, SAME_SCENE)

_SIDES = re.compile(r"(?<![a-z])(?:left|right)(?![a-z])")


class RelationsConfig(BaseModel):
    """What relates frames beyond nearly equal pictures and bursts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stereo_s: float = Field(default=5.0, ge=0.0)
    """Left and right camera of one pair within so many seconds show one scene from two places."""
    scene_hash_bits_max: int = Field(default=12, ge=0, le=64)
    """Tiles of two frames whose perceptual hashes differ in at most so many bits are compared."""
    scene_correlation_min: float = Field(default=0.96, gt=0.0, le=1.0)
    """They show the same scene where their thumbnails correlate at least so well."""


def find_relations(
    frames: pd.DataFrame,
    looks: Looks,
    duplicates: DuplicatesConfig,
    config: RelationsConfig,
    tiles: tuple[np.ndarray, Looks] | None = None,
) -> pd.DataFrame:
    """Return `RELATION_COLUMNS` of all pairs among N frames, ordered by kind, then by the rows of both frames.

    frames: frame_id, rover, camera, sclk_s (NaN where unknown), and where known sha256, product and version.
    looks: the look of each frame. tiles: the frame's row for each of M tiles, and the look of each tile.
    The order of the two frames says nothing but for version: there other_id is the newest and frame_id an older one.
    """
    near, correlation = near_links(*looks, duplicates)
    rovers, clock = frames["rover"].astype(str).tolist(), frames["sclk_s"].astype("float64").to_numpy()
    stereo = stereo_pairs(rovers, frames["camera"].astype(str).tolist(), clock, config.stereo_s)
    burst = burst_pairs(rovers, clock, duplicates.burst_s)
    found: dict[str, tuple[np.ndarray, np.ndarray | None]] = {
        EXACT: (repeated(frames, "sha256"), None),
        NEAR: (near, correlation),
        STEREO: (stereo, _apart(clock, stereo)),
        BURST: (burst, _apart(clock, burst)),
        VERSION: (_versions(frames), None),
    }
    if tiles is not None:
        found[SAME_SCENE] = same_scene_pairs(*tiles, components(len(frames), near), config)
    ids = frames["frame_id"].astype(str).to_numpy()
    return pd.concat([_table(ids, kind, *links) for kind, links in found.items()], ignore_index=True)


def relation_pairs(relations: pd.DataFrame, frame_ids: Sequence[str], kinds: Sequence[str]) -> np.ndarray:
    """Return (n, 2) rows among `frame_ids` of the relations of these kinds; relations of other frames are left out."""
    rows = pd.Index(frame_ids)
    chosen = relations[relations["kind"].isin(list(kinds))]
    pairs = np.stack([rows.get_indexer(chosen[side]) for side in ("frame_id", "other_id")], axis=1)
    return pairs[(pairs >= 0).all(axis=1)].astype(np.intp)


def related_components(relations: pd.DataFrame, frame_ids: Sequence[str], kinds: Sequence[str]) -> np.ndarray:
    """Return (N,) int64 for each frame: the smallest row that relations of these kinds connect it with."""
    return components(len(frame_ids), relation_pairs(relations, frame_ids, kinds))


def repeated(frames: pd.DataFrame, column: str) -> np.ndarray:
    """Return (n, 2) rows: each frame whose value repeats, after the first of that value; unknown values repeat none."""
    if column not in frames:
        return np.empty((0, 2), np.intp)
    known = np.flatnonzero(frames[column].fillna("").astype(str).ne("").to_numpy())
    return known[equal_pairs(frames[column].iloc[known].astype(str).tolist())]


def pair_name(camera: str) -> str | None:
    """Return a camera's name with `*` for its side, `navcam_*` for navcam_left; None for a camera without sides."""
    name, sides = _SIDES.subn("*", camera.lower())
    return name if sides == 1 else None


def stereo_pairs(rovers: Sequence[str], cameras: Sequence[str], sclk_s: np.ndarray, stereo_s: float) -> np.ndarray:
    """Return (n, 2) rows i < j: left and right of one camera pair of one rover within `stereo_s` seconds.

    sclk_s: (N,) float64 spacecraft clock; NaN pairs with nothing. A frame may be in several pairs.
    """
    names = [pair_name(camera) for camera in cameras]
    usable = [row for row, name in enumerate(names) if name is not None and np.isfinite(sclk_s[row])]
    table = pd.DataFrame(
        {
            "key": [f"{rovers[row]} {names[row]}" for row in usable],
            "side": ["left" in cameras[row].lower() for row in usable],
        },
        index=usable,
    )
    found = [np.empty((0, 2), np.intp)]
    for _, members in table.groupby("key"):
        left, right = (members.index[members["side"] == side].to_numpy(np.intp) for side in (True, False))
        found.append(_within(left, right, sclk_s, stereo_s))
    return np.sort(np.concatenate(found), axis=1)


def older_versions(products: Sequence[str], versions: Sequence[str]) -> np.ndarray:
    """Return (n, 2) rows: a frame of an older version, and the frame of the same product's highest version.

    Versions compare as text, as product names are made for. Of equal highest versions the first row is the newest, and
    a row equal to it is no older version but a copy. Products that are empty are unknown and related to nothing.
    """
    newest: dict[str, int] = {}
    for row, product in enumerate(products):
        best = newest.setdefault(product, row)
        if versions[row] > versions[best]:
            newest[product] = row
    pairs = [(row, newest[product]) for row, product in enumerate(products) if product]
    older = [(row, best) for row, best in pairs if versions[row] < versions[best]]
    return np.array(older, np.intp).reshape(-1, 2)


def same_scene_pairs(
    owners: np.ndarray, looks: Looks, alike: np.ndarray, config: RelationsConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, 2) rows i < j of frames that are not alike but have tiles that nearly agree, and the best such (n,).

    owners: (M,) row of each tile's frame; alike: (N,) component of near duplicates of each frame. Overlapping crops
    and frames that share a part are found where their tiles cut it alike; a view from elsewhere is not.
    """
    rule = DuplicatesConfig(hash_bits_max=config.scene_hash_bits_max, correlation_min=config.scene_correlation_min)
    pairs, correlation = near_links(*looks, rule)
    ends = np.sort(owners[pairs], axis=1)
    apart = alike[ends[:, 0]] != alike[ends[:, 1]]
    scenes = pd.DataFrame(ends[apart], columns=["i", "j"]).assign(best=correlation[apart])
    best = scenes.groupby(["i", "j"], as_index=False)["best"].max()
    return best[["i", "j"]].to_numpy(np.intp), best["best"].to_numpy(np.float32)


def relation_counts(relations: pd.DataFrame) -> Mapping[str, int]:
    """Return how many pairs there are of each of `KINDS`."""
    counted = relations["kind"].value_counts()
    return {kind: int(counted.get(kind, 0)) for kind in KINDS}


def _versions(frames: pd.DataFrame) -> np.ndarray:
    """Return the pairs of `older_versions` of a table; none where it tells no products."""
    if not {"product", "version"} <= set(frames.columns):
        return np.empty((0, 2), np.intp)
    products = frames["product"].fillna("").astype(str)
    keys = (frames["rover"].astype(str) + " " + products).where(products != "", "")
    return older_versions(keys.tolist(), frames["version"].fillna("").astype(str).tolist())


def _within(left: np.ndarray, right: np.ndarray, sclk_s: np.ndarray, most_s: float) -> np.ndarray:
    """Return (n, 2) of rows of the left and of the right whose clocks differ by at most `most_s`."""
    right = right[np.argsort(sclk_s[right], kind="stable")]
    start = np.searchsorted(sclk_s[right], sclk_s[left] - most_s, side="left")
    count = np.searchsorted(sclk_s[right], sclk_s[left] + most_s, side="right") - start
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.stack([np.repeat(left, count), right[np.repeat(start, count) + offset]], axis=1)


def _apart(sclk_s: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return (n,) seconds between the clocks of each pair."""
    return np.abs(sclk_s[pairs[:, 0]] - sclk_s[pairs[:, 1]])


def _table(ids: np.ndarray, kind: str, pairs: np.ndarray, measure: np.ndarray | None) -> pd.DataFrame:
    """Return the pairs of one kind as `RELATION_COLUMNS`, ordered by rows."""
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    values = np.full(len(pairs), np.nan) if measure is None else measure.astype(np.float64)
    columns = (ids[pairs[order, 0]], ids[pairs[order, 1]], kind, values[order])
    typed = pd.DataFrame(dict(zip(RELATION_COLUMNS, columns, strict=True)), index=range(len(pairs)))
    return typed.astype({"frame_id": "string", "other_id": "string", "kind": "string", "measure": "float64"})
