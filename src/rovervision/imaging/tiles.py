"""Tiles: square, fixed-size sRGB images cut from frames, one index row each; their shards, and plans of many."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.framing import Box

TILE_INDEX_COLUMNS = (
    "tile_id",
    "frame_id",
    "rover",
    "camera",
    "sol",
    "taken_utc",
    "sclk_s",
    "label",
    "split",
    "group",
    "left_px",
    "top_px",
    "side_px",
    "is_color",
    "is_debayered",
    "weight",
)
"""left_px, top_px and side_px are the tile's box in the decoded source image; split is train, val or test;
is_debayered marks colour from a Bayer mosaic, in the sensor's own white balance. An index may have more columns."""


@dataclass(frozen=True)
class TileStore:
    """N tiles. The arrays may be memory maps; index row i describes pixels[i] and regions[i]."""

    pixels: np.ndarray
    """(N, tile_px, tile_px, 3) uint8 sRGB; a gray frame has R = G = B."""
    regions: np.ndarray
    """(N, tile_px, tile_px) uint8 region numbers, 0 = unknown."""
    index: pd.DataFrame
    """N rows of `TILE_INDEX_COLUMNS`, and more where a maker adds some, numbered 0 to N - 1."""

    def __post_init__(self) -> None:
        n_tiles = len(self.index)
        if self.pixels.ndim != 4 or self.pixels.shape[-1] != 3 or self.pixels.dtype != np.uint8:
            raise RovervisionError(f"tile pixels must be (N, H, W, 3) uint8: {self.pixels.shape} {self.pixels.dtype}")
        if self.regions.shape != self.pixels.shape[:3] or self.regions.dtype != np.uint8:
            raise RovervisionError(
                f"tile regions must be {self.pixels.shape[:3]} uint8, not {self.regions.shape} {self.regions.dtype}"
            )
        if n_tiles != len(self.pixels):
            raise RovervisionError(f"the tile index has {n_tiles} rows for {len(self.pixels)} tiles")
        _check_columns(self.index)

    def __len__(self) -> int:
        """Return the number of tiles."""
        return len(self.index)

    @property
    def tile_px(self) -> int:
        """Side of a tile in pixels."""
        return int(self.pixels.shape[1])

    def select(self, rows: Any) -> "TileStore":
        """Return the tiles at these rows: a boolean mask of length N, or row numbers (in that order, copied)."""
        chosen = np.asarray(rows)
        if chosen.dtype == bool:
            if chosen.shape != (len(self),):
                raise RovervisionError(f"a mask of shape {chosen.shape} cannot choose among {len(self)} tiles")
            chosen = np.flatnonzero(chosen)
        chosen = chosen.astype(np.intp)
        index = self.index.iloc[chosen].reset_index(drop=True)
        return TileStore(self.pixels[chosen], self.regions[chosen], index)


@dataclass(frozen=True)
class ExaminedShard:
    """What one decode of each frame of a shard gave: a row of measures per frame, and its candidate tiles."""

    frames: pd.DataFrame
    """One row per frame: frame_id, not_examined and examination_failure, and the measures of `quality.measure`."""
    candidates: pd.DataFrame
    """One row per candidate tile: frame_id, left_px, top_px, side_px, is_color."""
    pixels: np.ndarray
    """(M, tile_px, tile_px, 3) uint8 sRGB, one per candidate."""
    regions: np.ndarray
    """(M, tile_px, tile_px) uint8 region numbers."""


Arrays = tuple[np.ndarray, np.ndarray]
"""Pixels (n, tile_px, tile_px, 3) and regions (n, tile_px, tile_px) of n tiles, both uint8."""


@dataclass(frozen=True)
class Piece:
    """Consecutive tiles of a plan, made when they are asked for."""

    n_tiles: int
    make: Callable[[], Arrays]
    origin: str | None = None
    """A hash of all that the tiles follow from: a save that was stopped does not write again what it has. None where
    nobody knows."""


@dataclass(frozen=True)
class TilePlan:
    """Tiles that are promised piece by piece, so that no more than one piece need be in memory."""

    index: pd.DataFrame
    """One row for each tile, as in `TileStore`."""
    tile_px: int
    pieces: tuple[Piece, ...]
    """In the order of the index."""

    def __post_init__(self) -> None:
        promised = sum(piece.n_tiles for piece in self.pieces)
        if promised != len(self.index):
            raise RovervisionError(f"the tile index has {len(self.index)} rows for {promised} promised tiles")
        _check_columns(self.index)

    def __len__(self) -> int:
        """Return the number of tiles."""
        return len(self.index)

    def placed(self) -> Iterator[tuple[int, Piece]]:
        """Yield every piece with the row of its first tile."""
        top = 0
        for piece in self.pieces:
            yield top, piece
            top += piece.n_tiles

    def made(self, piece: Piece) -> Arrays:
        """Return the tiles of one piece. Raises RovervisionError where they are not what was promised."""
        pixels, regions = piece.make()
        shape = (piece.n_tiles, self.tile_px, self.tile_px)
        if (pixels.shape, regions.shape) != ((*shape, 3), shape) or {pixels.dtype, regions.dtype} != {np.dtype("u1")}:
            raise RovervisionError(
                f"tiles of {shape} and three channels of uint8 were promised, and {pixels.shape} {pixels.dtype} with "
                f"regions {regions.shape} {regions.dtype} came: examine the frames again"
            )
        return pixels, regions

    def gathered(self) -> TileStore:
        """Return all tiles in memory: for tests, notebooks and small sets."""
        pixels = np.empty((len(self), self.tile_px, self.tile_px, 3), np.uint8)
        regions = np.empty(pixels.shape[:3], np.uint8)
        for top, piece in self.placed():
            rows = slice(top, top + piece.n_tiles)
            pixels[rows], regions[rows] = self.made(piece)
        return TileStore(pixels, regions, self.index)


