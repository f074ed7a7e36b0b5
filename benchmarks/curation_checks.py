"""Precision and recall of every check on the known defects of a synthetic archive: rows for docs/benchmarks.md.

    python -m benchmarks.curation_checks
    python -m benchmarks.curation_checks --frames 20000

Four frames in five carry a defect, the kinds in turn. The rules are those of conf/base. What a check must find, and
which other defects may set it off, stands in tests/pipelines/curation/checks.py.
"""

import argparse
import os
import platform
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context

import cv2
import numpy as np
import pandas as pd

from rovervision.imaging.tiles import ExaminedShard
from rovervision.pipelines.curation.examination import examine_shard
from rovervision.pipelines.curation.nodes import judge_frames
from rovervision.sources.frame import Query
from rovervision.sources.synthetic import SyntheticConfig, SyntheticSource
from tests.pipelines.curation.checks import score_checks
from tests.pipelines.curation.conftest import defects_of, fetched, read_config, stored


def examined_part(part: slice, config: SyntheticConfig) -> tuple[ExaminedShard, dict[str, set[str]]]:
    """Render and examine these frames of the archive; return their table, without tiles, and their true defects."""
    cv2.setNumThreads(1)
    source = SyntheticSource(config)
    frames = list(source.search(Query(name="all", source="synthetic")))[part]
    files = {frame.frame_id: stored(frame.frame_id, source.fetch(frame)) for frame in frames}
    shard = examine_shard(fetched(frames, files), files, {}, read_config())
    bare = replace(shard, candidates=shard.candidates[:0], pixels=shard.pixels[:0], regions=shard.regions[:0])
    return bare, {frame.frame_id: defects_of(frame) for frame in frames}


def main() -> None:
    """Examine an archive in two processes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--image-px", type=int, default=256)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    config = SyntheticConfig(
        frames_count=asked.frames, sols_count=48, image_px=asked.image_px, seed=asked.seed, defect_frac=0.8
    )
    started_s = time.monotonic()
    parts = [slice(top, top + 200) for top in range(0, asked.frames, 200)]
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(partial(examined_part, config=config), parts))
    judged = judge_frames({f"shard_{number:05d}": shard for number, (shard, _) in enumerate(found)}, read_config())
    defects = {key: listed for _, part in found for key, listed in part.items()}
    sound = {key for key, listed in defects.items() if not listed}
    kept = judged.set_index("frame_id")["kept"]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}"
    )
    print(f"{len(judged)} frames of {asked.image_px} px in {time.monotonic() - started_s:.0f} s, rendering included")
    print(f"of {len(sound)} frames without a defect, {int(kept[sorted(sound)].sum())} are kept\n")
    _print_table(score_checks(judged, defects))


def _print_table(scores: pd.DataFrame) -> None:
    """Print as Markdown."""
    shown = scores.assign(precision=np.round(scores["precision"], 4), recall=np.round(scores["recall"], 4)).astype(str)
    for row in [list(shown.columns), ["---"] * len(shown.columns), *shown.to_numpy().tolist()]:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
