"""Images per second with all checks, beside bare decoding and the original's filter: rows for docs/benchmarks.md.

    python -m benchmarks.curation_speed
    python -m benchmarks.curation_speed --real ../shared/mars/msl-images.zip --frames 1200

Each method gets the same files, in memory, in the same order, in two processes, in turn with the others; the best
round counts. CPU time is that of the workers; on a busy machine it says more than the clock. Bare decoding is
`imaging.decoding.decode_image`, the decoder that the checks use. The original's filter is written anew after its
description: crop to rows and columns whose mean brightest channel exceeds 80, colour by the mean channel difference,
shorter side, entropy, median local variance. Memory is the largest resident set of a process that examines shard by
shard in two threads and keeps nothing, as the pipeline does; its files repeat under other ids.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd

from rovervision.imaging.decoding import decode_image, to_uint8
from rovervision.pipelines.curation.examination import examine_pixels, examine_shard, upright_picture
from rovervision.sources.frame import Query
from rovervision.sources.synthetic import SyntheticConfig, SyntheticSource
from tests.pipelines.curation.conftest import read_config, stored

CONFIG: Final = read_config("msl")
CHUNK: Final = 50


def decode_only(data: bytes) -> None:
    """Decode, as the checks do."""
    decode_image(data)


def all_checks(data: bytes) -> None:
    """Decode, and take every measure with thumbnail and perceptual hash."""
    examine_pixels(upright_picture(to_uint8(decode_image(data)), CONFIG))


def original_filter(data: bytes) -> bool:
    """Judge an image as the Curiosity and Perseverance original describes it, with its thresholds for small sets."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return False
    brightest = image.max(axis=2)
    rows, columns = brightest.mean(axis=1) > 80, brightest.mean(axis=0) > 80
    if min(rows.sum(), columns.sum()) < 16:
        return False
    cut = image[np.ix_(rows, columns)]
    wide = cut.astype(np.float32)
    difference = np.mean([np.abs(wide[..., i] - wide[..., (i + 1) % 3]).mean() for i in range(3)])
    gray = cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY)
    share = np.bincount(gray.ravel(), minlength=256) / gray.size
    entropy = -np.sum(share[share > 0] * np.log2(share[share > 0]))
    values = gray.astype(np.float32)
    mean = cv2.GaussianBlur(values, (9, 9), 0)
    variance = np.median(cv2.GaussianBlur(values * values, (9, 9), 0) - mean * mean)
    return bool(difference > 3 and min(gray.shape) >= 128 and entropy >= 4.75 and variance >= 15)


def whole_shard(files: Sequence[bytes]) -> None:
    """Do all that the pipeline does with a shard: checks, tiles and tables."""
    stored_files = {str(number): stored(str(number), data) for number, data in enumerate(files)}
    examine_shard(pd.DataFrame({"frame_id": list(stored_files)}), stored_files, {}, CONFIG)


def one_by_one(work: Callable[[bytes], Any], files: Sequence[bytes]) -> None:
    """Do the work with each file."""
    for data in files:
        work(data)


METHODS: Final[dict[str, Callable[[Sequence[bytes]], None]]] = {
    "bare decoding": partial(one_by_one, decode_only),
    "original's filter": partial(one_by_one, original_filter),
    "all checks": partial(one_by_one, all_checks),
    "all checks, tiles and tables": whole_shard,
}

_FILES: list[bytes] = []


def receive(files: list[bytes]) -> None:
    """Keep the files in a worker."""
    cv2.setNumThreads(1)
    _FILES[:] = files


def timed_chunk(name: str, top: int) -> float:
    """Do a method's work on a chunk of the worker's files; return CPU seconds."""
    started_s = time.process_time()
    METHODS[name](_FILES[top : top + CHUNK])
    return time.process_time() - started_s


def measure(files: list[bytes], processes: int, rounds: int) -> pd.DataFrame:
    """Return images per second and CPU milliseconds per image of each method, the best of the rounds."""
    best = dict.fromkeys(METHODS, (0.0, float(np.inf)))
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=receive, initargs=(files,)
    ) as pool:
        list(pool.map(partial(timed_chunk, "bare decoding"), range(0, len(files), CHUNK)))
        for _ in range(rounds):
            for name in METHODS:
                started_s = time.monotonic()
                cpu_s = sum(pool.map(partial(timed_chunk, name), range(0, len(files), CHUNK)))
                rate = len(files) / (time.monotonic() - started_s)
                best[name] = (max(best[name][0], rate), min(best[name][1], 1000 * cpu_s / len(files)))
    table = pd.DataFrame([{"method": name, "images_per_s": rate, "cpu_ms": cpu} for name, (rate, cpu) in best.items()])
    return table.assign(times_decoding=table["cpu_ms"] / table["cpu_ms"].iloc[0])


def peak_mib(n_frames: int, files: list[bytes]) -> float:
    """Examine so many frames shard by shard in two threads, keep nothing; return the largest resident set in MiB."""
    keys = [f"{number:06d}" for number in range(n_frames)]
    images = {key: stored(key, files[number % len(files)]) for number, key in enumerate(keys)}
    frames = pd.DataFrame({"frame_id": keys})
    with ThreadPoolExecutor(2) as pool:
        tops = range(0, n_frames, CONFIG.frames_per_shard)
        step = CONFIG.frames_per_shard
        for top in range(0, len(tops), 4):
            parts = [frames.iloc[start : start + step] for start in tops[top : top + 4]]
            list(pool.map(lambda part: len(examine_shard(part, images, {}, CONFIG).pixels), parts))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def real_files(archive: Path, n_frames: int) -> list[bytes]:
    """Return evenly spread JPEG files of the labelled set, as stored."""
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if name.upper().endswith(".JPG"))
        return [opened.read(name) for name in names[:: max(1, len(names) // n_frames)]][:n_frames]


def synthetic_files(n_frames: int) -> list[bytes]:
    """Return the files of a synthetic archive of 256 px that can be decoded, other defects included."""
    source = SyntheticSource(SyntheticConfig(frames_count=n_frames, image_px=256, seed=1))
    frames = source.search(Query(name="all", source="synthetic"))
    return [source.fetch(frame) for frame in frames if frame.has_mask]


def main() -> None:
    """Measure both sets, then memory in processes of their own, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, default=Path("../shared/mars/msl-images.zip"))
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--memory-of", type=int, help="measure only the memory of so many frames")
    asked = parser.parse_args()
    if asked.memory_of:
        print(f"{peak_mib(asked.memory_of, synthetic_files(100)):.0f}")
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}"
    )
    sets = {"synthetic": synthetic_files(asked.frames)}
    if asked.real.is_file():
        sets["labelled Curiosity set"] = real_files(asked.real, asked.frames)
    for name, files in sets.items():
        size = sum(map(len, files)) / len(files) / 1000
        print(f"\n{name}: {len(files)} files of {size:.1f} kB, {asked.processes} processes\n")
        table = measure(files, asked.processes, asked.rounds).round(
            {"images_per_s": 0, "cpu_ms": 3, "times_decoding": 2}
        )
        for row in [list(table.columns), ["---"] * 4, *table.astype(str).to_numpy().tolist()]:
            print("| " + " | ".join(row) + " |")
    for n_frames in (2_000, 20_000):
        command = [sys.executable, "-m", "benchmarks.curation_speed", "--memory-of", str(n_frames)]
        print(
            f"\nmemory at {n_frames} frames:",
            subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip(),
            "MiB",
        )


if __name__ == "__main__":
    main()
