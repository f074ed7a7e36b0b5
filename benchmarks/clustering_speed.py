"""Time and memory of clustering, maps and search as codes grow, and how fast images become codes: rows for
docs/benchmarks.md.

    python -m benchmarks.clustering_speed
    python -m benchmarks.clustering_speed --codes 5000 10000 20000 --images 128 --only kmeans nearest

Codes of 512 numbers lie around 300 places with noise of falling size by direction, so that k-means has something to do.
Each row is a process of its own, after a small warm-up. Time is that of the clock; memory is the most that the process
holds while it works, sampled a hundred times a second, less what it held before: without the codes. `growth` is the
exponent g of time = c N^g over the numbers of one task: 1 is linear. Encoders are untrained, which changes no speed;
images are tiles of 128 px. Outliers are found exactly, among all pairs (64 numbers), so their time grows with the
square. Run it on an otherwise idle machine.
"""

import argparse
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast, get_args

import numpy as np
import psutil

from rovervision.learning.clusters import ClustererKind, ClusterersConfig, fit_clusters
from rovervision.learning.reduction import ReductionConfig, reduce_codes
from rovervision.learning.similarity import nearest, outliers

DIM = 512
PLACES = 300
TILE_PX = 128
REFERENCE = "vgg_autoencoder"
ENCODERS: dict[str, tuple[str, str | None]] = {
    REFERENCE: (REFERENCE, None),
    "pixels": ("pixels", None),
    "handcrafted": ("handcrafted", None),
    "autoencoder": ("autoencoder", None),
    "unpooling_autoencoder": ("unpooling_autoencoder", None),
    "variational_autoencoder": ("variational_autoencoder", None),
    "contrastive": ("contrastive", None),
    "contrastive + handcrafted": ("contrastive", "handcrafted"),
}


def make_codes(count: int, seed: int = 0) -> np.ndarray:
    """Return (count, 512) float32 codes."""
    rng = np.random.default_rng(seed)
    scale = (1 / np.sqrt(1 + np.arange(DIM))).astype(np.float32)
    places = rng.standard_normal((PLACES, DIM), np.float32)
    noise = rng.standard_normal((count, DIM), np.float32)
    return (places[rng.integers(PLACES, size=count)] + noise) * scale


def clustering(kind: ClustererKind) -> Callable[[np.ndarray], Any]:
    """Return the clustering of codes by one kind, all else as by default."""
    return lambda codes: fit_clusters(codes, ClusterersConfig(kind=kind), seed=0)


def mapping(kind: str) -> Callable[[np.ndarray], Any]:
    """Return the map of codes by one kind, all else as by default."""
    return lambda codes: reduce_codes(codes, ReductionConfig(kind=cast(Any, kind)), seed=0)


TASKS: dict[str, Callable[[np.ndarray], Any]] = {
    **{kind: clustering(kind) for kind in get_args(ClustererKind)},
    **{f"map {kind}": mapping(kind) for kind in ("pca", "tsne", "lle")},
    "nearest": lambda codes: nearest(codes, codes[:1000], 12, engine="exact"),
    "nearest faiss": lambda codes: nearest(codes, codes[:1000], 12, engine="faiss"),
    "outliers": lambda codes: outliers(codes[:, :64], 40),
}


class Peak:
    """Samples the resident memory of this process until it is told to end."""

    def __init__(self) -> None:
        self._process, self._ended = psutil.Process(), threading.Event()
        self.before = self.most = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def mib(self) -> float:
        """The most above what was held before."""
        return (self.most - self.before) / 2**20

    def _watch(self) -> None:
        while not self._ended.wait(0.01):
            self.most = max(self.most, self._process.memory_info().rss)


def measure(task: str, count: int) -> tuple[float, float]:
    """Return seconds and MiB of one task with so many codes."""
    codes = make_codes(count)
    TASKS[task](codes[:300])
    with Peak() as peak:
        started_s = time.perf_counter()
        TASKS[task](codes)
        elapsed_s = time.perf_counter() - started_s
    return elapsed_s, peak.mib


def growth(counts: list[int], times_s: list[float]) -> float:
    """Return the exponent of the power law through the times."""
    return float(np.polyfit(np.log(counts), np.log(times_s), 1)[0])


def task_row(task: str, counts: list[int]) -> str:
    """Return the row of a task: seconds and MiB for each number of codes, and growth."""
    rows = []
    for count in counts:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(measure, (task, count)))
    cells = [f"{elapsed_s:.2f} | {mib:.0f}" for elapsed_s, mib in rows]
    exponent = f"{growth(counts, [row[0] for row in rows]):.2f}" if len(counts) > 1 else ""
    return f"| {task} | {' | '.join(cells)} | {exponent} |"


def open_untrained(name: str) -> Any:
    """Return an encoder as it is before training, its codes as the network gives them."""
    from rovervision.learning.code_metric import CodeMetric
    from rovervision.learning.encoders import EncoderConfig, OpenEncoder, build_network, has_network

    kind, fused = ENCODERS[name]
    config = EncoderConfig().baseline(cast(Any, kind))
    network = build_network(config).eval() if has_network(kind) else None
    alone = OpenEncoder(config, network, CodeMetric((), (1.0,), None))
    if fused is None:
        return alone
    both = config.model_copy(update={"fuse_with": fused})
    dims = alone.dim, open_untrained(fused).dim
    means = tuple(np.zeros(dim, np.float32) for dim in dims)
    return OpenEncoder(both, network, CodeMetric(means, both.shares, None))


def throughput(name: str, count: int, repeats: int) -> tuple[float, int]:
    """Return images per second of an encoder, the median of the repeats, and the numbers in a code."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, TILE_PX, TILE_PX, 3), np.uint8)
    encoder, times_s = open_untrained(name), []
    encoder.embed(pixels[:16])
    for _ in range(repeats):
        started_s = time.perf_counter()
        encoder.embed(pixels)
        times_s.append(time.perf_counter() - started_s)
    return count / float(np.median(times_s)), encoder.dim


def encoder_rows(count: int, repeats: int) -> Iterator[str]:
    """Yield the rows of all encoders, each beside the original-style VGG-16, which comes first."""
    reference = 0.0
    for name in ENCODERS:
        rate, dim = throughput(name, count, repeats)
        reference = rate if name == REFERENCE else reference
        yield f"| {name} | {dim} | {rate:.0f} | {rate / reference:.1f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="what it costs to embed and to cluster")
    parser.add_argument("--codes", type=int, nargs="*", default=[25_000, 50_000, 100_000], help="numbers of codes")
    parser.add_argument("--images", type=int, default=512, help="images that each encoder embeds; 0: none")
    parser.add_argument("--repeats", type=int, default=3, help="times that it does so")
    parser.add_argument("--only", nargs="*", choices=tuple(TASKS), default=tuple(TASKS), help="tasks")
    options = parser.parse_args()
    if options.codes:
        sizes = [f"{count:,}: s | MiB" for count in options.codes]
        print(f"| task | {' | '.join(sizes)} | growth |\n|{'---|' * (2 * len(sizes) + 2)}", flush=True)
        for task in options.only:
            print(task_row(task, options.codes), flush=True)
    if options.images:
        print("\n| encoder | numbers | images/s | times VGG-16 |\n|---|---|---|---|")
        for row in encoder_rows(options.images, options.repeats):
            print(row, flush=True)


if __name__ == "__main__":
    main()
