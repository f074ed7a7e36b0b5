"""What is known of colour before any network: the global mean, and the mean colour at each lightness."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rovervision.errors import RovervisionError
from rovervision.imaging.color import rgb_to_lab

Float = NDArray[np.float32]

LIGHTNESS_BINS = 101
"""One bin for each whole lightness from 0 to 100."""

_GLOBAL_SHARE = 2e-4
"""A camera's table counts the global table at every lightness as this share of all pixels, so that a rare one is not
noise."""


@dataclass(frozen=True)
class ColorPriors:
    """Mean ab of a set of pixels, as a whole, by lightness, and by camera and lightness, in Lab units."""

    mean_ab: Float
    """(2,) float32."""
    lookup: Float
    """(101, 2) float32; row i is the mean ab at lightness i."""
    by_camera: Mapping[str, Float]
    """Camera → (101, 2) float32, drawn toward `lookup` where the camera has few pixels of a lightness."""
    n_pixels: float
    """Weighted number of pixels."""

    def table(self, camera: str) -> Float:
        """Return the camera's own table, or the global one for a camera that was not learnt from."""
        return self.by_camera.get(camera, self.lookup)

    def to_json(self) -> dict[str, object]:
        """Return plain lists and numbers."""
        return {
            "mean_ab": self.mean_ab.tolist(),
            "lookup": self.lookup.tolist(),
            "by_camera": {name: table.tolist() for name, table in self.by_camera.items()},
            "n_pixels": self.n_pixels,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ColorPriors":
        """Return the priors that `to_json` wrote."""
        by_camera = {name: np.asarray(table, np.float32) for name, table in values["by_camera"].items()}
        mean_ab, lookup = np.asarray(values["mean_ab"], np.float32), np.asarray(values["lookup"], np.float32)
        return cls(mean_ab, lookup, by_camera, float(values["n_pixels"]))


def fit_color_priors(images: Iterable[tuple[str, NDArray[np.uint8], float]]) -> ColorPriors:
    """Average the colours of images.

    Args:
        images: camera, (H, W, 3) uint8 sRGB, and how much the image counts.

    Raises RovervisionError where there is no image.
    """
    sums: dict[str, NDArray[np.float64]] = {}
    for camera, image, weight in images:
        seen = weight * _sum_by_lightness(rgb_to_lab(image))
        sums[camera] = sums.get(camera, np.zeros((LIGHTNESS_BINS, 3))) + seen
    if not sums:
        raise RovervisionError(
            "There is no colour tile in the training split, so nothing can be learnt about colour. "
            "Ask ingestion for a camera that takes colour images, or loosen the rules of curation."
        )
    total = np.sum(list(sums.values()), axis=0)
    lookup = _fill(total)
    prior = np.concatenate([lookup, np.ones((LIGHTNESS_BINS, 1))], axis=1) * (_GLOBAL_SHARE * total[:, 2].sum())
    by_camera = {camera: _fill(sums[camera] + prior).astype(np.float32) for camera in sorted(sums)}
    mean_ab = total[:, :2].sum(0) / total[:, 2].sum()
    return ColorPriors(mean_ab.astype(np.float32), lookup.astype(np.float32), by_camera, float(total[:, 2].sum()))


def look_up(lightness: Float, lookup: Float) -> Float:
    """Return the table's ab at each pixel, interpolated between whole lightnesses. (H, W) to (H, W, 2)."""
    levels = np.arange(LIGHTNESS_BINS, dtype=np.float32)
    return np.stack([np.interp(lightness, levels, lookup[:, c]) for c in (0, 1)], axis=-1).astype(np.float32)


def own_lookup(lab: Float) -> Float:
    """Return the table of one image itself: the best that any function of lightness alone can do. (H, W, 3)."""
    return _fill(_sum_by_lightness(lab)).astype(np.float32)


def _sum_by_lightness(lab: Float) -> NDArray[np.float64]:
    """Return (101, 3): sum of a, sum of b, and number of pixels at each lightness."""
    pixels = lab.reshape(-1, 3)
    level = np.rint(pixels[:, 0]).astype(np.int64).clip(0, LIGHTNESS_BINS - 1)
    weights = (pixels[:, 1], pixels[:, 2], np.ones(len(pixels)))
    return np.stack([np.bincount(level, weight, LIGHTNESS_BINS) for weight in weights], axis=1)


def _fill(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide; where no pixel has a lightness, interpolate between the nearest that have."""
    seen = sums[:, 2] > 0
    levels = np.arange(LIGHTNESS_BINS)
    means = sums[seen, :2] / sums[seen, 2:]
    return np.stack([np.interp(levels, levels[seen], means[:, c]) for c in (0, 1)], axis=1)
