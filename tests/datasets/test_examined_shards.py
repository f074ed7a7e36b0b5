"""Examined shards come back as they were promised; what is finished is kept, and a save that fails leaves the last."""

import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock, Timeout
from kedro.io import DatasetError

from rovervision.datasets.examined_shards import LOCK_NAME, ExaminedShardsDataset
from rovervision.imaging.shard_plan import ShardPlan, ShardPromise, WorkersConfig
from rovervision.imaging.tiles import ExaminedShard
from tests.datasets.fake_shards import Fake, calls, made

ONE = WorkersConfig(kind="threads", count=1)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    folder.mkdir()
    return folder


@pytest.fixture
def shards(tmp_path: Path) -> ExaminedShardsDataset:
    return ExaminedShardsDataset(filepath=str(tmp_path / "shards"))


def plan(journal: Path, numbers: range | tuple[int, ...], **changes: object) -> ShardPlan:
    return ShardPlan({f"s{number}": Fake(number, journal, **changes) for number in numbers}, workers=ONE)  # type: ignore[arg-type]


def forget(journal: Path) -> None:
    for path in journal.iterdir():
        path.unlink()


def folders(dataset: ExaminedShardsDataset) -> list[str]:
    root = Path(dataset._describe()["filepath"])
    return sorted(path.name.partition("-")[0] for path in root.iterdir() if path.is_dir())


def assert_made(one: ExaminedShard, number: int) -> None:
    pd.testing.assert_frame_equal(one.frames, made(number).frames)
    pd.testing.assert_frame_equal(one.candidates, made(number).candidates)
    np.testing.assert_array_equal(one.pixels, made(number).pixels)
    np.testing.assert_array_equal(one.regions, made(number).regions)


@pytest.mark.parametrize("count", [1, 3])
def test_shards_come_back_in_name_order(shards: ExaminedShardsDataset, journal: Path, count: int) -> None:
    assert not shards.exists()
    workers = WorkersConfig(kind="threads", count=count)
    shards.save(ShardPlan({f"s{number}": Fake(number, journal) for number in (3, 1, 2)}, workers=workers))
    assert shards.exists()
    loaded = shards.load()
    assert list(loaded) == ["s1", "s2", "s3"]
    for number, one in enumerate(loaded.values(), start=1):
        assert_made(one, number)
    assert calls(journal) == {1: 1, 2: 1, 3: 1}


def test_a_plain_mapping_of_plain_functions_is_enough(shards: ExaminedShardsDataset) -> None:
    shards.save({"only": lambda: made(5)})
    assert_made(shards.load()["only"], 5)


def test_no_shard_at_all_is_a_complete_save(shards: ExaminedShardsDataset) -> None:
    shards.save({})
    assert shards.exists()
    assert list(shards.load()) == []


def test_promises_are_kept_at_once_by_several_threads(shards: ExaminedShardsDataset) -> None:
    both_here = threading.Barrier(2, timeout=20)

    def meet() -> ExaminedShard:
        both_here.wait()
        return made(0)

    shards.save(ShardPlan({"a": meet, "b": meet}, workers=WorkersConfig(kind="threads", count=2)))


def test_of_the_same_origin_nothing_is_made_twice(shards: ExaminedShardsDataset, journal: Path) -> None:
    shards.save(plan(journal, range(3)))
    forget(journal)
    shards.save(plan(journal, range(5)))
    assert calls(journal) == {3: 1, 4: 1}
    assert list(shards.load()) == ["s0", "s1", "s2", "s3", "s4"]


def test_what_is_no_longer_asked_for_goes(shards: ExaminedShardsDataset, journal: Path) -> None:
    shards.save(plan(journal, range(4)))
    shards.save(plan(journal, (1, 3)))
    assert list(shards.load()) == ["s1", "s3"]
    assert folders(shards) == ["s1", "s3"]


@pytest.mark.parametrize("origin", ["2", None])
def test_another_origin_or_none_is_made_anew(shards: ExaminedShardsDataset, journal: Path, origin: str | None) -> None:
    shards.save(plan(journal, range(2)))
    for _ in range(2):
        forget(journal)
        shards.save(plan(journal, (1,), origin=origin))
    assert calls(journal) == ({1: 1} if origin is None else {})
    assert folders(shards) == ["s1"]


