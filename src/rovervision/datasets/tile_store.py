"""Tiles and examined shards at rest: plain NumPy and Parquet files in a folder, mapped into memory when loaded."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.io import AbstractDataset
from tqdm import tqdm

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import ExaminedShard, TileStore

TILE_FILES = ("pixels.npy", "regions.npy", "index.parquet")
SHARD_FILES = ("pixels.npy", "regions.npy", "candidates.parquet", "frames.parquet")


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder that takes the place of `target` when the block ends well, and else goes away."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield fresh
        fresh.chmod(0o777 & ~_umask())
        if target.exists():
            old = fresh.with_name(fresh.name + "-old")
            target.rename(old)
            fresh.rename(target)
            shutil.rmtree(old)
        else:
            fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _usable_cores() -> int:
    """Return the cores that this process may use; macOS and Windows only tell how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _is_whole(folder: Path, names: tuple[str, ...]) -> bool:
    return all((folder / name).is_file() for name in names)


class TileStoreDataset(AbstractDataset[TileStore, TileStore]):
    """A `TileStore` as a folder of pixels.npy, regions.npy and index.parquet; the arrays are mapped, not read."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> TileStore:
        """Return the tiles with read-only memory-mapped arrays."""
        if not self._exists():
            raise RovervisionError(f"there are no tiles in {self._folder}: run the curation pipeline first")
        return TileStore(
            pixels=np.load(self._folder / "pixels.npy", mmap_mode="r"),
            regions=np.load(self._folder / "regions.npy", mmap_mode="r"),
            index=pd.read_parquet(self._folder / "index.parquet"),
        )

    def save(self, data: TileStore) -> None:
        """Write the tiles beside the old ones, then put them in their place."""
        with replaced_folder(self._folder) as folder:
            np.save(folder / "pixels.npy", data.pixels)
            np.save(folder / "regions.npy", data.regions)
            data.index.to_parquet(folder / "index.parquet", index=False)

    def fingerprint(self) -> str:
        """Return a hash of every pixel and index row, by which MLflow tells which tiles a run learnt from."""
        digest = hashlib.sha256()
        for name in TILE_FILES:
            with (self._folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:16]

    def _exists(self) -> bool:
        return _is_whole(self._folder, TILE_FILES)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}


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
        return {path.name: _read_shard(path) for path in sorted(self._folder.iterdir()) if _is_whole(path, SHARD_FILES)}

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
