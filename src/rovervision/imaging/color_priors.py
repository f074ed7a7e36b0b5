"""What is known of colour before any network: the global mean, and the mean colour at each lightness."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rovervision.errors import RovervisionError
from rovervision.imaging.color import rgb_to_lab

Float = NDArray[np.float32]

LIGHTNESS_BINS = 101
"""One bin for each whole lightness from 0 to 100."""


@dataclass(frozen=True)
class ColorPriors:
    """Mean ab of a set of pixels, as a whole and by lightness, in Lab units."""

    mean_ab: Float
    """(2,) float32."""
    lookup: Float
    """(101, 2) float32; row i is the mean ab at lightness i."""
    n_pixels: int

    def to_json(self) -> dict[str, object]:
        """Return plain lists and numbers."""
        return {"mean_ab": self.mean_ab.tolist(), "lookup": self.lookup.tolist(), "n_pixels": self.n_pixels}

    @classmethod
    def from_json(cls, values: dict[str, object]) -> "ColorPriors":
        """Return the priors that `to_json` wrote."""
        mean_ab, lookup = np.asarray(values["mean_ab"], np.float32), np.asarray(values["lookup"], np.float32)
        return cls(mean_ab, lookup, int(str(values["n_pixels"])))


def fit_color_priors(images: Iterable[NDArray[np.uint8]]) -> ColorPriors:
    """Average the colours of images, (H, W, 3) uint8 sRGB each. Raises RovervisionError where there is none."""
    sums, counts = np.zeros((LIGHTNESS_BINS, 2)), np.zeros(LIGHTNESS_BINS)
    for image in images:
        image_sums, image_counts = _sum_by_lightness(rgb_to_lab(image))
        sums, counts = sums + image_sums, counts + image_counts
    if counts.sum() == 0:
        raise RovervisionError(
            "There is no colour tile in the training split, so nothing can be learnt about colour. "
            "Ask ingestion for a camera that takes colour images, or loosen the rules of curation."
        )
    mean_ab = sums.sum(0) / counts.sum()
    return ColorPriors(mean_ab.astype(np.float32), _fill(sums, counts).astype(np.float32), int(counts.sum()))


def look_up(lightness: Float, lookup: Float) -> Float:
    """Return the table's ab at each pixel, interpolated between whole lightnesses. (H, W) to (H, W, 2)."""
    levels = np.arange(LIGHTNESS_BINS, dtype=np.float32)
    return np.stack([np.interp(lightness, levels, lookup[:, c]) for c in (0, 1)], axis=-1).astype(np.float32)


def own_lookup(lab: Float) -> Float:
    """Return the table of one image itself: the best that any function of lightness alone can do. (H, W, 3)."""
    return _fill(*_sum_by_lightness(lab)).astype(np.float32)


def _sum_by_lightness(lab: Float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    pixels = lab.reshape(-1, 3)
    level = np.rint(pixels[:, 0]).astype(np.int64).clip(0, LIGHTNESS_BINS - 1)
    sums = np.stack([np.bincount(level, pixels[:, c], LIGHTNESS_BINS) for c in (1, 2)], axis=1)
    return sums, np.bincount(level, minlength=LIGHTNESS_BINS).astype(np.float64)


def _fill(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide; where no pixel has a lightness, interpolate between the nearest that have."""
    seen = counts > 0
    levels = np.arange(LIGHTNESS_BINS)
    means = sums[seen] / counts[seen, None]
    return np.stack([np.interp(levels, levels[seen], means[:, c]) for c in (0, 1)], axis=1)