@pytest.mark.parametrize("code", ["measures", "measures.sharpness"])
def test_other_code_makes_every_shard_anew(
    shards: ExaminedShardsDataset, journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    (tmp_path / "code" / "measures").mkdir(parents=True)
    (tmp_path / "code" / "measures" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    monkeypatch.delitem(sys.modules, "measures", raising=False)
    seen = []
    for text in ("A = 1", "A = 1", "A = 2"):
        (tmp_path / "code" / "measures" / "sharpness.py").write_text(text)
        shards.save(ShardPlan({"s0": Fake(0, journal)}, workers=ONE, code=(code,)))
        seen.append(calls(journal))
    assert seen == [{0: 1}, {0: 1}, {0: 2}]


@pytest.mark.parametrize("name", ["pixels.npy", "regions.npy", "candidates.parquet", "frames.parquet", "receipt.json"])
@pytest.mark.parametrize("harm", ["lost", "cut"])
def test_a_damaged_shard_does_not_load_and_is_made_anew(
    shards: ExaminedShardsDataset, journal: Path, tmp_path: Path, name: str, harm: str
) -> None:
    shards.save(plan(journal, range(3)))
    (path,) = (tmp_path / "shards").glob(f"s1-*/{name}")
    path.unlink() if harm == "lost" else path.write_bytes(path.read_bytes()[:-20])
    assert not shards.exists()
    with pytest.raises(DatasetError, match="run the pipeline `curation`"):
        shards.load()
    forget(journal)
    shards.save(plan(journal, range(3)))
    assert calls(journal) == {1: 1}
    assert_made(shards.load()["s1"], 1)


def test_a_broken_promise_leaves_the_last_save_and_keeps_what_is_finished(
    shards: ExaminedShardsDataset, journal: Path
) -> None:
    shards.save({"old": lambda: made(1)})

    def broken() -> ExaminedShard:
        raise ValueError("broken promise")

    many = plan(journal, range(50))
    promises = dict(list(many.items())[:3]) | {"bad": broken} | dict(list(many.items())[3:])
    with pytest.raises(DatasetError, match="broken promise"):
        shards.save(ShardPlan(promises, workers=ONE))
    assert list(shards.load()) == ["old"]
    assert_made(shards.load()["old"], 1)
    finished = calls(journal)
    assert {0, 1, 2} <= set(finished)
    assert len(finished) < 50
    forget(journal)
    shards.save(many)
    assert set(calls(journal)) == set(range(50)) - set(finished)
    assert list(shards.load()) == sorted(many)


def test_while_shards_are_made_the_last_save_loads(shards: ExaminedShardsDataset, journal: Path) -> None:
    shards.save(plan(journal, range(2)))
    seen = []

    def look() -> ExaminedShard:
        seen.append([shard.candidates["left_px"].tolist() for shard in shards.load().values()])
        return made(9)

    shards.save(ShardPlan({"s0": look, "s1": look}, workers=ONE))
    assert seen == [[[0], [1]]] * 2
    assert_made(shards.load()["s0"], 9)


def test_loading_reads_nothing_and_keeps_no_file_open(
    shards: ExaminedShardsDataset, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards.save(plan(journal, range(30)))
    reads = []
    read = pd.read_parquet
    monkeypatch.setattr(pd, "read_parquet", lambda path: (reads.append(path), read(path))[1])
    open_files = Path("/proc/self/fd")
    loaded = shards.load()
    assert reads == []
    before = len(list(open_files.iterdir())) if open_files.exists() else 0
    for one in loaded.values():
        assert one.pixels.shape == (1, 4, 4, 3)
    assert len(reads) == 60
    assert not open_files.exists() or len(list(open_files.iterdir())) <= before + 3


def test_a_mapped_shard_outlives_the_save_that_replaces_it(shards: ExaminedShardsDataset, journal: Path) -> None:
    shards.save(plan(journal, (1,)))
    old = shards.load()["s1"]
    assert isinstance(old.pixels, np.memmap)
    shards.save(plan(journal, (2,)))
    assert_made(old, 1)


def test_two_runs_do_not_write_the_same_shards(shards: ExaminedShardsDataset, journal: Path, tmp_path: Path) -> None:
    shards.save(plan(journal, range(1)))
    with FileLock(tmp_path / "shards" / LOCK_NAME), pytest.raises(DatasetError) as caught:
        shards.save(plan(journal, range(2)))
    assert isinstance(caught.value.__cause__, Timeout)


@pytest.mark.parametrize("name", ["../out", "a/b", ".hidden", ""])
def test_no_shard_leaves_the_folder(shards: ExaminedShardsDataset, journal: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="no plain file name"):
        shards.save({name: Fake(1, journal)})
    assert calls(journal) == {}


def test_what_is_not_a_shard_stays(shards: ExaminedShardsDataset, journal: Path, tmp_path: Path) -> None:
    shards.save(plan(journal, range(1)))
    (tmp_path / "shards" / "notes").mkdir()
    (tmp_path / "shards" / "notes" / "mine.txt").touch()
    shards.save(plan(journal, range(1, 2)))
    assert folders(shards) == ["notes", "s1"]
    assert (tmp_path / "shards" / "notes" / "mine.txt").exists()


def test_a_shard_promise_tells_its_origin_and_frames(shards: ExaminedShardsDataset, journal: Path) -> None:
    promise = ShardPromise(Fake(4, journal, origin=None), ("f4a", "f4b"), "x")
    for _ in range(2):
        shards.save(ShardPlan({"s": promise}, workers=ONE))
    assert calls(journal) == {4: 1}
    shards.save(ShardPlan({"s": replace(promise, origin="y")}, workers=ONE))
    assert calls(journal) == {4: 2}
