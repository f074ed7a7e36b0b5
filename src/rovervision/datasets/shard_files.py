"""One examined shard as a folder of plain files, which is there whole or not at all."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import ExaminedShard

SHARD_FILES: Final = ("pixels.npy", "regions.npy", "candidates.parquet", "frames.parquet")
RECEIPT_NAME: Final = "receipt.json"
INCOMING_NAME: Final = ".incoming"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the maker of a shard tells of it; it stands beside the shard's files, written last."""

    n_frames: int
    n_tiles: int
    origin: str | None
    n_bytes: dict[str, int]
    """File name -> length."""


@dataclass(frozen=True, slots=True)
class ShardTask:
    """The work on one shard, wherever it is done: examine, write, and only then give the folder its name."""

    folder: Path
    """The shard's own folder, absolute: the same path on every machine that works."""
    name: str
    promise: Callable[[], ExaminedShard]
    origin: str | None

    def __call__(self) -> Receipt:
        """Make the shard, unless it stands already because a worker was lost after it had finished."""
        if receipt := standing(self.folder, self.origin):
            return receipt
        incoming = self.folder.parent / INCOMING_NAME
        if not incoming.is_dir():
            raise RovervisionError(
                f"A worker does not find {incoming}. Every worker must see the data under the same path: put "
                "data_root on a disk that all of them share."
            )
        part = incoming / uuid4().hex
        try:
            receipt = write_shard(part, self.promise(), self.origin)
            self._place(part)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return receipt

    def __str__(self) -> str:
        ids = tuple(getattr(self.promise, "frame_ids", ()))
        shown = ", ".join(ids[:4]) + (f", ... {ids[-1]}" if len(ids) > 4 else "")
        return f"The shard {self.name}" + (f" ({len(ids)} frames: {shown})" if ids else "")

    def _place(self, part: Path) -> None:
        try:
            part.rename(self.folder)
        except OSError:
            # A worker that was given up for lost may have been at work still, and have finished first.
            if standing(self.folder, self.origin) is None:
                raise


def write_shard(folder: Path, shard: ExaminedShard, origin: str | None) -> Receipt:
    """Write a shard's files into a new folder, the receipt last."""
    folder.mkdir()
    np.save(folder / "pixels.npy", shard.pixels)
    np.save(folder / "regions.npy", shard.regions)
    shard.candidates.to_parquet(folder / "candidates.parquet", index=False)
    shard.frames.to_parquet(folder / "frames.parquet", index=False)
    n_bytes = {name: (folder / name).stat().st_size for name in SHARD_FILES}
    receipt = Receipt(len(shard.frames), len(shard.candidates), origin, n_bytes)
    (folder / RECEIPT_NAME).write_text(json.dumps(asdict(receipt)) + "\n", encoding="utf-8")
    return receipt


def read_shard(folder: Path) -> ExaminedShard:
    """Read a shard; its arrays are mapped, and read when they are looked at."""
    return ExaminedShard(
        frames=pd.read_parquet(folder / "frames.parquet"),
        candidates=pd.read_parquet(folder / "candidates.parquet"),
        pixels=np.load(folder / "pixels.npy", mmap_mode="r"),
        regions=np.load(folder / "regions.npy", mmap_mode="r"),
    )


def standing(folder: Path, origin: str | None) -> Receipt | None:
    """Return the receipt of a shard of this origin whose files are there in the length in which they were written."""
    receipt = read_receipt(folder)
    return receipt if receipt is not None and receipt.origin == origin and is_whole(folder, receipt) else None


def is_whole(folder: Path, receipt: Receipt) -> bool:
    """Tell whether every file that the receipt lists is there in its length."""
    try:
        return all((folder / name).stat().st_size == n_bytes for name, n_bytes in receipt.n_bytes.items())
    except OSError:
        return False


def read_receipt(folder: Path) -> Receipt | None:
    """Return what stands in a shard's receipt; None where there is none that can be read."""
    try:
        return Receipt(**json.loads((folder / RECEIPT_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
