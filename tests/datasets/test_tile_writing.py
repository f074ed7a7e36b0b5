"""Plans of tiles become the same files however often writing stops; what was written is not made again."""

import io
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.datasets import tile_writing
from rovervision.datasets.tile_store import TILE_FILES, TileStoreDataset
from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TILE_INDEX_COLUMNS, Piece, TilePlan

REPOSITORY = Path(__file__).resolve().parents[2]
TILE_PX = 8


class StopError(Exception):
    """The save ends here."""


class Making:
    """Makes the tiles of one piece from a seed; counts how often, and may end the process instead."""

    def __init__(self, n_tiles: int, seed: int, made: list[int], end: object = None) -> None:
        self.n_tiles, self.seed, self.made, self.end = n_tiles, seed, made, end

    def __call__(self) -> tuple[np.ndarray, np.ndarray]:
        if callable(self.end):
            self.end()
        self.made.append(self.seed)
        rng = np.random.default_rng(self.seed)
        shape = (self.n_tiles, TILE_PX, TILE_PX)
        return rng.integers(0, 256, (*shape, 3), dtype=np.uint8), rng.integers(0, 6, shape, dtype=np.uint8)


def plan(
    sizes: list[int], seeds: list[int], made: list[int] | None = None, stop_at: int = -1, end: object = None
) -> TilePlan:
    """Pieces of these sizes, each from its seed, which is also its origin; one of them stops the save."""
    made = [] if made is None else made
    pieces = tuple(
        Piece(size, Making(size, seed, made, end if place == stop_at else None), origin=str(seed))
        for place, (size, seed) in enumerate(zip(sizes, seeds, strict=True))
    )
    index = pd.DataFrame({name: [f"{name}{row}" for row in range(sum(sizes))] for name in TILE_INDEX_COLUMNS})
    return TilePlan(index.assign(entropy_bits=np.arange(sum(sizes)) / 7), TILE_PX, pieces)


def stop() -> None:
    raise StopError


