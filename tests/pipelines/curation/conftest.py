"""A small synthetic archive with many defects, fetched and examined once."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
import yaml

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import ExaminedShard, TileStore
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.nodes import cut_tiles, examine_frames, judge_frames, relate_frames, split_frames
from rovervision.sources.frame import Frame, Query, StoredFile
from rovervision.sources.synthetic import SyntheticConfig, SyntheticSource

CONF = Path(__file__).resolve().parents[3] / "conf"


def read_config(environment: str = "base") -> CurationConfig:
    """Return the section of base, with what an environment changes laid over it as Kedro's soft merge does."""
    merged = yaml.safe_load((CONF / "base" / "parameters_curation.yml").read_text())["curation"]
    if environment != "base":
        merged = overlaid(
            merged, yaml.safe_load((CONF / environment / "parameters_curation.yml").read_text())["curation"]
        )
    return CurationConfig(**merged)


def overlaid(base: dict, change: Mapping) -> dict:
    both = {
        key: overlaid(base[key], change[key])
        for key in base
        if isinstance(base[key], dict) and isinstance(change.get(key), dict)
    }
    return base | dict(change) | both


def stored(key: str, data: bytes, failure: str | None = None) -> StoredFile:
    def read() -> bytes:
        if failure:
            raise RovervisionError(failure)
        return data

    return StoredFile(key, f"{key}.png", len(data), hashlib.sha256(data).hexdigest() if data else "", failure, read)


def fetched(frames: list[Frame], files: Mapping[str, StoredFile]) -> pd.DataFrame:
    """Return the table that ingestion would give."""
    rows = [
        asdict(frame) | {"path": file.path, "n_bytes": file.n_bytes, "sha256": file.sha256, "failure": file.failure}
        for frame in frames
        for file in [files[frame.frame_id]]
    ]
    return pd.DataFrame(rows)


class Archive:
    """Frames, their files and masks, and the defects that they are known to have."""

    def __init__(self) -> None:
        source = SyntheticSource(SyntheticConfig(frames_count=260, defect_frac=0.8, image_px=256, seed=3))
        self.frames = list(source.search(Query(name="sample", source="synthetic")))
        self.images = {frame.frame_id: stored(frame.frame_id, source.fetch(frame)) for frame in self.frames}
        masked = [frame for frame in self.frames if frame.has_mask][:20]
        self.masks = {frame.frame_id: stored(frame.frame_id, source.fetch_mask(frame)) for frame in masked}
        self.defects = {frame.frame_id: defects_of(frame) for frame in self.frames}
        self.table = fetched(self.frames, self.images)


def defects_of(frame: Frame) -> set[str]:
    """Return the frame's defects; a sound frame of a camera that always sends mosaics has that one."""
    record = json.loads(frame.record)
    is_seen = set(record["defects"]) <= {"border", "sensor_border"}
    return set(record["defects"]) | ({"mosaic"} if record["mosaic_is_usual"] and is_seen else set())


def performed(promises: Mapping[str, Callable[[], ExaminedShard]]) -> dict[str, ExaminedShard]:
    return {name: promise() for name, promise in promises.items()}


def split(
    judged: pd.DataFrame, examined: Mapping[str, ExaminedShard], config: CurationConfig, seed: int = 0
) -> pd.DataFrame:
    """Return the judged frames with groups and splits."""
    return split_frames(judged, relate_frames(judged, examined, config), config, seed)


def cut(examined: Mapping[str, ExaminedShard], frames: pd.DataFrame, config: CurationConfig) -> TileStore:
    """Return the tiles of the kept frames, in memory."""
    return cut_tiles(examined, frames, config).gathered()


@pytest.fixture(scope="session")
def config() -> CurationConfig:
    return read_config()


@pytest.fixture(scope="session")
def archive() -> Archive:
    return Archive()


@pytest.fixture(scope="session")
def examined(archive: Archive, config: CurationConfig) -> dict[str, ExaminedShard]:
    return performed(examine_frames(archive.table, archive.images, archive.masks, config))


@pytest.fixture(scope="session")
def judged(examined: dict[str, ExaminedShard], config: CurationConfig) -> pd.DataFrame:
    return judge_frames(examined, config)
