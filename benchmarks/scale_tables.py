"""Made-up archives of any size for `benchmarks.scale`: real columns, no image behind them.

Frames are what `CuriositySource` makes of complete records of the feed. What an examination would find is drawn from
examinations of synthetic images, so that as many frames fail as there, for the same reasons; looks are those of
`benchmarks.curation_duplicates`: no two alike, but that one in ten repeats an earlier one. Tiles are small, and gray or
of one tint: they stand for the number of tiles, not for their bytes.
"""

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.clustering_speed import make_codes
from benchmarks.curation_duplicates import views
from rovervision.datasets.examined_shards import ExaminedShardsDataset
from rovervision.datasets.tile_codes import TileCodesDataset
from rovervision.imaging.shard_plan import ShardPlan, ShardPromise, WorkersConfig
from rovervision.imaging.tiles import ExaminedShard
from rovervision.learning.codes import TileCodes
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.examination import examine_shard
from rovervision.sources.frame import Query, StoredFile
from rovervision.sources.frame_table import table_of
from rovervision.sources.synthetic.config import SyntheticConfig
from rovervision.sources.synthetic.source import SyntheticSource

TILE_PX: Final = 32
TILES_PER_FRAME: Final = 1.62
"""As on the labelled Curiosity set: 8,736 tiles of 5,383 frames."""
FRAMES_PER_SHARD: Final = 256
CODE_DIM: Final = 408
"""Numbers in a code of the default encoder."""
_POOL: Final = 240
_TINT: Final = np.array([1.0, 0.84, 0.6])


def stored_files(frame_ids: list[str]) -> dict[str, StoredFile]:
    """Return what the folder of images would tell of files that are all whole."""
    return {
        key: StoredFile(key, f"images_raw/{key}.jpg", 200_000, f"{row:064x}", None, partial(_no_bytes, Path(key), row))
        for row, key in enumerate(frame_ids)
    }


def _no_bytes(path: Path, n_bytes: int) -> bytes:
    raise FileNotFoundError(f"{path} is made up ({n_bytes} bytes)")


def write_shards(folder: Path, frames: pd.DataFrame, seed: int = 0) -> None:
    """Write the examined shards of these frames, as the pipeline would."""
    frames = frames.drop(columns="record").sort_values("frame_id", ignore_index=True)
    pool = _examined()
    rng = np.random.default_rng(seed)
    drawn = pool.iloc[rng.integers(len(pool), size=len(frames))].reset_index(drop=True)
    looks = views(len(frames), seed)
    drawn["phash"] = drawn["phash"].where(drawn["phash"].isna(), [f"{key:016x}" for key in looks.hashes])
    drawn["thumbnail"] = [
        None if old is None else new.tobytes() for old, new in zip(drawn["thumbnail"], looks.thumbnails, strict=True)
    ]
    examined = pd.concat([frames, drawn.astype(pool.dtypes)], axis=1)
    promises = {
        f"shard_{number:05d}": ShardPromise(partial(_shard, examined.iloc[top:end], seed + number), (), f"{top} {end}")
        for number, (top, end) in enumerate(pairwise([*range(0, len(frames), FRAMES_PER_SHARD), len(frames)]))
    }
    ExaminedShardsDataset(filepath=str(folder)).save(ShardPlan(promises, workers=WorkersConfig(count=1)))


def _examined() -> pd.DataFrame:
    """Return the examination's own columns of synthetic frames."""
    source = SyntheticSource(SyntheticConfig(frames_count=_POOL, image_px=128))
    frames = list(source.search(Query(name="pool", source="synthetic")))
    table = table_of(frames)
    files = {f.frame_id: StoredFile(f.frame_id, "", 1, "0", None, partial(source.fetch, f)) for f in frames}
    shard = examine_shard(table, files, {}, CurationConfig(tile_px=TILE_PX))
    return shard.frames.drop(columns=[name for name in table.columns if name != "record"], errors="ignore")


def _shard(frames: pd.DataFrame, seed: int) -> ExaminedShard:
    rng = np.random.default_rng(seed)
    frames = frames.reset_index(drop=True)
    counts = np.where(frames["thumbnail"].isna(), 0, 1 + (rng.random(len(frames)) < TILES_PER_FRAME - 1))
    owners = frames.loc[np.repeat(np.arange(len(frames)), counts), ["frame_id", "is_color"]].reset_index(drop=True)
    candidates = owners.assign(left_px=0, top_px=0, side_px=256)[
        ["frame_id", "left_px", "top_px", "side_px", "is_color"]
    ]
    gray = views(len(owners), seed).thumbnails[..., None] if len(owners) else np.empty((0, TILE_PX, TILE_PX, 1))
    tint = np.where(owners["is_color"].to_numpy(bool)[:, None, None, None], _TINT, 1.0)
    regions = np.zeros((len(owners), TILE_PX, TILE_PX), np.uint8)
    return ExaminedShard(frames, candidates, (gray * tint).astype(np.uint8), regions)


def write_codes(folder: Path, tile_ids: list[str]) -> None:
    """Write codes around 300 places, of as many numbers as the default encoder's."""
    codes = np.ascontiguousarray(make_codes(len(tile_ids))[:, :CODE_DIM])
    TileCodesDataset(filepath=str(folder)).save(TileCodes(codes, tuple(tile_ids)))