def saved_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def expected_bytes(whole: TilePlan) -> dict[str, bytes]:
    store = whole.gathered()
    files = [io.BytesIO() for _ in TILE_FILES]
    np.save(files[0], store.pixels)
    np.save(files[1], store.regions)
    store.index.to_parquet(files[2], index=False)
    return {name: file.getvalue() for name, file in zip(TILE_FILES, files, strict=True)}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def sync_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note at least every four tiles."""
    monkeypatch.setattr(tile_writing, "SYNCED_BYTES", 4 * TILE_PX**2 * 4)


@pytest.mark.parametrize("sizes", [[], [1], [3, 5, 2, 7, 1], [40]])
def test_a_plan_becomes_what_numpy_would_save_and_keeps_its_columns(tmp_path: Path, sizes: list[int]) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    dataset.save(plan(sizes, list(range(len(sizes)))))
    assert saved_bytes(tmp_path / "tiles") == expected_bytes(plan(sizes, list(range(len(sizes)))))
    assert [path.name for path in tmp_path.iterdir()] == ["tiles"]
    assert dataset.load().index["entropy_bits"].tolist() == [row / 7 for row in range(sum(sizes))]


def test_only_one_piece_is_held_at_a_time(tmp_path: Path) -> None:
    made: list[int] = []
    TileStoreDataset(filepath=str(tmp_path / "tiles")).save(plan([2] * 5, [3, 1, 4, 1, 5], made))
    assert made == [3, 1, 4, 1, 5]


changes = st.lists(st.tuples(st.integers(0, 6), st.lists(st.integers(0, 2), min_size=6, max_size=6)), max_size=4)


@settings(max_examples=60)
@given(stops=changes, sizes=st.lists(st.lists(st.integers(1, 6), min_size=6, max_size=6), min_size=5, max_size=5))
def test_whatever_was_begun_before_the_last_plan_is_what_is_written(
    stops: list[tuple[int, list[int]]], sizes: list[list[int]]
) -> None:
    """Saves of several plans, of one size in all but with other pieces, stop anywhere; then one ends well."""
    with tempfile.TemporaryDirectory() as name:
        dataset = TileStoreDataset(filepath=f"{name}/tiles")
        for (at, seeds), parts in zip(stops, sizes[1:], strict=False):
            filled = [*parts, 40 - sum(parts)]
            broken = plan(filled, [*seeds, 9], stop_at=at, end=stop)
            with pytest.raises(Exception, match=r"^$|Failed while saving"):
                dataset.save(broken)
            assert not dataset.exists()
        last = [*sizes[0], 40 - sum(sizes[0])]
        dataset.save(plan(last, [0, 1, 2, 0, 1, 2, 9]))
        assert saved_bytes(Path(name) / "tiles") == expected_bytes(plan(last, [0, 1, 2, 0, 1, 2, 9]))
        assert [path.name for path in Path(name).iterdir()] == ["tiles"]


def test_pieces_on_disk_are_not_made_again_but_those_that_changed_are(tmp_path: Path) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    with pytest.raises(Exception, match=r"^$|Failed while saving"):
        dataset.save(plan([5] * 6, [0, 1, 2, 3, 4, 5], stop_at=4, end=stop))
    made: list[int] = []
    dataset.save(plan([5] * 6, [0, 7, 2, 3, 4, 5], made))
    assert made == [7, 4, 5]
    assert saved_bytes(tmp_path / "tiles") == expected_bytes(plan([5] * 6, [0, 7, 2, 3, 4, 5]))


def test_pieces_of_unknown_origin_are_made_again_and_nothing_of_them_stays(tmp_path: Path) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    made: list[int] = []
    begun = plan([5] * 3, [0, 1, 2], made, stop_at=2, end=stop)
    unknown = tuple(Piece(piece.n_tiles, piece.make) for piece in begun.pieces)
    with pytest.raises(Exception, match=r"^$|Failed while saving"):
        dataset.save(TilePlan(begun.index, TILE_PX, unknown))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("cut", "first_lost"), [(1, 4), (20, 3), (90, 1)])
def test_a_journal_that_was_cut_off_tells_no_lie(tmp_path: Path, cut: int, first_lost: int) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    with pytest.raises(Exception, match=r"^$|Failed while saving"):
        dataset.save(plan([5] * 6, [0, 1, 2, 3, 4, 5], stop_at=4, end=stop))
    journal = tmp_path / ".tiles-unfinished" / ".journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    pixels = tmp_path / ".tiles-unfinished" / "pixels.npy"
    with pixels.open("r+b") as file:  # what the lost lines told of may be lost, too
        file.seek(-5 * (6 - first_lost) * TILE_PX**2 * 3, 2)
        file.write(bytes(5 * (6 - first_lost) * TILE_PX**2 * 3))
    for at in (5, -1):  # stops once more, then ends well
        made: list[int] = []
        again = plan([5] * 6, [0, 1, 2, 3, 4, 5], made, stop_at=at, end=stop)
        if at == 5:
            with pytest.raises(Exception, match=r"^$|Failed while saving"):
                dataset.save(again)
            assert made == list(range(first_lost, 5))
        else:
            dataset.save(again)
            assert made == [5]
    assert saved_bytes(tmp_path / "tiles") == expected_bytes(plan([5] * 6, [0, 1, 2, 3, 4, 5]))


@pytest.mark.parametrize("lost", ["pixels.npy", "regions.npy"])
def test_a_journal_without_its_arrays_counts_for_nothing(tmp_path: Path, lost: str) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    with pytest.raises(Exception, match=r"^$|Failed while saving"):
        dataset.save(plan([5] * 6, [0, 1, 2, 3, 4, 5], stop_at=4, end=stop))
    (tmp_path / ".tiles-unfinished" / lost).unlink()
    dataset.save(plan([5] * 6, [0, 1, 2, 3, 4, 5]))
    assert saved_bytes(tmp_path / "tiles") == expected_bytes(plan([5] * 6, [0, 1, 2, 3, 4, 5]))


def test_the_old_tiles_stay_until_the_new_are_whole(tmp_path: Path) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    dataset.save(plan([3], [0]))
    before = dataset.load()
    with pytest.raises(Exception, match=r"^$|Failed while saving"):
        dataset.save(plan([5] * 3, [1, 2, 3], stop_at=2, end=stop))
    assert saved_bytes(tmp_path / "tiles") == expected_bytes(plan([3], [0]))
    dataset.save(plan([5] * 3, [1, 2, 3]))
    assert len(dataset.load()) == 15
    np.testing.assert_array_equal(before.pixels, plan([3], [0]).gathered().pixels)


def test_two_processes_do_not_write_the_same_tiles(tmp_path: Path) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    (tmp_path / ".tiles-unfinished").mkdir()
    writing = FileLock(tmp_path / ".tiles-unfinished" / ".writing")
    with writing, pytest.raises(Exception, match="Another process is writing"):
        dataset.save(plan([3], [0]))
    dataset.save(plan([3], [0]))
    assert len(dataset.load()) == 3


def test_too_little_room_is_told_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    needed = 10 * TILE_PX**2 * 4
    made: list[int] = []
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, needed - 1))
    with pytest.raises(Exception, match="make room"):
        dataset.save(plan([10], [0], made))
    assert made == []
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, needed))
    dataset.save(plan([10], [0]))


def larger(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The same pieces with tiles of four times the pixels."""
    return tuple(
        Piece(one.n_tiles, lambda one=one: tuple(part.repeat(2, 1).repeat(2, 2) for part in one.make()), one.origin)
        for one in pieces
    )


