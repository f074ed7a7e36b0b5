"""Threads, processes and Dask store the same files; a file that ends its workers is listed, the others are there."""

import csv
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from rovervision.datasets.file_storing import Patience, StoreTask
from rovervision.datasets.image_folder import ImageFolderDataset
from rovervision.datasets.shard_work import perform
from rovervision.errors import RovervisionError
from rovervision.imaging.shard_plan import WorkersConfig
from rovervision.learning.model_use import origin_of_use
from rovervision.sources.frame import StoredFile
from tests.datasets.fake_files import Body, FilePlan
from tests.datasets.fake_models import model_of, multiplying
from tests.datasets.fake_shards import calls, processes

SEVERAL = ["processes", pytest.param("dask", marks=pytest.mark.slow)]
UNLIKE = {".ledger.jsonl"}  # it holds the times at which files were written


def workers(kind: str, **more: Any) -> WorkersConfig:
    if kind == "dask":
        pytest.importorskip("distributed")
    return WorkersConfig(kind=kind, count=2, **more)


def save(folder: Path, plan: Any) -> ImageFolderDataset:
    images = ImageFolderDataset(filepath=str(folder), attempts=1, max_failed_frac=1.0, threads=2)
    images.save(plan)
    return images


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file, what the dataset notes for itself too."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in UNLIKE]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def failures(folder: Path) -> dict[str, tuple[str, str]]:
    if not (folder / "failures.csv").exists():
        return {}
    with (folder / "failures.csv").open(newline="") as file:
        return {row["file"]: (row["reason"], row["sentence"]) for row in csv.DictReader(file)}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("kind", SEVERAL)
def test_whoever_works_leaves_the_same_files(tmp_path: Path, journal: Path, kind: str) -> None:
    """What fails is listed in the order of the plan, and a lost worker is nobody's failure."""
    refusals = {3: "unreadable", 5: "broken", 10: "unreadable"}
    bodies = [Body(number, journal, refusal=refusals.get(number, "")) for number in range(12)]
    save(tmp_path / "threads", FilePlan(bodies, workers("threads")))
    assert list(failures(tmp_path / "threads")) == ["sol0/3.png", "sol2/5.png", "sol1/10.png"]
    for path in journal.iterdir():
        path.unlink()
    bodies[7] = Body(7, journal, n_deaths=1)
    images = save(tmp_path / kind, FilePlan(bodies, workers(kind)))
    assert bytes_of(tmp_path / kind) == bytes_of(tmp_path / "threads")
    assert list(images.load()) == [f"sol{number % 3}/{number}.png" for number in range(12)]
    assert calls(journal)[7] == 2
    assert os.getpid() not in processes(journal)


@pytest.mark.parametrize("kind", SEVERAL)
def test_a_file_that_no_worker_survives_is_listed_and_costs_itself_alone(
    tmp_path: Path, journal: Path, kind: str
) -> None:
    """Of those that stood beside it in its worker, none is blamed; the next run tries it again, and nothing else."""
    bodies = [Body(number, journal, takes_s=0.03, n_deaths=99 * (number == 4)) for number in range(12)]
    attempts = 1 if kind == "dask" else 2  # what waits behind the killer is given up with it at the first death
    save(tmp_path / "images", FilePlan(bodies, workers(kind, attempts=attempts)))
    ((name, (reason, sentence)),) = failures(tmp_path / "images").items()
    assert (name, reason) == ("sol1/4.png", "worker_lost")
    assert f"ended its worker {attempts} times" in sentence
    assert calls(journal)[4] <= 4
    assert {path.stem for path in (tmp_path / "images").rglob("*.png")} == {str(n) for n in range(12)} - {"4"}
    before = calls(journal)
    save(tmp_path / "images", FilePlan([Body(number, journal) for number in range(12)], workers("threads")))
    assert calls(journal) == before | {4: before[4] + 1}
    assert failures(tmp_path / "images") == {}


@pytest.mark.parametrize("kind", SEVERAL)
def test_a_model_is_opened_once_in_a_process_and_never_travels(tmp_path: Path, journal: Path, kind: str) -> None:
    model = model_of(journal)
    save(tmp_path / "threads", multiplying(model, 30, workers("threads")))
    assert [path.name.split(".")[1] for path in journal.iterdir()] == [str(os.getpid())]
    save(tmp_path / kind, multiplying(model, 30, workers(kind), takes_s=0.02))
    opened = [path.name.split(".")[1] for path in journal.glob("open.*")]
    assert len(opened) == len(set(opened)) == 3
    assert bytes_of(tmp_path / kind) == bytes_of(tmp_path / "threads")
    assert not (tmp_path / kind / ".incoming").exists()


def test_what_travels_is_small(tmp_path: Path, journal: Path) -> None:
    plan = multiplying(model_of(journal), 3, workers("processes"))
    with pytest.raises(TypeError, match="does not travel"):
        pickle.dumps(plan["1.txt"])
    travelling = plan.to_travel(tmp_path / "model")
    assert len(pickle.dumps(travelling["1.txt"])) < 1000
    assert pickle.loads(pickle.dumps(travelling["1.txt"]))() == plan["1.txt"]()
    other = multiplying(model_of(journal, 5.0), 3, workers("processes")).to_travel(tmp_path / "other")
    assert [use["2.txt"]().decode()[1:] for use in (other, travelling, other)] == ["10.0", "4.0", "10.0"]


def test_a_model_is_known_by_its_weights(journal: Path) -> None:
    assert model_of(journal).digest() == model_of(journal).digest() != model_of(journal, 2.5).digest()


def test_without_a_digest_or_a_version_a_file_has_no_origin() -> None:
    unknown, known = (StoredFile("a", "a", 1, digest, None, lambda: b"a") for digest in ("", "f00"))
    assert origin_of_use("red", known) == origin_of_use("red", known) != origin_of_use("blue", known)
    assert origin_of_use("red", known, unknown) is None


def test_workers_that_do_not_share_the_disk_are_told_so(tmp_path: Path, journal: Path) -> None:
    """As a worker elsewhere sees it: the folder is not there."""
    task = StoreTask(tmp_path / "elsewhere" / ".incoming", "1.png", Body(1, journal), None, Patience(1, 0.0))
    with pytest.raises(RovervisionError, match="on a disk that all of them share"):
        task()
    assert calls(journal) == {}


@pytest.mark.parametrize("kind", SEVERAL)
def test_few_files_wait_at_a_time(journal: Path, kind: str) -> None:
    """Whoever reads slowly is not flooded, and whoever stops has begun little: so memory does not grow with files."""
    tasks = {str(number): Body(number, journal) for number in range(100)}
    receipts = perform(tasks, workers(kind), lambda name, attempts: b"")
    next(receipts)
    receipts.close()
    assert len(calls(journal)) < 12


@pytest.mark.parametrize("kind", SEVERAL)
def test_the_first_error_of_the_work_itself_ends_it(kind: str) -> None:
    with pytest.raises(RovervisionError, match="no disk"):
        list(perform({str(number): refuse for number in range(9)}, workers(kind), lambda name, attempts: b""))


def refuse() -> bytes:
    raise RovervisionError("no disk")
