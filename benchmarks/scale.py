"""Time and memory of the nodes that hold whole tables, as frames grow: rows for docs/benchmarks.md, section Scale.

    python -m benchmarks.scale
    python -m benchmarks.scale --frames 5000 50000 --only judge_frames relate_frames
    python -m benchmarks.scale --pixels

Each node gets the tables that the nodes before it made of a made-up archive (`benchmarks.scale_tables`), from files,
and its tables are written to files, as Kedro does; reading and writing count. Images, tiles and codes are made up.
Every figure is of a process of its own. Time is of the processor, all threads. Memory is the most that the process
holds beyond its imports, mapped files aside, as another process sees it fifty times a second. `growth` is the exponent
g of time = c N^g through the two largest numbers of frames: 1 is linear; so is that of memory, which has a constant
part. A node is not tried on more frames than `MOST` says.

With `--pixels` in place of that: what a tile of 128 px costs the nodes that look at every tile.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from benchmarks.clustering_speed import growth
from benchmarks.scale_pixels import LOOKS, random_tiles
from benchmarks.scale_tasks import MOST, NEEDS, PREPARED, TASKS, Tables
from benchmarks.trials import machine

_POLL_S: Final = 0.02


def measured(task: str, folder: Path) -> tuple[float, float]:
    """Run one task in a process of its own; return its seconds and the MiB that it holds at most."""
    context = multiprocessing.get_context("fork")  # so that imports cost time and memory once
    here, there = context.Pipe()
    process = context.Process(target=work, args=(task, folder, there))
    before = most = own_mib(os.getpid())
    process.start()
    while process.is_alive():
        most = max(most, own_mib(process.pid or 0))
        process.join(_POLL_S)
    if process.exitcode:
        raise SystemExit(f"{task} failed: the lines above say why.")
    return here.recv(), most - before


def own_mib(pid: int) -> float:
    """Return the resident memory of a process without mapped files; 0 once it has ended. Linux only."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon")), 0.0)


def work(task: str, folder: Path, answer: Connection) -> None:
    """Do one task and tell its seconds of processor time."""
    started_s = time.process_time()
    kept = TASKS[task](Tables(folder))  # what a node returns is alive until it is written
    answer.send(time.process_time() - started_s)
    del kept


def prepare(task: str, folder: Path, n_frames: int) -> None:
    """Make up what a task needs and no task before it makes, in a process of its own."""
    name = NEEDS.get(task)
    if name and not (folder / name).exists():
        process = multiprocessing.get_context("fork").Process(target=PREPARED[name], args=(Tables(folder), n_frames))
        process.start()
        process.join()


def rows_of(tasks: list[str], counts: list[int], home: Path) -> Iterator[str]:
    """Yield a row of the table for each task, all sizes of one task before the next."""
    for task in tasks:
        tried = [count for count in counts if count <= MOST.get(task, count)]
        told = []
        for count in tried:
            folder = home / str(count)
            folder.mkdir(exist_ok=True, parents=True)
            prepare(task, folder, count)
            told.append(measured(task, folder))
        cells = [f"{s:.3g} s, {mib:,.0f} MiB" for s, mib in told] + ["–"] * (len(counts) - len(tried))
        exponents = [growth(tried[-2:], list(values[-2:])) for values in zip(*told, strict=True)]
        grown = [f"{each:.2f}" for each in exponents] if len(tried) > 1 else ["", ""]
        yield f"| {task} | {' | '.join(cells)} | {' | '.join(grown)} |"


def pixel_rows(count: int) -> Iterator[str]:
    """Yield what a tile of 128 px costs those who look at every one."""
    tiles = random_tiles(count)
    for name, look in LOOKS.items():
        started_s = time.process_time()
        look(tiles)
        yield f"| {name} | {1e6 * (time.process_time() - started_s) / count:,.0f} |"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="what nodes that hold whole tables cost")
    parser.add_argument("--frames", type=int, nargs="+", default=[5_000, 50_000, 200_000], help="numbers of frames")
    parser.add_argument("--only", nargs="+", help="tasks; their inputs must be in --home then")
    parser.add_argument("--home", type=Path, help="where tables are kept for another time")
    parser.add_argument("--pixels", action="store_true", help="what a tile costs, in place of tables")
    options = parser.parse_args()
    print(f"{machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    if options.pixels:
        print("| what | µs for a tile of 128 px |\n|---|---|")
        for row in pixel_rows(2048):
            print(row, flush=True)
        return
    with tempfile.TemporaryDirectory() as own:
        sizes = [f"{count:,}" for count in options.frames]
        print(f"| node | {' | '.join(sizes)} | growth of time | of memory |\n|{'---|' * (len(sizes) + 3)}", flush=True)
        for row in rows_of(options.only or list(TASKS), options.frames, options.home or Path(own)):
            print(row, flush=True)


if __name__ == "__main__":
    main()
