"""A shard's promise carries its own files only, and is known again where nothing that decides it has changed."""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rovervision.datasets.examined_shards import ExaminedShardsDataset
from rovervision.imaging.shard_plan import ShardPlan, ShardPromise
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.nodes import EXAMINING_CODE, examine_frames
from rovervision.sources.frame import StoredFile
from tests.pipelines.curation.conftest import Archive, read_config

KEYS = 10


@pytest.fixture(scope="module")
def some(archive: Archive) -> tuple[pd.DataFrame, dict[str, StoredFile], dict[str, StoredFile]]:
    """Return ten frames, whose files survive pickling as those of a folder do."""
    frames = archive.table.sort_values("frame_id").iloc[:KEYS].reset_index(drop=True)
    ids = frames["frame_id"].tolist()

    def kept(files: Mapping[str, StoredFile]) -> dict[str, StoredFile]:
        return {
            key: replace(files[key], read=Kept(files[key].read() if not files[key].failure else b""))
            for key in ids
            if key in files
        }

    return frames, kept(archive.images), kept(archive.masks)


class Kept:
    """Bytes that are read again."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __call__(self) -> bytes:
        return self.data


def plan(some: tuple, **changes: Any) -> ShardPlan:
    config = CurationConfig(**{**read_config().model_dump(), "frames_per_shard": 4, **changes})
    return examine_frames(*some, config)


def origins(plan: Mapping[str, Callable]) -> list[str]:
    return [promise.origin for promise in plan.values() if isinstance(promise, ShardPromise)]


def test_a_promise_holds_the_files_of_its_frames_and_no_others(some: tuple) -> None:
    promises = plan(some)
    assert [len(promise.frame_ids) for promise in promises.values()] == [4, 4, 2]  # type: ignore[attr-defined]
    for promise in promises.values():
        assert isinstance(promise, ShardPromise)
        frames, images, masks, _ = promise.examine.args  # type: ignore[attr-defined]
        assert set(images) == set(promise.frame_ids) == set(frames["frame_id"])
        assert set(masks) <= set(promise.frame_ids)
        assert "record" not in frames


def test_judging_examines_nothing_anew_and_looking_otherwise_does(some: tuple) -> None:
    first = origins(plan(some))
    assert len(set(first)) == 3
    same = {
        "rules": {},
        "recipe": "curiosity_mahli",
        "rejected_sample_types": [],
        "splits": {"train_share": 1.0, "val_share": 0.0, "test_share": 0.0},
        "workers": {"kind": "processes", "count": 2},
        "balance": {"power": 1.0},
    }
    for name, value in same.items():
        assert origins(plan(some, **{name: value})) == first, name
    for name, value in {"tile_px": 32, "mosaic_score_min": 0.5, "cutting": {"how": "whole"}}.items():
        assert set(origins(plan(some, **{name: value}))).isdisjoint(first), name


def test_a_shard_is_examined_anew_where_a_frame_or_file_of_it_is_another(some: tuple) -> None:
    frames, images, masks = some
    first = origins(plan(some))
    last = frames["frame_id"].iloc[-1]
    told = frames.assign(label=frames["label"].where(frames["frame_id"] != last, "wheel"))
    other_file = {**images, last: replace(images[last], sha256="0" * 64)}
    without = {key: file for key, file in images.items() if key != last}
    masked = {**masks, last: next(iter(masks.values())) if masks else images[last]}
    for changed in ((told, images, masks), (frames, other_file, masks), (frames, without, masks), (*some[:2], masked)):
        again = origins(plan(changed))
        assert again[:2] == first[:2]
        assert again[2] != first[2]


def test_files_without_a_hash_are_examined_in_every_run(some: tuple) -> None:
    frames, images, masks = some
    unknown = {key: replace(file, sha256="") for key, file in images.items()}
    assert origins(plan((frames, unknown, masks))) == []
    assert len(plan((frames, unknown, masks))) == 3


def test_the_plan_names_its_workers_and_its_code(some: tuple) -> None:
    made = plan(some, workers={"kind": "processes", "count": 2})
    assert (made.workers.kind, made.workers.count, made.code) == ("processes", 2, EXAMINING_CODE)


def test_what_a_worker_gets_can_be_sent_and_shards_at_rest_are_the_same(some: tuple, tmp_path: Path) -> None:
    promises = plan(some)
    sent = pickle.loads(pickle.dumps(dict(promises)))
    shards = ExaminedShardsDataset(filepath=str(tmp_path / "examined"))
    shards.save(promises)
    for name, shard in shards.load().items():
        pd.testing.assert_frame_equal(sent[name]().frames, shard.frames, check_dtype=False)
