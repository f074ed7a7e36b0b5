"""What the curves in MLflow cost a training: share of its time, on SQLite and on a server that takes 50 ms to answer.

    python -m benchmarks.tracking [--epochs 40] [--epoch_s 0.5] [--latency_s 0.05]

A stand-in for training computes for a given processor time each epoch and saves four points, as a training does. Told
are the seconds in which it waited for `save`, and processor time of other threads, both as shares of the time of the
epochs: alone (a table on disk), with MLflow on a thread, and with MLflow awaited after each save, as before.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np

from rovervision.datasets.metric_history import MetricHistoryDataset
from rovervision.hooks.sqlite_store import first_use

METRICS = ("train_loss", "monitor_loss", "learning_rate", "images_per_s")


@dataclass(frozen=True)
class Cost:
    """What saving cost, in seconds over all epochs."""

    epochs_s: float
    saving_s: float
    threads_s: float

    def row(self, store: str, way: str) -> str:
        """Return a line of the table."""
        waited, beside = self.saving_s / self.epochs_s, self.threads_s / self.epochs_s
        return f"| {store} | {way} | {waited:.2%} | {beside:.2%} |"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--epoch_s", type=float, default=0.5)
    parser.add_argument("--latency_s", type=float, default=0.05)
    given = parser.parse_args()
    print(f"{given.epochs} epochs of {given.epoch_s} s, server {1000 * given.latency_s:.0f} ms away\n")
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    print("| store | way | waited, share of training | processor time beside it |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(train(folder / "alone.csv", given.epochs, given.epoch_s).row("none", "table alone"))
        store = f"sqlite:///{folder}/mlflow.db"
        with first_use(store):
            mlflow.set_tracking_uri(store)
            mlflow.set_experiment("tracking")
        measure_store("SQLite", folder, given.epochs, given.epoch_s)
        with server(store, folder) as port, slow_way(port, given.latency_s) as slow_port:
            mlflow.set_tracking_uri(f"http://127.0.0.1:{slow_port}")
            mlflow.set_experiment("tracking")
            measure_store("server", folder, given.epochs, given.epoch_s)


def measure_store(store: str, folder: Path, epochs: int, epoch_s: float) -> None:
    """Print what the ways of logging cost on the store that MLflow uses now."""
    for way, is_awaited in (("on a thread", False), ("awaited", True)):
        with mlflow.start_run():
            print(train(folder / f"{store}{is_awaited}.csv", epochs, epoch_s, is_awaited).row(store, way), flush=True)


def train(path: Path, epochs: int, epoch_s: float, is_awaited: bool = False) -> Cost:
    """Compute and save for some epochs; return what saving cost."""
    curve = MetricHistoryDataset(filepath=str(path), prefix="training")
    curve.save({metric: {"value": 0.0, "step": 0} for metric in METRICS})  # the first connects
    curve.flush()
    saving_s, began_s, began_cpu_s, own_cpu_s = 0.0, time.perf_counter(), time.process_time(), time.thread_time()
    for epoch in range(1, epochs + 1):
        compute(epoch_s)
        asked_s = time.perf_counter()
        curve.save({metric: {"value": 1 / epoch, "step": epoch} for metric in METRICS})
        if is_awaited:
            curve.flush()
        saving_s += time.perf_counter() - asked_s
    epochs_s = time.perf_counter() - began_s - saving_s
    threads_s = (time.process_time() - began_cpu_s) - (time.thread_time() - own_cpu_s)
    curve.flush()
    return Cost(epochs_s, saving_s, threads_s)


def compute(seconds: float) -> None:
    """Keep a core busy for some seconds of its time, as training does: in numpy, which frees the interpreter's lock."""
    end_s = time.thread_time() + seconds
    matrix = np.ones((192, 192), np.float32)
    while time.thread_time() < end_s:
        matrix = matrix @ matrix / 192


@contextmanager
def server(store: str, folder: Path) -> Iterator[int]:
    """A real MLflow server on this machine; yields its port."""
    port = free_port()
    words = ["server", "--backend-store-uri", store, "--port", str(port), "--workers", "1"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "mlflow", *words], stdout=log, stderr=log, cwd=folder)
    try:
        wait_until(lambda: answers(port), 300)
        yield port
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def slow_way(port: int, latency_s: float) -> Iterator[int]:
    """A way to a local port on which every piece of an answer arrives later; yields the port to use instead."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):  # the listener is closed at the end
            while True:
                client, _ = listener.accept()
                target = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=forward, args=(client, target, 0.0), daemon=True).start()
                threading.Thread(target=forward, args=(target, client, latency_s), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def forward(source: socket.socket, target: socket.socket, latency_s: float) -> None:
    """Pass on what arrives, after some time."""
    with suppress(OSError):
        while piece := source.recv(65536):
            time.sleep(latency_s)
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Tell whether somebody listens at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(happened: Callable[[], bool], timeout_s: float) -> None:
    """Return when something has happened.

    Raises:
        TimeoutError: It has not, in that time.
    """
    end_s = time.monotonic() + timeout_s
    while not happened():
        if time.monotonic() > end_s:
            raise TimeoutError
        time.sleep(0.2)


if __name__ == "__main__":
    main()
