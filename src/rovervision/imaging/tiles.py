"""Tiles: square, fixed-size sRGB images cut from frames, one index row each; and the shards they come from."""

from dataclasses import dataclass
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
is_debayered marks colour from a Bayer mosaic, in the sensor's own white balance."""


@dataclass(frozen=True)
class TileStore:
    """N tiles. The arrays may be memory maps; index row i describes pixels[i] and regions[i]."""

    pixels: np.ndarray
    """(N, tile_px, tile_px, 3) uint8 sRGB; a gray frame has R = G = B."""
    regions: np.ndarray
    """(N, tile_px, tile_px) uint8 region numbers, 0 = unknown."""
    index: pd.DataFrame
    """N rows of `TILE_INDEX_COLUMNS`, numbered 0 to N - 1."""

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
