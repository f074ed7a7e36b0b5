"""Colours as classes: which cells of the ab plane occur on Mars, and how often."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rovervision.imaging.color import rgb_to_lab

BIN_STEP = 5.0
"""Side of a cell of the ab plane, in Lab units; cells are centred on multiples of it."""
_REACH = 26
"""sRGB lies within ±110 in a and b: so many cells on either side of gray hold all of it."""
SHARE_MIN = 1e-5
"""Rarer cells are left out: a few stray pixels make no colour."""


@dataclass(frozen=True)
class ColorBins:
    """Q occupied cells of the ab plane."""

    centers: NDArray[np.float32]
    """(Q, 2) a and b, in Lab units."""
    shares: NDArray[np.float32]
    """(Q,) share of the pixels, of sum 1."""

    def to_json(self) -> dict[str, object]:
        """Return plain lists."""
        return {"centers": self.centers.tolist(), "shares": self.shares.tolist()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ColorBins":
        """Return the bins that `to_json` wrote."""
        return cls(np.asarray(values["centers"], np.float32), np.asarray(values["shares"], np.float32))


def count_color_bins(images: Iterable[tuple[NDArray[np.uint8], float]]) -> ColorBins:
    """Count the pixels of images in each cell of the ab plane, and keep the cells that occur.

    Args:
        images: (H, W, 3) uint8 sRGB, and how much each counts.
    """
    side = 2 * _REACH + 1
    counts = np.zeros(side * side)
    for image, weight in images:
        cell = np.rint(rgb_to_lab(image)[..., 1:] / BIN_STEP).astype(np.int64).clip(-_REACH, _REACH) + _REACH
        counts += weight * np.bincount((cell[..., 0] * side + cell[..., 1]).ravel(), minlength=side * side)
    kept = np.flatnonzero(counts >= SHARE_MIN * counts.sum()) if counts.any() else np.array([_REACH * (side + 1)])
    centers = (np.stack([kept // side, kept % side], axis=1) - _REACH) * BIN_STEP
    shares = np.maximum(counts[kept], 1e-12)
    return ColorBins(centers.astype(np.float32), (shares / shares.sum()).astype(np.float32))


def rebalancing_weights(bins: ColorBins, uniform_share: float = 0.5, sigma: float = 5.0) -> NDArray[np.float32]:
    """Return how much a pixel of each bin counts, so that rare colours are learnt too. (Q,) float32, of mean 1.

    Zhang, Isola and Efros, ECCV 2016, equation 4: w is inverse to (1 - λ) p~ + λ / Q, where p~ are the shares smoothed
    with a Gaussian over the ab plane; scaled so that the mean over pixels, Σ p~ w, is 1.

    Args:
        bins: Q bins.
        uniform_share: λ in 0..1; at 1 every pixel counts alike.
        sigma: of the Gaussian, in Lab units.
    """
    distance = np.linalg.norm(bins.centers[:, None] - bins.centers[None], axis=-1)
    kernel = np.exp(-(distance**2) / (2 * sigma**2))
    smooth = (kernel / kernel.sum(axis=0, keepdims=True)) @ bins.shares.astype(np.float64)
    weights = 1 / ((1 - uniform_share) * smooth + uniform_share / len(smooth))
    return (weights / (smooth * weights).sum()).astype(np.float32)
