"""Tiles and shards come back as they were; a save that fails leaves what was there."""

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rovervision.datasets.tile_store import ExaminedShardsDataset, TileStoreDataset
from rovervision.imaging.tiles import TILE_INDEX_COLUMNS, ExaminedShard, TileStore


def tiles(count: int, seed: int = 0) -> TileStore:
    rng = np.random.default_rng(seed)
    index = pd.DataFrame({name: [f"{name}{row}" for row in range(count)] for name in TILE_INDEX_COLUMNS})
    return TileStore(
        rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8), rng.integers(0, 6, (count, 8, 8), dtype=np.uint8), index
    )


def shard(number: int) -> ExaminedShard:
    frames = pd.DataFrame({"frame_id": [f"f{number}"], "failure": pd.array([None], "string"), "thumbnail": [b"ab"]})
    candidates = pd.DataFrame({"frame_id": [f"f{number}"], "left_px": [3]})
    return ExaminedShard(frames, candidates, np.full((1, 4, 4, 3), number, np.uint8), np.zeros((1, 4, 4), np.uint8))


def assert_same(one: TileStore, other: TileStore) -> None:
    np.testing.assert_array_equal(one.pixels, other.pixels)
    np.testing.assert_array_equal(one.regions, other.regions)
    assert one.index.astype(str).equals(other.index.astype(str))


@pytest.mark.parametrize("count", [0, 1, 7])
def test_tiles_come_back(tmp_path: Path, count: int) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "deep" / "tiles"))
    assert not dataset.exists()
    dataset.save(tiles(count))
    assert dataset.exists()
    assert_same(dataset.load(), tiles(count))


def test_loaded_tiles_are_mapped_and_read_only(tmp_path: Path) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    dataset.save(tiles(3))
    pixels = dataset.load().pixels
    assert isinstance(pixels, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        pixels[0] = 0


def test_mapped_tiles_can_be_saved_over_themselves(tmp_path: Path) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    dataset.save(tiles(5))
    loaded = dataset.load()
    dataset.save(loaded.select([4, 0]))
    assert_same(dataset.load(), tiles(5).select([4, 0]))
    assert_same(loaded, tiles(5))
    assert [path.name for path in tmp_path.iterdir()] == ["tiles"]


def test_a_failed_save_leaves_the_old_tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    dataset.save(tiles(2))

    def refuse(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", refuse)
    with pytest.raises(Exception, match="disk full"):
        dataset.save(tiles(4, seed=1))
    monkeypatch.undo()
    assert_same(dataset.load(), tiles(2))
    assert [path.name for path in tmp_path.iterdir()] == ["tiles"]


@pytest.mark.parametrize("lost", ["pixels.npy", "regions.npy", "index.parquet"])
def test_a_folder_that_lacks_a_file_does_not_exist(tmp_path: Path, lost: str) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    dataset.save(tiles(2))
    (tmp_path / "tiles" / lost).unlink()
    assert not dataset.exists()
    with pytest.raises(Exception, match="run the curation pipeline"):
        dataset.load()


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
