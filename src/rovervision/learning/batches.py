"""Batches of tiles for training: which ones, in which order, changed how. All of it follows from a seed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional as F

from rovervision.learning.color import rgb_to_lab
from rovervision.learning.colorizer import COARSE
from rovervision.learning.gray_cameras import blur, compress_blocks, mix_spectrum, vignette


class AugmentationConfig(BaseModel):
    """How a training tile may be changed. Its colour never is, but for dust, which Mars adds as well."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zoom_max: float = Field(default=1.6, ge=1, le=4)
    """A random square of 1 to 1/zoom_max of the side is enlarged to the whole tile."""
    flip: bool = True
    gamma_max: float = Field(default=1.15, ge=1, le=3)
    """The input lightness is raised to a random power in 1/gamma_max..gamma_max."""
    gain_max: float = Field(default=1.1, ge=1, le=3)
    """The input lightness is scaled by a random factor in 1/gain_max..gain_max."""
    noise: float = Field(default=1.0, ge=0, le=20)
    """Highest standard deviation of the noise added to the input lightness, in units of L."""
    dust_max: float = Field(default=0.0, ge=0, le=1)
    """Pixels paler than what the rover mostly sees at their lightness move toward that colour, by a random share of up
    to this in each tile: dust settles on a rover, so its hardware is browner in later years than in earlier ones."""
    patch_frac: float = Field(default=0.5, ge=0, le=1)
    """Share of the tiles in which a rectangle, of up to the whole side, is taken from another tile of the batch."""
    camera_hidden_frac: float = Field(default=0.3, ge=0, le=1)
    """Share of the tiles that come without their camera's number, so that the model also knows the unknown one."""
    crop_px: int | None = Field(default=None, ge=16, multiple_of=8)
    """First, a random square of this side is cut out of each tile, unchanged in scale; None: the whole tile."""
    spectral_max: float = Field(default=0.0, ge=0, le=1)
    """The input lightness is that of a gray camera that sees red, green and blue in another mix than the eye: by a
    random share of up to this, a mix drawn evenly takes the place of luminance."""
    vignette_max: float = Field(default=0.0, ge=0, le=1)
    """Highest share of the light that is lost half a diagonal away from a random optical axis."""
    blur_max_px: float = Field(default=0.0, ge=0, le=8)
    """Highest standard deviation of a Gaussian that blurs the input lightness."""
    blocks_max: float = Field(default=0.0, ge=0, le=20)
    """Coarsest rounding of the 8 x 8 cosine coefficients of the input lightness, as JPEG does, in units of L."""


@dataclass(frozen=True)
class Augmentation:
    """How tiles are changed, and what the change needs to know of the training set."""

    config: AugmentationConfig
    dust: NDArray[np.float32]
    """(101, 2) mean ab by lightness of what the rover mostly sees: the colour of dust."""


class ColorBatches:
    """Epochs of (lightness, camera, ab) made from uint8 tiles; with folds, of (lightness, camera, ab, fold).

    Args:
        pixels: (N, P, P, 3) uint8 sRGB, P a multiple of 4; may be a memory map.
        cameras: (N,) int64 camera numbers of all tiles.
        rows: the tiles to use, as row numbers.
        weights: (len(rows),) sampling weights, or None to see each tile once an epoch.
        batch_size: tiles per batch; the last batch of an epoch may be smaller.
        augmentation: changes, or None to see the tiles as they are and in order.
        seed: with the epoch's number, the only source of randomness.
        stride_px: side of the cells over which the true ab is averaged; a divisor of the tile's side.
        epoch_tiles: tiles in an epoch; None: as many as there are.
        folds: (N,) int64 fold of all tiles.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        cameras: NDArray[np.int64],
        rows: NDArray[np.int64],
        batch_size: int,
        augmentation: Augmentation | None,
        seed: int,
        weights: NDArray[np.float64] | None = None,
        stride_px: int = COARSE,
        epoch_tiles: int | None = None,
        folds: NDArray[np.int64] | None = None,
    ) -> None:
        self.pixels, self.cameras, self.rows, self.batch_size = pixels, cameras, np.asarray(rows), batch_size
        self.augmentation, self.seed, self.stride_px, self.folds = augmentation, seed, stride_px, folds
        self.shares = None if weights is None else weights / weights.sum()
        self.epoch_tiles = epoch_tiles if epoch_tiles and augmentation else len(self.rows)

    def __len__(self) -> int:
        return math.ceil(self.epoch_tiles / self.batch_size)

    def epoch(self, number: int, device: torch.device | None = None) -> Iterator[tuple[Tensor, ...]]:
        """Yield lightness as the network sees it (N, 1, P, P), cameras (N,), true ab (N, 2, P/stride, P/stride).

        Epochs count from 0.
        """
        rng = np.random.default_rng([self.seed, number])
        order = self._order(rng)
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            pixels = np.ascontiguousarray(self.pixels[rows])
            if self.augmentation is not None and self.augmentation.config.crop_px is not None:
                pixels = crop(pixels, self.augmentation.config.crop_px, rng)
            unit = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).to(torch.float32) / 255
            cameras = self.cameras[rows]
            if self.augmentation is None:
                lab = rgb_to_lab(unit)
                lightness, ab = lab[:, :1], lab[:, 1:]
            else:
                lightness, ab = self._changed(unit, rng)
                hidden = rng.random(len(rows)) < self.augmentation.config.camera_hidden_frac
                cameras = np.where(hidden, 0, cameras)
            batch = (lightness, torch.from_numpy(cameras).to(device), F.avg_pool2d(ab, self.stride_px))
            yield batch if self.folds is None else (*batch, torch.from_numpy(self.folds[rows]).to(device))

    def _changed(self, unit: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        assert self.augmentation is not None
        config = self.augmentation.config
        unit = swap_patches(zoom_and_flip(unit, config, rng), config.patch_frac, rng)
        lab = rgb_to_lab(unit)
        ab = add_dust(lab, torch.from_numpy(self.augmentation.dust).to(lab), config.dust_max, rng)
        return disturb_lightness(other_camera(lab[:, :1], unit, config, rng), config, rng), ab

    def _order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        if self.augmentation is None:
            return self.rows
        if self.shares is None:
            return np.concatenate(
                [rng.permutation(self.rows) for _ in range(math.ceil(self.epoch_tiles / len(self.rows)))]
            )[: self.epoch_tiles]
        return rng.choice(self.rows, size=self.epoch_tiles, p=self.shares)


def crop(pixels: NDArray[np.uint8], side_px: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut a random square out of each tile; smaller tiles stay whole. (N, P, P, 3) to (N, side, side, 3)."""
    free = pixels.shape[1] - side_px
    if free <= 0:
        return pixels
    corners = rng.integers(0, free, (len(pixels), 2), endpoint=True)
    cut = [tile[top : top + side_px, left : left + side_px] for tile, (top, left) in zip(pixels, corners, strict=True)]
    return np.stack(cut)