@dataclass(frozen=True)
class TileExport:
    """Tiles for others: what is to be published, and the text that goes with it."""

    tiles: TileStore
    card: str
    """The dataset card: Markdown after a YAML front matter."""


def assemble(shards: Mapping[str, ExaminedShard], rows: Sequence[np.ndarray], index: pd.DataFrame) -> TilePlan:
    """Return the plan of chosen candidates, one piece for each shard that gives any.

    Args:
        shards: examined shards by name. They are looked up once now and once when their piece is made, so a mapping
            that reads them when asked keeps memory flat.
        rows: for each shard, in the mapping's order, the row numbers of its candidates that become tiles.
        index: the rows of all tiles, in the order of shards and rows.
    """
    pieces, tile_px = [], 0
    for name, given in zip(shards, rows, strict=True):
        shard, chosen = shards[name], np.asarray(given, np.intp)
        tile_px = tile_px or int(shard.pixels.shape[1])
        if len(chosen):
            pieces.append(Piece(len(chosen), partial(_picked, shards, name, chosen), _origin(shard, chosen)))
    return TilePlan(index.reset_index(drop=True), tile_px, tuple(pieces))


def plan_of(store: TileStore, tiles_per_piece: int = 1024) -> TilePlan:
    """Return the plan that makes these tiles again."""
    tops = range(0, len(store), tiles_per_piece)
    slices = [slice(top, min(top + tiles_per_piece, len(store))) for top in tops]
    pieces = tuple(Piece(rows.stop - rows.start, partial(_sliced, store, rows)) for rows in slices)
    return TilePlan(store.index, store.tile_px, pieces)


def _picked(shards: Mapping[str, ExaminedShard], name: str, rows: np.ndarray) -> Arrays:
    shard = shards[name]
    return shard.pixels[rows], shard.regions[rows]


def _sliced(store: TileStore, rows: slice) -> Arrays:
    return store.pixels[rows], store.regions[rows]


def _origin(shard: ExaminedShard, rows: np.ndarray) -> str:
    """Return a hash of the files and boxes that tiles come from, and of the first tile in case the cutting changed."""
    files = shard.frames[[name for name in ("frame_id", "sha256") if name in shard.frames]].astype(str)
    digest = hashlib.sha256(str(shard.pixels.shape[1:]).encode() + rows.astype("<i8").tobytes())
    for table in (files, shard.candidates):
        digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    digest.update(np.ascontiguousarray(shard.pixels[rows[0]]).data)
    digest.update(np.ascontiguousarray(shard.regions[rows[0]]).data)
    return digest.hexdigest()


def _check_columns(index: pd.DataFrame) -> None:
    missing = [name for name in TILE_INDEX_COLUMNS if name not in index.columns]
    if missing:
        raise RovervisionError(f"the tile index lacks {', '.join(missing)}: run the curation pipeline again")


def cut_tile(image: np.ndarray, box: Box, tile_px: int) -> np.ndarray:
    """Return the box of an (H, W) or (H, W, 3) uint8 image as (tile_px, tile_px, 3) uint8.

    Area averaging when the box is larger than the tile (each source pixel counts once), cubic when it is smaller.
    """
    left, top, side = box
    square = image[top : top + side, left : left + side]
    if side != tile_px:
        how = cv2.INTER_AREA if side > tile_px else cv2.INTER_CUBIC
        square = cv2.resize(square, (tile_px, tile_px), interpolation=how)
    if square.ndim == 2:
        square = np.repeat(square[..., None], 3, axis=2)
    return np.ascontiguousarray(square)


def cut_region_tile(mask: np.ndarray, box: Box, tile_px: int) -> np.ndarray:
    """Return the box of an (H, W) uint8 region mask as (tile_px, tile_px) uint8; numbers are picked, never blended.

    Sampling stands at the centre of each tile pixel, the same geometry as `cut_tile`.
    """
    left, top, side = box
    square = mask[top : top + side, left : left + side]
    return np.ascontiguousarray(
        cv2.resize(square, (tile_px, tile_px), interpolation=cv2.INTER_NEAREST_EXACT) if side != tile_px else square
    )
