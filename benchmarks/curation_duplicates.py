"""Time and memory of finding what shows the same: rows for docs/benchmarks.md.

    python -m benchmarks.curation_duplicates
    python -m benchmarks.curation_duplicates --near 5000 --leaks 2000

Pictures are blurred noise, no two alike, but that one in ten repeats an earlier one with noise upon it; `still` is
the worst case, one scene that never changes. Time is of the processor, of all threads; memory is the largest that
the search itself holds, counted by tracemalloc, which counts NumPy's arrays, without the pictures that it is given.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pandas as pd

from rovervision.imaging.duplicates import DuplicatesConfig, near_links
from rovervision.imaging.leakage import find_leaks
from rovervision.imaging.looks import Looks
from rovervision.imaging.quality import perceptual_hash

TILES_PER_FRAME = 3


def views(count: int, seed: int) -> Looks:
    """Return the looks of `count` pictures of which every tenth is nearly an earlier one."""
    rng = np.random.default_rng(seed)
    small = np.empty((count, 32, 32), np.uint8)
    for row in range(count):
        if row % 10 == 9:
            twin = small[rng.integers(0, row)] + rng.normal(0, 2, (32, 32))
            small[row] = np.clip(twin, 0, 255)
        else:
            noise = cv2.GaussianBlur(rng.integers(0, 256, (32, 32), dtype=np.uint8), (0, 0), rng.uniform(1, 4))
            small[row] = cv2.normalize(noise, None, 10, 245, cv2.NORM_MINMAX)
    return Looks(np.array([perceptual_hash(each) for each in small], np.uint64), small)


def measured(search: Callable[[], Any]) -> tuple[Any, str]:
    """Return what the search finds, and its times and memory as cells of a row."""
    tracemalloc.start()
    wall, processor = time.perf_counter(), time.process_time()
    found = search()
    processor, wall = time.process_time() - processor, time.perf_counter() - wall
    peak_mib = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return found, f"{processor:.2f} | {wall:.2f} | {peak_mib:.0f}"


def near_row(name: str, looks: Looks) -> str:
    """Return the row of a search for near duplicates."""
    (pairs, _), cells = measured(lambda: near_links(*looks, DuplicatesConfig()))
    return f"| near pairs, {name} | {len(looks.hashes):,} frames | {len(pairs):,} | {cells} |"


def leak_row(n_frames: int) -> str:
    """Return the row of a search for leaks among frames and their tiles, split at random so that there are some."""
    rng = np.random.default_rng(2)
    frames = pd.DataFrame({"frame_id": np.arange(n_frames).astype(str)})
    frames["split"] = rng.choice(["train", "val", "test"], n_frames, p=[0.7, 0.1, 0.2])
    tiles = frames.loc[frames.index.repeat(TILES_PER_FRAME)].reset_index(drop=True)
    tiles["tile_id"] = tiles.index.astype(str)
    wholes, parts = views(n_frames, 0).thumbnails, views(len(tiles), 1).thumbnails
    limit = DuplicatesConfig().correlation_min
    leaks, cells = measured(lambda: find_leaks(frames, wholes, tiles, parts, limit))
    return f"| leaks | {n_frames:,} frames, {len(tiles):,} tiles | {len(leaks):,} | {cells} |"


def still(count: int) -> Looks:
    """Return the looks of a camera that never moves before a scene that never changes."""
    scene = views(1, 3).thumbnails.astype(np.float64)
    noise = np.random.default_rng(4).normal(0, 2, (count, 32, 32))
    return Looks(np.zeros(count, np.uint64), np.clip(scene + noise, 0, 255).astype(np.uint8))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="what it costs to find what shows the same")
    parser.add_argument("--near", type=int, nargs="*", default=[5_000, 20_000, 100_000], help="numbers of frames")
    parser.add_argument("--still", type=int, nargs="*", default=[5_000], help="numbers of frames of one scene")
    parser.add_argument("--leaks", type=int, nargs="*", default=[20_000], help="numbers of frames, 3 tiles each")
    sizes = parser.parse_args()
    print("| search | of | found | CPU s | wall s | peak MiB |\n|---|---|---|---|---|---|")
    for count in sizes.near:
        print(near_row("a tenth repeated", views(count, 0)), flush=True)
    for count in sizes.still:
        print(near_row("one still scene", still(count)), flush=True)
    for count in sizes.leaks:
        print(leak_row(count), flush=True)


if __name__ == "__main__":
    main()
