"""Time and memory of listing and of resuming, at archive size: rows for docs/benchmarks.md.

    python -m benchmarks.ingestion_listing
    python -m benchmarks.ingestion_listing --frames 20000 --files 5000

A listing goes through `CuriositySource` and `SourceListingDataset` like a query of the pipeline `ingestion`, cache of
old sols included. In place of the network stands a feed in the same process that makes pages of complete records as
they are asked for. Its own time is counted apart; its memory, a few pages, is not. A resume finds a folder in which
every file stands whole, and loads it. Every row is a process of its own; its memory is the largest resident set.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, cast

from rovervision.datasets.image_folder import ImageFolderDataset
from rovervision.datasets.source_listing import SourceListingDataset
from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.feeds.curiosity import CuriositySource
from rovervision.sources.fetch_plan import FetchPlan, FetchTerms, FrameFetch, origin_of, stored_name
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import Transport
from tests.archive_server.catalog import arrival
from tests.archive_server.curiosity_items import curiosity_items

TARGET_MIB: Final = 600.0
_PAGE: Final = 200
_POINTINGS: Final = 10


@lru_cache(maxsize=4)
def sol_items(sol: int) -> list[dict[str, Any]]:
    """Return all records of a sol, of every camera, thumbnails too."""
    return [item for pointing in range(_POINTINGS) for item in curiosity_items(sol, pointing)]


ITEMS_PER_SOL: Final = len(sol_items(0))


@dataclass
class Feed:
    """The network, as far as a listing of Curiosity needs it."""

    n_sols: int
    own_s: float = 0.0
    """Time spent on making answers."""

    def get_json(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        spacing_s: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Answer as raw_image_items does; decoding the JSON is the client's time."""
        started_s = time.monotonic()
        text = json.dumps(self._answer(url, params or {}))
        self.own_s += time.monotonic() - started_s
        return json.loads(text)

    def _answer(self, url: str, params: Mapping[str, str]) -> dict[str, Any]:
        last = self.n_sols - 1
        if url.rstrip("/").endswith("latest"):
            stamp = f"{arrival(sol_items(last)[-1]):%Y-%m-%dT%H:%M:%SZ}"
            told = {"latest": stamp, "latest_sol": last, "latest_sols": [last], "total": self.n_sols * ITEMS_PER_SOL}
            return {"success": True, "latest_data": told}
        asked = [params[key].split(":") for key in ("condition_2", "condition_3")]
        bounds = {operator: int(value) for value, name, operator in asked if name == "sol"}
        first, last = bounds["gte"], min(bounds["lte"], last)
        total, page = (last - first + 1) * ITEMS_PER_SOL, int(params["page"])
        places = range(page * _PAGE, min((page + 1) * _PAGE, total))
        items = [sol_items(last - place // ITEMS_PER_SOL)[place % ITEMS_PER_SOL] for place in places]
        # A server on the web, not the one of tests.
        shown = [item | {"https_url": item["https_url"].replace("@HOST@", "https://mars.nasa.gov")} for item in items]
        return {"items": shown, "more": places.stop < total, "total": total, "page": page, "per_page": _PAGE}


def list_frames(folder: Path, n_frames: int) -> dict[str, float]:
    """List so many frames, or read the kept listing where there is one; return the feed's own seconds."""
    feed = Feed(-(-n_frames // ITEMS_PER_SOL))
    listing = ListingConfig(cache_folder=str(folder / "listings"))
    network = cast(Transport, feed)  # a listing asks for JSON only
    source = CuriositySource(network, "https://mars.nasa.gov/api/v1/raw_image_items", listing, HttpConfig())
    query = Query(name="everything", source="curiosity", limit=n_frames)
    SourceListingDataset(filepath=str(folder / "frames.parquet")).save({query.name: partial(source.search, query)})
    return {"own_s": feed.own_s}


class _Bytes:
    """A source whose every image is a hundred bytes."""

    def search(self, query: Query) -> Iterator[Frame]:
        """Yield nothing: the frames are made up."""
        yield from ()

    def fetch(self, frame: Frame) -> bytes:
        """Return the bytes."""
        return frame.frame_id.encode() * 5


def store_files(folder: Path, n_files: int) -> dict[str, float]:
    """Store so many small files, or find them whole, and load the folder."""
    source, promises = _Bytes(), {}
    for number in range(n_files):
        frame = Frame(frame_id=f"nlb_{number:016d}", file_name=f"nlb_{number:016d}.jpg", source="benchmark")
        promises[stored_name(frame)] = FrameFetch(source, frame, origin_of(frame, ""))
    dataset = ImageFolderDataset(filepath=str(folder / "images"), keyed_by="stem")
    dataset.save(FetchPlan(promises, terms=FetchTerms(attempts=1, max_failed_frac=0.0)))
    files = dataset.load()
    if len(files) != n_files or any(file.failure for file in files.values()):
        raise SystemExit(f"{len(files)} of {n_files} files stand in the folder")
    return {"own_s": 0.0}


WORK: Final = {"list": list_frames, "store": store_files}


def measured(work: str, folder: Path, count: int) -> dict[str, float]:
    """Run one piece of work in a process of its own; return its seconds and its largest resident set."""
    command = [sys.executable, "-m", "benchmarks.ingestion_listing", "--work", work, "--folder", str(folder)]
    answer = subprocess.run([*command, "--count", str(count)], stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return figures


def work_here(work: str, folder: Path, count: int) -> None:
    """Do one piece of work and print its figures as JSON."""
    before_mib = _largest_mib()
    started_s = time.monotonic()
    figures = WORK[work](folder, count)
    figures |= {"s": time.monotonic() - started_s, "mib": _largest_mib(), "before_mib": before_mib}
    print(json.dumps(figures))


def _largest_mib() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def main() -> int:
    """Measure and print the table; 1 where a listing needs more memory than its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--files", type=int, default=100_000)
    for name in ("--work", "--folder", "--count"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work_here(options.work, Path(options.folder), int(options.count))
        return 0
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine}, pyarrow {version('pyarrow')}\n")
    columns = ["what", "s", "of these the stand-in for the network", "per s", "peak MiB", "MiB before"]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    rows = [("list", count, f"{name} {count:,} frames") for count in options.frames for name in ("list", "list again")]
    rows += [("store", options.files, f"{name} {options.files:,} files") for name in ("store", "resume and load")]
    peaks_mib = []
    with tempfile.TemporaryDirectory() as home:
        for work, count, name in rows:
            folder = Path(home, f"{work}_{count}")
            folder.mkdir(exist_ok=True)
            told = measured(work, folder, count)
            rate_per_s = count / max(told["s"] - told["own_s"], 1e-9)
            print(f"| {name} | {told['s']:.1f} | {told['own_s']:.1f} | {rate_per_s:,.0f} | ", end="")
            print(f"{told['mib']:.0f} | {told['before_mib']:.0f} |", flush=True)
            peaks_mib += [told["mib"]] if work == "list" else []
    return int(max(peaks_mib, default=0.0) > TARGET_MIB)


if __name__ == "__main__":
    sys.exit(main())
