"""Threads, processes and Dask leave the same bytes; lost workers and killed runs lose nothing and double nothing."""

import os
import pickle
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DatasetError

from rovervision.datasets import dask_work
from rovervision.datasets.examined_shards import ExaminedShardsDataset
from rovervision.datasets.image_folder import ImageFolderDataset
from rovervision.datasets.shard_work import perform
from rovervision.errors import RovervisionError
from rovervision.imaging.shard_plan import ShardPlan, ShardPromise, SlurmWorkers, WorkersConfig
from tests.datasets.fake_shards import Fake, bytes_of, calls, made, processes

REPOSITORY = Path(__file__).resolve().parents[2]
KINDS = ["threads", "processes", "dask"]
SEVERAL = ["processes", "dask"]


def workers(kind: str, **more: Any) -> WorkersConfig:
    if kind == "dask":
        pytest.importorskip("distributed")
    return WorkersConfig(kind=kind, count=2, **more)


def save(folder: Path, promises: list[Fake], how: WorkersConfig) -> ExaminedShardsDataset:
    shards = ExaminedShardsDataset(filepath=str(folder))
    shards.save(ShardPlan({f"s{promise.number}": promise for promise in promises}, workers=how))
    return shards


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("kind", SEVERAL)
def test_a_lost_worker_costs_nothing_but_time(tmp_path: Path, journal: Path, kind: str) -> None:
    """The first worker to begin shard 2 is killed; the result is what threads leave, byte for byte."""
    save(tmp_path / "threads", [Fake(number, tmp_path) for number in range(6)], workers("threads"))
    promises = [Fake(number, journal, takes_s=0.05, n_deaths=int(number == 2)) for number in range(6)]
    shards = save(tmp_path / kind, promises, workers(kind))
    assert list(shards.load()) == [f"s{number}" for number in range(6)]
    assert bytes_of(tmp_path / kind) == bytes_of(tmp_path / "threads")
    assert calls(journal) == {0: 1, 1: 1, 2: 2, 3: 1, 4: 1, 5: 1}
    assert os.getpid() not in processes(journal)


@pytest.mark.parametrize("kind", SEVERAL)
def test_a_shard_that_no_worker_survives_is_named(tmp_path: Path, journal: Path, kind: str) -> None:
    promises = [Fake(number, journal, n_deaths=99 * (number == 1)) for number in range(4)]
    with pytest.raises(DatasetError, match=r"shard s1 \(2 frames: f1a, f1b\) ended its worker 2 times") as caught:
        save(tmp_path / "shards", promises, workers(kind, attempts=2))
    assert isinstance(caught.value.__cause__, RovervisionError)
    assert calls(journal)[1] == 2
    done = {path.parent.name.partition("-")[0] for path in (tmp_path / "shards").glob("s*-*/receipt.json")}
    assert "s1" not in done
    before = calls(journal)
    save(tmp_path / "shards", [Fake(number, journal) for number in range(4)], workers("threads"))
    again = {number for number, count in calls(journal).items() if count > before.get(number, 0)}
    assert {f"s{number}" for number in again} == {"s0", "s1", "s2", "s3"} - done


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_task_raises_reaches_the_caller(kind: str) -> None:
    with pytest.raises(RovervisionError, match="torn"):
        list(perform({"a": partial(refuse, "torn")}, workers(kind)))


def refuse(reason: str) -> None:
    raise RovervisionError(reason)


