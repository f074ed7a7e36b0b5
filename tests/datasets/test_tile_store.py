"""Tiles come back as they were; a save that fails leaves what was there."""

import errno
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rovervision.datasets.tile_store import TileStoreDataset
from rovervision.imaging.tiles import TILE_INDEX_COLUMNS, TileStore

REPOSITORY = Path(__file__).resolve().parents[2]


def tiles(count: int, seed: int = 0) -> TileStore:
    rng = np.random.default_rng(seed)
    index = pd.DataFrame({name: [f"{name}{row}" for row in range(count)] for name in TILE_INDEX_COLUMNS})
    return TileStore(
        rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8), rng.integers(0, 6, (count, 8, 8), dtype=np.uint8), index
    )


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


def moves_until(monkeypatch: pytest.MonkeyPatch, last: int, error: BaseException) -> None:
    """Let so many renames of folders succeed, then fail one, then let all succeed."""
    count, rename = iter(range(99)), Path.rename

    def move(self: Path, other: Path) -> Path:
        if next(count) == last:
            raise error
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", move)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no room"), KeyboardInterrupt()])
@pytest.mark.parametrize("last", [0, 1])
def test_a_rename_that_fails_leaves_the_old_tiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int, error: BaseException
) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    dataset.save(tiles(2))
    moves_until(monkeypatch, last, error)
    with pytest.raises(BaseException, match="no room" if isinstance(error, OSError) else None):
        dataset.save(tiles(4, seed=1))
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["tiles"]
    assert_same(dataset.load(), tiles(2))


KILLED = """
import os, sys, pathlib
sys.path.insert(0, {repository!r})
from tests.datasets.test_tile_store import TileStoreDataset, tiles
rename, count = pathlib.Path.rename, iter(range(99))
pathlib.Path.rename = lambda self, other: os._exit(9) if next(count) == {last} else rename(self, other)
TileStoreDataset(filepath={folder!r}).save(tiles(4, seed=1))
"""


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("what_next", ["load", "save"])
def test_a_killed_save_loses_nothing_and_is_cleaned_up(tmp_path: Path, last: int, what_next: str) -> None:
    """Before the first rename, or between the two, the process ends as under SIGKILL."""
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    dataset.save(tiles(2))
    script = KILLED.format(repository=str(REPOSITORY), folder=str(tmp_path / "tiles"), last=last)
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 9
    assert (tmp_path / "tiles").exists() == (last == 0)
    if what_next == "load":
        assert dataset.exists()
        assert_same(dataset.load(), tiles(2))
    dataset.save(tiles(3))
    assert_same(dataset.load(), tiles(3))
    assert [path.name for path in tmp_path.iterdir()] == ["tiles"]
