"""Tiles and examined shards at rest: plain NumPy and Parquet files in a folder, mapped into memory when loaded."""

import glob
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
from filelock import FileLock, Timeout
from kedro.io import AbstractDataset
from tqdm import tqdm

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import ExaminedShard, TileStore

TILE_FILES = ("pixels.npy", "regions.npy", "index.parquet")
SHARD_FILES = ("pixels.npy", "regions.npy", "candidates.parquet", "frames.parquet")
_LOCK = ".writing"


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder that takes the place of `target` when the block ends well, and else goes away.

    What a process that was killed left behind is put right first: its old folder returns, its unfinished one goes.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    restore(target)
    _clean(target)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        with FileLock(fresh / _LOCK):  # the system lets go of it when the process dies, however it dies
            yield fresh
        (fresh / _LOCK).unlink(missing_ok=True)
        fresh.chmod(0o777 & ~_umask())
        _swap(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def restore(target: Path) -> None:
    """Give `target` back the folder that a stop between the two renames of a save left under another name."""
    if not target.exists():
        old = sorted(target.parent.glob(_siblings(target) + "-old"), key=lambda path: path.stat().st_mtime_ns)
        if old:
            old[-1].rename(target)


def _swap(fresh: Path, target: Path) -> None:
    old = fresh.with_name(fresh.name + "-old")
    try:
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)  # what cannot be removed now goes with the next save


def _clean(target: Path) -> None:
    """Remove what killed saves left: replaced folders, and unfinished ones that no process holds."""
    if target.exists():
        for old in target.parent.glob(_siblings(target) + "-old"):
            shutil.rmtree(old, ignore_errors=True)
    for unfinished in target.parent.glob(_siblings(target)):
        try:
            with FileLock(unfinished / _LOCK, timeout=0):
                shutil.rmtree(unfinished, ignore_errors=True)
        except Timeout:
            continue  # another process is writing it


def _siblings(target: Path) -> str:
    """Pattern of the folders that `replaced_folder` makes beside a target; mkdtemp adds eight characters."""
    return f".{glob.escape(target.name)}-????????"


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
        restore(self._folder)
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