def other_camera(lightness: Tensor, unit: Tensor, config: AugmentationConfig, rng: np.random.Generator) -> Tensor:
    """Imitate the gray camera of another rover: spectrum, then vignette, blur and compression, each only if asked for.

    (N, 1, P, P) lightness in 0..100 and (N, 3, P, P) sRGB in 0..1 to (N, 1, P, P) lightness.
    """
    if config.spectral_max:
        lightness = mix_spectrum(unit, config.spectral_max, rng)
    if config.vignette_max:
        lightness = vignette(lightness, config.vignette_max, rng)
    if config.blur_max_px:
        lightness = blur(lightness, config.blur_max_px, rng)
    if config.blocks_max:
        lightness = compress_blocks(lightness, config.blocks_max, rng)
    return lightness


def zoom_and_flip(unit: Tensor, config: AugmentationConfig, rng: np.random.Generator) -> Tensor:
    """Cut a random square out of each image, mirror half of them, enlarge to the full side. (N, 3, P, P) in and out."""
    n = len(unit)
    side = 1 / rng.uniform(1, config.zoom_max, n)
    sign = np.where(rng.random(n) < 0.5, -1.0, 1.0) if config.flip else np.ones(n)
    center = rng.uniform(-1, 1, (n, 2)) * (1 - side)[:, None]
    theta = np.zeros((n, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 1, 1] = side * sign, side
    theta[:, :, 2] = center
    grid = F.affine_grid(torch.from_numpy(theta).to(unit.device), list(unit.shape), align_corners=False)
    return F.grid_sample(unit, grid, mode="bilinear", padding_mode="border", align_corners=False)


def add_dust(lab: Tensor, dust: Tensor, dust_max: float, rng: np.random.Generator) -> Tensor:
    """Return ab with pale pixels moved toward the colour of dust. (N, 3, P, P) and (101, 2) table to (N, 2, P, P)."""
    ab = lab[:, 1:]
    dusty = dust[lab[:, 0].round().clamp(0, 100).long()].permute(0, 3, 1, 2)
    share = torch.from_numpy(dust_max * rng.random(len(lab), dtype=np.float32)).to(lab).view(-1, 1, 1, 1)
    is_paler = ab.norm(dim=1, keepdim=True) < dusty.norm(dim=1, keepdim=True)
    return ab + share * is_paler * (dusty - ab)


def swap_patches(unit: Tensor, patch_frac: float, rng: np.random.Generator) -> Tensor:
    """Paste a rectangle of another tile into some tiles, so that no tile can be known by heart from its surroundings.

    (N, 3, P, P) in and out, P a multiple of 4. Sides from an eighth of P, on whole coarse cells. After CutMix (Yun et
    al., ICCV 2019), with colours in the place of labels.
    """
    cells = unit.shape[-1] // COARSE
    changed = unit.clone()
    for one, other in enumerate(rng.permutation(len(unit))):
        if rng.random() < patch_frac:
            height, width = rng.integers(max(1, cells // 8), cells, 2, endpoint=True)
            top, left = rng.integers(0, cells - height, endpoint=True), rng.integers(0, cells - width, endpoint=True)
            rows, columns = slice(COARSE * top, COARSE * (top + height)), slice(COARSE * left, COARSE * (left + width))
            changed[one, :, rows, columns] = unit[other, :, rows, columns]
    return changed


def disturb_lightness(lightness: Tensor, config: AugmentationConfig, rng: np.random.Generator) -> Tensor:
    """Imitate another exposure and sensor: gain, gamma, noise. (N, 1, P, P) in 0..100, in and out."""
    n = len(lightness)
    gamma, gain, sigma = (
        torch.tensor(values, dtype=torch.float32, device=lightness.device).view(n, 1, 1, 1)
        for values in (
            config.gamma_max ** rng.uniform(-1, 1, n),
            config.gain_max ** rng.uniform(-1, 1, n),
            config.noise * rng.random(n),
        )
    )
    noise = torch.from_numpy(rng.standard_normal(tuple(lightness.shape), dtype=np.float32)).to(lightness.device)
    changed = 100 * (lightness / 100).clamp(0, 1) ** gamma * gain + sigma * noise
    return changed.clamp(0, 100)
