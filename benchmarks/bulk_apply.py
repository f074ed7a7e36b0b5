"""What colouring many images costs by threads, processes and Dask, and whether memory stays flat: rows for docs.

    python -m benchmarks.bulk_apply                            # 200 and 2000 images of 128 x 128 pixels
    python -m benchmarks.bulk_apply --counts 50 500 --side-px 512 --workers 4

Every row is a process of its own, which saves a plan of `colorize_images` as a run with `--tags apply` does. The
network is untrained, which changes no time. Rates are those from the smaller to the larger number of images, so the
start of workers, which is shown apart, is not in them. CPU time is that of all processes together; on a busy machine it
says more than the clock. Memory is the largest resident set of the process that hands out the work, and of its largest
worker. The Dask workers are processes of a cluster that is started for the row.
"""

import argparse
import contextlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import psutil

from benchmarks.colorization_apply import scene, untrained
from rovervision.datasets.image_folder import ImageFolderDataset
from rovervision.imaging.shard_plan import WorkersConfig
from rovervision.learning.colorizers import ModelConfig
from rovervision.learning.colorizing import ApplyConfig
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.applying import colorize_images
from rovervision.pipelines.colorization.config import ColorizationConfig

KINDS = ("threads", "processes", "dask")


def write_images(folder: Path, count: int, side_px: int) -> None:
    """Write `count` different gray PNG, (side_px, side_px)."""
    folder.mkdir()
    image = scene(2 * side_px)
    rng = np.random.default_rng(0)
    for number in range(count):
        top, left = rng.integers(0, side_px, 2)
        cv2.imwrite(str(folder / f"{number:06d}.png"), image[top : top + side_px, left : left + side_px])


def measure(kind: Any, count: int, side_px: int, workers: int) -> dict[str, float]:
    """Colour a folder in this process and its workers, and return what it took."""
    model = ModelConfig()
    weights = Weights(
        untrained(model).state_dict(), {"model": model.model_dump(mode="json"), "tile_px": side_px, "cameras": ()}
    )
    config = ColorizationConfig(apply=ApplyConfig(workers=WorkersConfig(kind=kind, count=workers)))
    with tempfile.TemporaryDirectory() as name:
        write_images(Path(name, "gray"), count, side_px)
        images = ImageFolderDataset(filepath=str(Path(name, "gray")), read_only=True).load()
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        with Watched() as workers_seen:
            ImageFolderDataset(filepath=str(Path(name, "color"))).save(colorize_images(images, weights, config))
        wall_s, own_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
        done = sum(1 for _ in Path(name, "color").glob("*.png"))
    assert done == count
    own_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cpu_s = own_s + sum(workers_seen.cpu_s.values())
    return {"wall_s": wall_s, "cpu_s": cpu_s, "own_mib": own_mib, "worker_mib": workers_seen.largest_bytes / 2**20}


class Watched:
    """Looks at the processes below this one, twice a second: those of a fork server are nobody's to wait for."""

    def __init__(self) -> None:
        self.cpu_s: dict[int, float] = {}
        self.largest_bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._over.wait(0.5):
            for each in own.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    times = each.cpu_times()
                    self.cpu_s[each.pid] = times.user + times.system
                    self.largest_bytes = max(self.largest_bytes, each.memory_info().rss)


def in_own_process(kind: str, count: int, options: argparse.Namespace) -> dict[str, float]:
    """Measure in a process of its own, for the largest resident set never shrinks."""
    command = [sys.executable, "-m", "benchmarks.bulk_apply", "--one", kind, "--counts", str(count)]
    command += ["--side-px", str(options.side_px), "--workers", str(options.workers)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return found


def report(options: argparse.Namespace) -> None:
    """Print a table, kinds one after the other."""
    few, many = min(options.counts), max(options.counts)
    load = os.getloadavg()[0]
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}")
    print(f"{options.side_px} x {options.side_px} pixels, {options.workers} workers, {few} and {many} images\n")
    print("| workers | images/s | CPU ms/image | start s | hands out, MiB | worker, MiB |\n|---|---|---|---|---|---|")
    for kind in options.kinds:
        small, large = (in_own_process(kind, count, options) for count in (few, many))
        per_s, per_cpu_s = ((many - few) / (large[name] - small[name]) for name in ("wall_s", "cpu_s"))
        start_s = max(0.0, small["wall_s"] - few / per_s)
        memory = " | ".join(f"{small[who]:.0f} → {large[who]:.0f}" for who in ("own_mib", "worker_mib"))
        print(f"| {kind} | {per_s:.1f} | {1000 / per_cpu_s:.1f} | {start_s:.1f} | {memory} |", flush=True)


def main() -> None:
    """Read the options, and measure or report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[200, 2000])
    parser.add_argument("--side-px", type=int, default=128)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--one", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.counts[0], options.side_px, options.workers)))
    else:
        report(options)


if __name__ == "__main__":
    main()