RUN = """
import signal, sys
from pathlib import Path
from rovervision.imaging.shard_plan import WorkersConfig
sys.path.insert(0, {repository!r})
from tests.datasets.fake_shards import Fake
from tests.datasets.test_shard_work import save
class Stopped(BaseException):
    "As rovervision.cli raises it."
def stop(number, frame):
    raise Stopped
if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    journal = Path({journal!r})
    try:
        save(Path({folder!r}), [Fake(n, journal, takes_s=0.3 if n < 3 else {last_s}) for n in range(5)],
             WorkersConfig(kind={kind!r}, count=2))
    except Stopped:
        sys.exit(77)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(is_so: Any, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize(("kind", "number"), [
    ("threads", signal.SIGKILL), ("processes", signal.SIGKILL), ("dask", signal.SIGKILL),
    ("processes", signal.SIGTERM), ("dask", signal.SIGINT),
])  # fmt: skip
def test_a_run_that_is_ended_leaves_no_process_and_goes_on(
    tmp_path: Path, journal: Path, kind: str, number: signal.Signals
) -> None:
    """The run ends while the last two shards of five are made; a second one makes those alone."""
    workers(kind)
    folder = tmp_path / "shards"
    old = save(folder, [Fake(0, tmp_path, origin="old")], workers("threads"))
    script = tmp_path / "run.py"
    told = {"repository": str(REPOSITORY), "journal": str(journal), "folder": str(folder)}
    script.write_text(RUN.format(**told, kind=kind, last_s=60))
    run = subprocess.Popen([sys.executable, script], start_new_session=True)
    try:
        assert wait_until(lambda: set(calls(journal)) == set(range(5)), within_s=60)
        assert wait_until(lambda: len(list(folder.glob("s*-*/receipt.json"))) == 4, within_s=10)
        at_work = processes(journal)
        began = time.monotonic()
        run.send_signal(number)
        assert run.wait(20) == (-9 if number == signal.SIGKILL else 77)
        assert time.monotonic() - began < 10
        assert wait_until(lambda: not any(map(is_alive, at_work)), within_s=10)
    finally:
        run.kill()
    assert list(old.load()) == ["s0"]
    save(folder, [Fake(n, journal) for n in range(5)], workers("threads"))
    assert calls(journal) == {0: 1, 1: 1, 2: 1, 3: 2, 4: 2}
    save(tmp_path / "whole", [Fake(n, tmp_path) for n in range(5)], workers("threads"))
    assert bytes_of(folder) == bytes_of(tmp_path / "whole")


def test_a_cluster_at_an_address_does_the_same(tmp_path: Path, journal: Path) -> None:
    distributed = pytest.importorskip("distributed")
    promises = [Fake(number, journal) for number in range(4)]
    settings = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**settings) as cluster:
        how = WorkersConfig(kind="dask", address=cluster.scheduler_address)
        save(tmp_path / "dask", promises, how)
    save(tmp_path / "threads", promises, workers("threads"))
    assert bytes_of(tmp_path / "dask") == bytes_of(tmp_path / "threads")
    assert set(calls(journal).values()) == {2}


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(dask_work, "_CONNECT_S", 0.3)
    with pytest.raises(RovervisionError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        list(perform({"a": partial(made, 1)}, WorkersConfig(kind="dask", address="tcp://127.0.0.1:9")))


@pytest.mark.parametrize("missing", ["distributed", "dask_jobqueue"])
def test_a_missing_package_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing == "dask_jobqueue":
        pytest.importorskip("distributed")
    monkeypatch.setitem(sys.modules, missing, None)
    how = WorkersConfig(kind="dask", slurm=SlurmWorkers())
    with pytest.raises(RovervisionError, match=r"rovervision\[dask\]"):
        list(perform({"a": partial(made, 1)}, how))


def test_few_tasks_wait_at_a_time(journal: Path) -> None:
    """Tasks are taken up as workers get free, so that a caller that stops early has begun little."""
    tasks = {str(number): Fake(number, journal) for number in range(100)}
    receipts = perform(tasks, workers("threads"))
    next(receipts)
    receipts.close()
    assert len(calls(journal)) < 10


SBATCH = """#!/usr/bin/env python3
import pathlib, sys
folder = pathlib.Path({folder!r})
number = len(list(folder.glob("job.*")))
(folder / f"job.{{number}}").write_text(pathlib.Path(sys.argv[-1]).read_text())
print("Submitted batch job", number + 1)
"""


def test_slurm_is_asked_for_what_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for sbatch and scancel note what they are given; no job ever starts."""
    pytest.importorskip("dask_jobqueue")
    pytest.importorskip("cryptography")
    for name in ("sbatch", "scancel"):
        (tmp_path / name).write_text(SBATCH.format(folder=str(tmp_path)) if name == "sbatch" else "#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    slurm = SlurmWorkers(
        cores=4, memory_gib=12, walltime_h=1.5, queue="short", account="mars", directives=("--constraint=rome",),
        prologue=("module load python",),
    )  # fmt: skip
    with dask_work._client(WorkersConfig(kind="dask", count=8, slurm=slurm), 2) as client:
        assert wait_until((tmp_path / "job.1").exists, within_s=90)
        assert client.scheduler.address.startswith("tls://")
        keys = list(tmp_path.glob(".dask-jobqueue*"))
        assert keys
        assert {path.stat().st_mode & 0o077 for path in keys} == {0}
    script = (tmp_path / "job.0").read_text()
    for line in (
        "#SBATCH -p short", "#SBATCH -A mars", "#SBATCH --cpus-per-task=4", "#SBATCH --mem=12G",
        "#SBATCH -t 01:30:00", "#SBATCH --constraint=rome", "module load python", "--nthreads 1 ", "--nworkers 4 ",
        "--lifetime 4860s --lifetime-stagger 270s", "--tls-key", "tls://",
    ):  # fmt: skip
        assert line in script
    assert not (tmp_path / "job.2").exists()


def test_an_address_and_slurm_are_two_clusters() -> None:
    with pytest.raises(ValueError, match="two clusters"):
        WorkersConfig(kind="dask", address="tcp://10.0.0.1:8786", slurm=SlurmWorkers())


def test_a_promise_takes_only_its_own_files_along(tmp_path: Path) -> None:
    images = ImageFolderDataset(filepath=str(tmp_path), keyed_by="stem")
    images.save({f"f{number}.png": partial(bytes, 10) for number in range(64)})
    files = images.load()
    promise = ShardPromise(partial(dict, files), tuple(files), "x")
    body = pickle.dumps(promise)
    assert len(body) < 400 * 64
    assert pickle.loads(body)()["f7"].read() == bytes(10)
