"""Pictures of the page: arrays until the page is written, then WebP inside the page itself."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.imaging.color import lab_to_rgb
from rovervision.imaging.montage import contact_sheet

Byte = NDArray[np.uint8]

ERROR_MAX = 10.0
"""Top of the scale of error maps, in units of CIEDE2000; larger errors look like it."""


@dataclass(frozen=True)
class Encoding:
    """How pictures are packed."""

    quality: int
    """Of WebP, 1 to 100."""
    longest_px: int
    """Longer side that a picture may have; larger ones are reduced."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture and the sentence that stands for it where it is not seen."""

    pixels: Byte
    """(H, W, 3) sRGB."""
    alt: str

    @property
    def width(self) -> int:
        """In pixels, as it is given to the page."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """In pixels, as it is given to the page."""
        return int(self.pixels.shape[0])

    @cached_property
    def _packed(self) -> dict[Encoding, str]:
        return {}

    def address(self, encoding: Encoding) -> str:
        """Return the picture as a data address, packed once for each encoding."""
        if encoding not in self._packed:
            self._packed[encoding] = data_address(at_most(self.pixels, encoding.longest_px), encoding.quality)
        return self._packed[encoding]


def data_address(pixels: Byte, quality: int) -> str:
    """Return an (H, W, 3) sRGB picture as `data:image/webp;base64,...`."""
    _, packed = cv2.imencode(".webp", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_WEBP_QUALITY, quality])
    return "data:image/webp;base64," + base64.b64encode(packed.tobytes()).decode()


def at_most(pixels: Byte, longest_px: int) -> Byte:
    """Return a picture whose longer side is at most so many pixels; by area, and never enlarged."""
    factor = longest_px / max(pixels.shape[:2])
    if factor >= 1:
        return pixels
    height, width = (max(1, round(side * factor)) for side in pixels.shape[:2])
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def square(pixels: Byte, side_px: int) -> Byte:
    """Return a picture as a square of this side, by area where it gets smaller, else cubic."""
    how = cv2.INTER_AREA if min(pixels.shape[:2]) >= side_px else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), (side_px, side_px), interpolation=how), np.uint8)


def sheet(tiles: Sequence[Byte], columns: int, side_px: int, alt: str) -> Picture:
    """Return tiles side by side, without gaps, as one picture. There must be one tile at least."""
    return Picture(contact_sheet([square(tile, side_px) for tile in tiles], columns, gap_px=0), alt)


def heat(values: NDArray[np.floating], top: float) -> Byte:
    """Return a map of values from 0 to `top` as (H, W, 3) sRGB in the colours of magma, dark to bright."""
    levels = np.clip(np.nan_to_num(values) / top * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_MAGMA)[..., ::-1], np.uint8)


def gray_of(lab: NDArray[np.float32]) -> Byte:
    """Return the (H, W, 3) Lab picture without its colour, as sRGB of the same lightness."""
    return lab_to_rgb(np.concatenate([lab[..., :1], np.zeros_like(lab[..., 1:])], axis=-1))
