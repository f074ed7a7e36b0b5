"""Examined shards at rest: one folder each of plain NumPy and Parquet files, mapped into memory when loaded."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.io import AbstractDataset
from tqdm import tqdm

from rovervision.datasets.replaced_folder import is_whole, replaced_folder, restore
from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import ExaminedShard

SHARD_FILES = ("pixels.npy", "regions.npy", "candidates.parquet", "frames.parquet")


class ExaminedShardsDataset(AbstractDataset[dict[str, Callable[[], ExaminedShard]], dict[str, ExaminedShard]]):
    """Examined shards as one folder each; what is saved are promises, kept in threads with a progress bar."""

    def __init__(self, *, filepath: str, n_threads: int | None = None, metadata: dict[str, Any] | None = None) -> None:
        """Keep the shards in the folder `filepath`; n_threads is the number of usable cores where it is None."""
        self._folder = Path(filepath)
        self._n_threads = n_threads or _usable_cores()
        self.metadata = metadata

    def load(self) -> dict[str, ExaminedShard]:
        """Return the shards by name, in name order, with memory-mapped arrays."""
        if not self._exists():
            raise RovervisionError(f"there are no examined frames in {self._folder}: run the curation pipeline first")
        return {path.name: _read_shard(path) for path in sorted(self._folder.iterdir()) if is_whole(path, SHARD_FILES)}

    def save(self, data: dict[str, Callable[[], ExaminedShard]]) -> None:
        """Perform every promise and write its shard; the old folder stays until all are written.

        Each thread holds one shard at a time. Decoding and filtering release the interpreter's lock.
        """
        with replaced_folder(self._folder) as folder, ThreadPoolExecutor(self._n_threads) as pool:
            written = [pool.submit(_perform, promise, folder / name) for name, promise in data.items()]
            try:
                for shard in tqdm(as_completed(written), total=len(data), desc="examining", unit="shard", disable=None):
                    shard.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _exists(self) -> bool:
        restore(self._folder)
        return self._folder.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder), "n_threads": self._n_threads}


def _perform(promise: Callable[[], ExaminedShard], folder: Path) -> None:
    _write_shard(folder, promise())


def _write_shard(folder: Path, shard: ExaminedShard) -> None:
    folder.mkdir()
    np.save(folder / "pixels.npy", shard.pixels)
    np.save(folder / "regions.npy", shard.regions)
    shard.candidates.to_parquet(folder / "candidates.parquet", index=False)
    shard.frames.to_parquet(folder / "frames.parquet", index=False)


def _read_shard(folder: Path) -> ExaminedShard:
    return ExaminedShard(
        frames=pd.read_parquet(folder / "frames.parquet"),
        candidates=pd.read_parquet(folder / "candidates.parquet"),
        pixels=np.load(folder / "pixels.npy", mmap_mode="r"),
        regions=np.load(folder / "regions.npy", mmap_mode="r"),
    )


def _usable_cores() -> int:
    """Return the cores that this process may use; macOS and Windows only tell how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
