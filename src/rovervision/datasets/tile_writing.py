"""Tiles to files, piece by piece: flat memory, whatever their number, and a journal to go on by."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from tqdm import tqdm

from rovervision.datasets.file_ledger import write_whole
from rovervision.datasets.resumed_folder import JOURNAL_NAME
from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import Piece, TilePlan

SYNCED_BYTES: Final = 64 * 2**20
"""So much is written before it is forced to disk and noted: what a kill or a power cut costs at most."""

_CHANNELS: Final = 4
"""Bytes of a tile's pixel: three of colour, one of region."""


def write_tiles(plan: TilePlan, folder: Path) -> None:
    """Write pixels.npy, regions.npy and index.parquet, byte for byte as `numpy.save` would.

    Pieces that the folder's journal knows by place and origin are not made again. The arrays are written as files, not
    as memory maps: a full disk is then an error and not the end of the process, and nothing written stays in memory.
    Raises RovervisionError where the disk has too little room, before anything is written.
    """
    journal = _Journal(folder, plan)
    todo = [(top, piece) for top, piece in plan.placed() if not journal.knows(top, piece)]
    tile_bytes = _CHANNELS * plan.tile_px**2
    _check_room(folder, sum(piece.n_tiles for _, piece in todo) * tile_bytes)
    shape = (len(plan), plan.tile_px, plan.tile_px)
    with (
        _array(folder / "pixels.npy", (*shape, 3)) as pixels,
        _array(folder / "regions.npy", shape) as regions,
        tqdm(total=len(plan), initial=journal.n_tiles, desc="writing", unit="tile", disable=None) as bar,
    ):
        for pieces in _batches(todo, max(1, SYNCED_BYTES // max(1, tile_bytes))):
            for top, piece in pieces:
                for array, data in zip((pixels, regions), plan.made(piece), strict=True):
                    array.put(top, data)
                bar.update(piece.n_tiles)
            pixels.sync()
            regions.sync()
            journal.note(pieces)
    plan.index.to_parquet(folder / "index.parquet", index=False)


def _batches(placed: list[tuple[int, Piece]], tiles_min: int) -> Iterator[list[tuple[int, Piece]]]:
    """Yield the pieces in runs of at least so many tiles; the last may have fewer."""
    batch: list[tuple[int, Piece]] = []
    for each in placed:
        batch.append(each)
        if sum(piece.n_tiles for _, piece in batch) >= tiles_min:
            yield batch
            batch = []
    if batch:
        yield batch


def _check_room(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise RovervisionError(
            f"The tiles need {needed_bytes / 1e9:.1f} GB more in {folder.parent}, and {free_bytes / 1e9:.1f} GB are "
            "free: make room, choose fewer frames, or lower curation.tile_px."
        )


class _ArrayFile:
    """The file of one (N, ...) uint8 array."""

    def __init__(self, file: BinaryIO, item_bytes: int, start_bytes: int) -> None:
        self._file, self._item_bytes, self._start_bytes = file, item_bytes, start_bytes

    def put(self, top: int, items: np.ndarray) -> None:
        """Write consecutive items from item `top` on."""
        self._file.seek(self._start_bytes + top * self._item_bytes)
        self._file.write(np.ascontiguousarray(items).data)

    def sync(self) -> None:
        """Wait until all that was written is on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def _array(path: Path, shape: tuple[int, ...]) -> Iterator[_ArrayFile]:
    """Open the .npy file of a uint8 array of this shape; made in full length, but sparse, where there is none."""
    item_bytes = int(np.prod(shape[1:]))
    with path.open("r+b" if path.exists() else "w+b") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        start_bytes = file.tell()
        file.truncate(start_bytes + shape[0] * item_bytes)
        yield _ArrayFile(file, item_bytes, start_bytes)


class _Journal:
    """The pieces that are safely on disk: a line for the shape of the whole, then one for each piece.

    Lines that the plan at hand does not have are dropped before anything is written: their rows may be written over.
    """

    def __init__(self, folder: Path, plan: TilePlan) -> None:
        self._path = folder / JOURNAL_NAME
        self._head = _line(n_tiles=len(plan), tile_px=plan.tile_px)
        arrays = folder / "pixels.npy", folder / "regions.npy"
        noted = _noted(self._path)
        usable = set(noted[1:]) if noted[:1] == [self._head] and all(path.is_file() for path in arrays) else set()
        known = [(top, piece) for top, piece in plan.placed() if _piece_line(top, piece) in usable]
        self._known = {_piece_line(top, piece) for top, piece in known}
        self.n_tiles = sum(piece.n_tiles for _, piece in known)
        if known:
            write_whole(self._path, _text([self._head, *self._known]))
        else:
            for path in (self._path, *arrays):
                path.unlink(missing_ok=True)

    def knows(self, top: int, piece: Piece) -> bool:
        """Tell whether the tiles of this piece stand at this row."""
        return _piece_line(top, piece) in self._known

    def note(self, pieces: list[tuple[int, Piece]]) -> None:
        """Add the pieces whose origin is known; only what is on the disk may be noted."""
        lines = [_piece_line(top, piece) for top, piece in pieces if piece.origin is not None]
        if lines:
            with self._path.open("ab") as file:
                file.write(_text(lines if file.tell() else [self._head, *lines]))


def _piece_line(top: int, piece: Piece) -> str:
    return _line(top=top, n_tiles=piece.n_tiles, origin=piece.origin)


def _line(**facts: object) -> str:
    return json.dumps(facts)


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _noted(path: Path) -> list[str]:
    """Return the lines of a journal; a last one that was cut off equals no piece's."""
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
