"""Examined shards come back as they were promised; a save that fails leaves what was there."""

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rovervision.datasets.examined_shards import ExaminedShardsDataset
from rovervision.imaging.tiles import ExaminedShard


def shard(number: int) -> ExaminedShard:
    frames = pd.DataFrame({"frame_id": [f"f{number}"], "failure": pd.array([None], "string"), "thumbnail": [b"ab"]})
    candidates = pd.DataFrame({"frame_id": [f"f{number}"], "left_px": [3]})
    return ExaminedShard(frames, candidates, np.full((1, 4, 4, 3), number, np.uint8), np.zeros((1, 4, 4), np.uint8))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_shards_are_promised_and_come_back_in_name_order(tmp_path: Path, n_threads: int) -> None:
    dataset = ExaminedShardsDataset(filepath=str(tmp_path / "shards"), n_threads=n_threads)
    assert not dataset.exists()
    dataset.save({f"shard_{number}": lambda number=number: shard(number) for number in (3, 1, 2)})
    assert dataset.exists()
    loaded = dataset.load()
    assert list(loaded) == ["shard_1", "shard_2", "shard_3"]
    for number, one in enumerate(loaded.values(), start=1):
        assert one.frames["frame_id"].tolist() == [f"f{number}"]
        assert one.frames["thumbnail"].tolist() == [b"ab"]
        assert one.frames["failure"].isna().all()
        np.testing.assert_array_equal(one.pixels, shard(number).pixels)


def test_promises_are_kept_at_once_by_several_threads(tmp_path: Path) -> None:
    both_here = threading.Barrier(2, timeout=20)

    def meet() -> ExaminedShard:
        both_here.wait()
        return shard(0)

    ExaminedShardsDataset(filepath=str(tmp_path / "shards"), n_threads=2).save({"a": meet, "b": meet})


def test_a_broken_promise_stops_the_rest_and_leaves_the_old_shards(tmp_path: Path) -> None:
    dataset = ExaminedShardsDataset(filepath=str(tmp_path / "shards"), n_threads=1)
    dataset.save({"old": lambda: shard(1)})
    kept: list[int] = []

    def broken() -> ExaminedShard:
        raise ValueError("broken promise")

    promises = {"bad": broken} | {f"s{n}": lambda n=n: (kept.append(n), shard(n))[1] for n in range(50)}
    with pytest.raises(Exception, match="broken promise"):
        dataset.save(promises)
    assert list(dataset.load()) == ["old"]
    assert len(kept) < 50
    assert [path.name for path in tmp_path.iterdir()] == ["shards"]