def test_tiles_of_another_size_are_begun_anew(tmp_path: Path) -> None:
    dataset = TileStoreDataset(filepath=str(tmp_path / "tiles"))
    whole = plan([5] * 3, [0, 1, 2])
    with pytest.raises(Exception, match=r"^$|Failed while saving"):
        dataset.save(plan([5] * 3, [0, 1, 2], stop_at=2, end=stop))
    twice = TilePlan(whole.index, 2 * TILE_PX, larger(whole.pieces))
    dataset.save(twice)
    assert saved_bytes(tmp_path / "tiles") == expected_bytes(twice)


@pytest.mark.parametrize("what", ["number", "size", "pixels", "regions"])
def test_a_piece_that_is_not_what_it_promised_is_refused(tmp_path: Path, what: str) -> None:
    whole = plan([3], [0])
    pixels, regions = Making(3, 0, [])()
    wrong = {
        "number": Making(4, 0, [])(),
        "size": larger(whole.pieces)[0].make(),
        "pixels": (pixels.astype(np.float32), regions),
        "regions": (pixels, regions.astype(np.int64)),
    }[what]
    with pytest.raises(Exception, match="were promised"):
        TileStoreDataset(filepath=str(tmp_path / "tiles")).save(
            TilePlan(whole.index, TILE_PX, (Piece(3, lambda: wrong),))
        )
    assert list(tmp_path.iterdir()) == []


def test_a_plan_whose_pieces_do_not_make_up_its_index_is_refused() -> None:
    with pytest.raises(RovervisionError, match="rows for 4 promised"):
        TilePlan(plan([3], [0]).index, TILE_PX, (Piece(4, Making(4, 0, [])),))


KILLED = """
import os, signal, sys
sys.path.insert(0, {repository!r})
from tests.datasets.test_tile_writing import TILE_PX, TileStoreDataset, plan, tile_writing
tile_writing.SYNCED_BYTES = 4 * TILE_PX**2 * 4
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
TileStoreDataset(filepath={folder!r}).save(plan([3] * 20, list(range(20)), stop_at={at}, end=kill))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system knows no SIGKILL")
def test_a_save_that_is_killed_again_and_again_ends_with_the_same_bytes(folder: Path) -> None:
    dataset = TileStoreDataset(filepath=str(folder / "tiles"))
    dataset.save(plan([2], [99]))
    for at in (7, 15):
        script = KILLED.format(repository=str(REPOSITORY), folder=str(folder / "tiles"), at=at)
        assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == -signal.SIGKILL
        assert saved_bytes(folder / "tiles") == expected_bytes(plan([2], [99]))
    made: list[int] = []
    dataset.save(plan([3] * 20, list(range(20)), made))
    assert 0 < made[0] in (14, 15)
    assert made == list(range(made[0], 20))
    assert saved_bytes(folder / "tiles") == expected_bytes(plan([3] * 20, list(range(20))))
    assert [path.name for path in folder.iterdir()] == ["tiles"]
