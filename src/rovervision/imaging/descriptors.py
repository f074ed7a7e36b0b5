"""Codes of images without training: small pixels, and gradients with colours."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class PixelsConfig(BaseModel):
    """The image itself, made small."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side_px: int = Field(default=32, ge=4, le=128)


class HandcraftedConfig(BaseModel):
    """Directions of gradients by place (Dalal and Triggs, CVPR 2005), and how often each colour occurs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side_px: int = Field(default=64, ge=16, le=256, multiple_of=8)
    """The image is brought to this side first, so that codes do not depend on the size of tiles."""
    cells: int = Field(default=4, ge=1, le=16)
    """So many cells on each side."""
    directions: int = Field(default=8, ge=2, le=36)
    """Bins of the gradient's direction over half a turn, in each cell."""
    color_bins: int = Field(default=8, ge=2, le=64)
    """Bins of red, of green and of blue."""

    @property
    def dim(self) -> int:
        """Numbers in a code."""
        return self.cells**2 * self.directions + 3 * self.color_bins


def resize(pixels: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """Bring square images to another side: averaged over areas where smaller. (N, P, P, 3) to (N, side, side, 3)."""
    if pixels.shape[1] == side_px:
        return np.asarray(pixels)
    how = cv2.INTER_AREA if pixels.shape[1] > side_px else cv2.INTER_LINEAR
    resized = np.empty((len(pixels), side_px, side_px, 3), np.uint8)
    for row, image in enumerate(pixels):
        cv2.resize(np.asarray(image), (side_px, side_px), dst=resized[row], interpolation=how)
    return resized


def pixel_codes(pixels: NDArray[np.uint8], config: PixelsConfig) -> NDArray[np.float32]:
    """Return small images as rows, 0 to 1. (N, P, P, 3) uint8 to (N, 3 side²) float32."""
    return np.divide(resize(pixels, config.side_px).reshape(len(pixels), -1), 255, dtype=np.float32)


def handcrafted_codes(pixels: NDArray[np.uint8], config: HandcraftedConfig) -> NDArray[np.float32]:
    """Return gradients by place and direction, then colours, each part of length one.

    (N, P, P, 3) uint8 to (N, cells² directions + 3 color_bins) float32. An image without gradients has zeros there.
    """
    codes = np.empty((len(pixels), config.dim), np.float32)
    for row, image in enumerate(_resized(pixels, config.side_px)):
        codes[row] = np.concatenate([gradient_histogram(image, config), color_histogram(image, config.color_bins)])
    return codes


def gradient_histogram(image: NDArray[np.uint8], config: HandcraftedConfig) -> NDArray[np.float32]:
    """Return the length of gradients of lightness by cell and direction, all together of length one.

    A gradient counts for the two bins that are nearest to its direction. Directions that differ by half a turn are the
    same. (P, P, 3) to (cells² directions,).
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    across, down = cv2.Sobel(gray, cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(gray, cv2.CV_32F, 0, 1, ksize=1)
    strength = np.hypot(across, down)
    place = np.mod(np.arctan2(down, across) / np.pi, 1.0) * config.directions
    low = np.floor(place).astype(np.intp)
    part, bins = place - low, config.directions
    cell_of = np.arange(len(gray)) * config.cells // len(gray)
    first = (cell_of[:, None] * config.cells + cell_of) * bins
    size = config.cells**2 * bins
    counts = np.bincount((first + low % bins).ravel(), (strength * (1 - part)).ravel(), size)
    counts += np.bincount((first + (low + 1) % bins).ravel(), (strength * part).ravel(), size)
    length = np.linalg.norm(counts)
    return (counts / length if length > 1e-6 else np.zeros(size)).astype(np.float32)


def color_histogram(image: NDArray[np.uint8], bins: int) -> NDArray[np.float32]:
    """Return square roots of the shares of red, green and blue by bin, all together of length one. To (3 bins,).

    Distances between square roots of shares are those of Hellinger: rare colours count as well as frequent ones.
    """
    shares = [np.bincount(image[..., c].ravel().astype(np.intp) * bins // 256, minlength=bins) for c in range(3)]
    return np.sqrt(np.concatenate(shares) / (3 * image[..., 0].size)).astype(np.float32)


def _resized(pixels: NDArray[np.uint8], side_px: int) -> Iterator[NDArray[np.uint8]]:
    for row in range(len(pixels)):
        yield resize(pixels[row : row + 1], side_px)[0]
