"""Batches of tiles with noise for denoisers: the whole set on the device, each epoch from seed and number alone."""

import math
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional as F

from rovervision.learning.denoiser import CHANGES, Denoiser


class ChangesConfig(BaseModel):
    """How training tiles are changed, which the network is told so that samples do not show it. Never their colour."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flip: bool = True
    """Mirror half of the tiles, left to right."""
    frac: float = Field(default=0.15, ge=0, le=1)
    """Share of the tiles that are enlarged, and, on its own, share that are shifted."""
    zoom_max: float = Field(default=1.5, ge=1, le=4)
    """Enlarged by up to this."""
    shift_max_frac: float = Field(default=0.125, ge=0, le=0.5)
    """Shifted by up to this part of the side, in whole pixels; what comes in is mirrored."""
    hidden_frac: float = Field(default=0.1, ge=0, le=1)
    """So often the camera is not told, and so often the class, and so often neither: for guidance, and for any."""


class NoisyBatches:
    """Epochs of (clean, level, noise, condition), as `Denoiser.loss` takes them.

    Args:
        pixels: (N, P, P, 3) uint8 sRGB, all of which go to the device once.
        numbers: (N, 2) int64 numbers of camera and class.
        batch_size: tiles per batch; the last batch of an epoch may be smaller.
        model: tells which noise levels there are.
        changes: how tiles are changed, or None: as they are and in order, with the same levels and noise every epoch.
        seed: with the epoch's number, the only source of randomness.
        epoch_tiles: tiles in an epoch; None: as many as there are.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        numbers: NDArray[np.int64],
        batch_size: int,
        model: Denoiser,
        changes: ChangesConfig | None,
        seed: int,
        epoch_tiles: int | None = None,
    ) -> None:
        self.pixels = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
        self.numbers, self.batch_size, self.seed, self.changes = numbers, batch_size, seed, changes
        self.level_at = model.level_at
        self.epoch_tiles = epoch_tiles if epoch_tiles and changes else len(pixels)

    def __len__(self) -> int:
        return math.ceil(self.epoch_tiles / self.batch_size)

    def epoch(self, number: int, device: torch.device | None = None) -> Iterator[tuple[Tensor, ...]]:
        """Yield the batches of one epoch; epochs count from 0."""
        self.pixels = self.pixels.to(device)
        number = number if self.changes else 0
        rng, noises = np.random.default_rng([self.seed, number]), torch.Generator(self.pixels.device)
        noises.manual_seed(int(rng.integers(2**62)))
        order, levels = self._order(rng), self._levels(rng)
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            clean = self.pixels[torch.from_numpy(rows).to(device)].to(torch.float32) / 127.5 - 1
            condition = np.zeros((len(rows), 2 + CHANGES), np.float32)
            condition[:, :2] = self.numbers[rows]
            if self.changes is not None:
                condition[:, :2] *= told(len(rows), self.changes.hidden_frac, rng)
                condition[:, 2:] = draw_changes(len(rows), clean.shape[-1], self.changes, rng)
                clean = changed(clean, condition[:, 2:])
            noise = torch.randn(clean.shape, generator=noises, device=clean.device)
            level = torch.from_numpy(levels[start : start + len(rows)].astype(np.float32)).to(clean.device)
            yield clean, level, noise, torch.from_numpy(condition).to(clean.device)

    def _order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        if self.changes is None:
            return np.arange(len(self.pixels))
        rounds = math.ceil(self.epoch_tiles / len(self.pixels))
        return np.concatenate([rng.permutation(len(self.pixels)) for _ in range(rounds)])[: self.epoch_tiles]

    def _levels(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """One level for each tile of the epoch, so that together they are spread as evenly as can be."""
        shares = (rng.permutation(self.epoch_tiles) + rng.uniform(0.001, 0.999, self.epoch_tiles)) / self.epoch_tiles
        return self.level_at(shares)


def shrunk(pixels: NDArray[np.uint8], tile_px: int) -> NDArray[np.uint8]:
    """Return tiles at another side: area averaging down, cubic up. (N, P, P, 3) to (N, tile_px, tile_px, 3) uint8."""
    if pixels.shape[1] == tile_px:
        return np.ascontiguousarray(pixels)
    how = cv2.INTER_AREA if pixels.shape[1] > tile_px else cv2.INTER_CUBIC
    small = [cv2.resize(np.ascontiguousarray(tile), (tile_px, tile_px), interpolation=how) for tile in pixels]
    return np.stack(small) if small else np.empty((0, tile_px, tile_px, 3), np.uint8)


def told(count: int, hidden_frac: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which of camera and class are told. (count, 2)."""
    one_alone, both = rng.random((count, 2)) < hidden_frac, rng.random((count, 1)) < hidden_frac
    return ~(one_alone | both)


def draw_changes(count: int, tile_px: int, config: ChangesConfig, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return mirrored (0 or 1), log2 of the enlargement, shift right and down in tile sides. (count, CHANGES)."""
    mirrored = (rng.random(count) < 0.5) & config.flip
    zoom = rng.uniform(0, np.log2(config.zoom_max), count) * (rng.random(count) < config.frac)
    reach = round(config.shift_max_frac * tile_px)
    shift = rng.integers(-reach, reach, (count, 2), endpoint=True) * (rng.random((count, 1)) < config.frac)
    return np.column_stack([mirrored, zoom, shift / tile_px]).astype(np.float32)


def changed(images: Tensor, changes: NDArray[np.float32]) -> Tensor:
    """Return images (N, 3, P, P) mirrored, enlarged about their middle, and shifted, as `draw_changes` says."""
    mirrored, zoom, right, down = changes.T
    side = 2.0**-zoom
    theta = np.zeros((len(changes), 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 1, 1] = side * (1 - 2 * mirrored), side
    theta[:, :, 2] = -2 * np.column_stack([right * (1 - 2 * mirrored), down]) * side[:, None]
    grid = F.affine_grid(torch.from_numpy(theta).to(images.device), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
