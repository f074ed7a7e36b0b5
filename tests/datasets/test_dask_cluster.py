"""A real Dask cluster of two worker processes on this machine, of which one is killed in the middle of the work."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from rovervision.datasets.examined_shards import ExaminedShardsDataset
from rovervision.datasets.image_folder import ImageFolderDataset
from rovervision.imaging.shard_plan import ShardPlan, WorkersConfig
from tests.datasets.fake_shards import Fake, bytes_of, calls, processes

REPOSITORY = Path(__file__).resolve().parents[2]
THREADS = WorkersConfig(kind="threads", count=2)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Cluster:
    """A scheduler and workers as a person starts them: `dask scheduler`, and `dask worker` for each."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.scheduler_file = folder, folder / "scheduler.json"
        file = ["--scheduler-file", str(self.scheduler_file)]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *file)
        self.workers: list[subprocess.Popen[bytes]] = []
        while len(self.workers) < 2:
            self.add_worker()

    @property
    def config(self) -> WorkersConfig:
        return WorkersConfig(kind="dask", address=str(self.scheduler_file))

    def add_worker(self) -> None:
        options = ["--scheduler-file", str(self.scheduler_file), "--nthreads", "1", "--no-dashboard", "--no-nanny"]
        own = ["--host", "127.0.0.1", "--local-directory", str(self.folder / f"worker{len(self.workers)}")]
        self.workers.append(self._start("worker", *options, *own))

    def wait_for_workers(self) -> None:
        from distributed import Client

        with Client(scheduler_file=str(self.scheduler_file), timeout=300) as client:
            client.wait_for_workers(2, timeout=300)

    def kill_worker(self) -> None:
        """End a worker as the kernel does when memory runs out; nobody starts it again."""
        os.killpg(self.workers[-1].pid, signal.SIGKILL)
        self.workers[-1].wait()

    def end(self) -> None:
        for each in [*self.workers, self.scheduler]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(each.pid, signal.SIGKILL)
            each.wait()

    def _start(self, what: str, *options: str) -> "subprocess.Popen[bytes]":
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "src")])}
        with (self.folder / f"{what}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", what, *options],
                stdout=log, stderr=log, env=environment, cwd=self.folder, start_new_session=True,
            )  # fmt: skip


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        end_s = time.monotonic() + 300
        while not started.scheduler_file.exists() and time.monotonic() < end_s:
            time.sleep(0.1)
        assert started.scheduler_file.exists(), (started.folder / "scheduler.log").read_text()
        started.wait_for_workers()
        yield started
    finally:
        started.end()


@contextlib.contextmanager
def once(is_so: Callable[[], bool], act: Callable[[], Any]) -> Iterator[list[float]]:
    """Act in a thread as soon as it is so; the list then holds when."""
    over, acted = threading.Event(), list[float]()

    def watch() -> None:
        while not over.wait(0.02):
            if is_so():
                act()
                acted.append(time.monotonic())
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield acted
    finally:
        over.set()
        thread.join()


def test_a_killed_worker_costs_shards_and_images_nothing_but_time(cluster: Cluster, tmp_path: Path) -> None:
    """Curation first, then colours by what is left of the cluster and a worker that comes late."""
    journal = tmp_path / "journal"
    journal.mkdir()
    promises = {f"s{number}": Fake(number, journal, takes_s=0.2) for number in range(16)}
    shards = ExaminedShardsDataset(filepath=str(tmp_path / "dask"))
    with once(lambda: len(calls(journal)) >= 6, cluster.kill_worker) as killed:
        shards.save(ShardPlan(promises, workers=cluster.config))
        ended_s = time.monotonic()
    assert killed and killed[0] < ended_s
    assert list(shards.load()) == sorted(promises)
    assert len(processes(journal)) == 2
    assert sum(calls(journal).values()) <= 16 + 2, "one that was at work, and one that waited at most, again"
    quick = {name: Fake(promise.number, tmp_path) for name, promise in promises.items()}
    ExaminedShardsDataset(filepath=str(tmp_path / "threads")).save(ShardPlan(quick, workers=THREADS))
    assert bytes_of(tmp_path / "dask") == bytes_of(tmp_path / "threads")
    cluster.add_worker()
    cluster.wait_for_workers()
    color_with_a_worker_less(cluster, tmp_path)


def color_with_a_worker_less(cluster: Cluster, folder: Path) -> None:
    from rovervision.learning.weights import Weights
    from rovervision.pipelines.colorization.applying import colorize_images
    from tests.learning.test_colorizers import disturbed
    from tests.pipelines.colorization.examples import CONFIG

    header = {"model": CONFIG.model.model_dump(mode="json"), "tile_px": 16, "cameras": []}
    weights = Weights(disturbed(CONFIG.model).state_dict(), header)
    (folder / "gray").mkdir()
    rng = np.random.default_rng(0)
    for number in range(60):
        cv2.imwrite(str(folder / "gray" / f"{number}.png"), rng.integers(0, 256, (40, 50), dtype=np.uint8))
    (folder / "gray" / "text.png").write_text("I am no image")
    images = ImageFolderDataset(filepath=str(folder / "gray"), read_only=True).load()

    def color(name: str, workers: WorkersConfig) -> dict[str, bytes]:
        config = CONFIG.model_copy(update={"apply": CONFIG.apply.model_copy(update={"workers": workers})})
        dataset = ImageFolderDataset(filepath=str(folder / name), attempts=1, max_failed_frac=1.0)
        dataset.save(colorize_images(images, weights, config))
        return {file: body for file, body in bytes_of(folder / name).items() if file != ".ledger.jsonl"}

    with once(lambda: len(list((folder / "far").glob("*.png"))) >= 10, cluster.kill_worker) as killed:
        by_dask = color("far", cluster.config)
        ended_s = time.monotonic()
    assert killed and killed[0] < ended_s
    assert len([name for name in by_dask if name.endswith(".png")]) == 60
    assert b"text.png" in by_dask["failures.csv"]
    assert by_dask == color("near", THREADS)
    changed = {path: path.stat().st_mtime_ns for path in (folder / "far").glob("*.png")}
    assert color("far", THREADS) == by_dask
    assert changed == {path: path.stat().st_mtime_ns for path in (folder / "far").glob("*.png")}, "nothing twice"
