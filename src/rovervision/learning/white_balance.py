"""A white balance for looking at images, which can be undone."""

import numpy as np
from numpy.typing import NDArray

from rovervision.imaging.color import decode_gamma, encode_gamma

Gains = tuple[float, float, float]
"""Factors of linear red, green and blue; the largest is 1, so nothing is ever clipped."""

RELEASED: Gains = (1.0, 1.0, 1.0)

GAINS_RATIO_MAX = 1.4
"""Largest over smallest gain. Soil is not gray in white light either: only a part of the cast is the light's."""

_NORM = 6
"""Between the mean (1: gray world) and the brightest pixel (infinity), as Finlayson and Trezzi found best."""


def display_gains(image: NDArray[np.uint8]) -> Gains:
    """Return gains that bring an image's light toward white.

    The light's colour is estimated as "shades of gray": the Minkowski mean, of norm 6, of each linear channel
    (Finlayson and Trezzi, 12th Color Imaging Conference, 2004). A diagonal adaptation (von Kries) to it would divide by
    it; of that, as much is done as keeps the ratio of the gains at `GAINS_RATIO_MAX`. Rounded to 4 decimals.

    Args:
        image: (H, W, 3) uint8 sRGB.
    """
    linear = decode_gamma(np.arange(256) / 255)[image.reshape(-1, 3)]
    light = np.maximum((linear**_NORM).mean(axis=0) ** (1 / _NORM), 1e-4)
    full = light.min() / light
    share = min(1.0, np.log(GAINS_RATIO_MAX) / max(-np.log(full.min()), 1e-9))
    red, green, blue = (round(float(gain), 4) for gain in full**share)
    return red, green, blue


def undo_gains(image: NDArray[np.uint8], gains: Gains) -> NDArray[np.uint8]:
    """Return an (H, W, 3) image as it was before linear light was multiplied by gains, within 1 of 255."""
    unit = decode_gamma(np.arange(256) / 255)
    bytes_of = [np.rint(255 * encode_gamma(np.minimum(unit / gain, 1))).astype(np.uint8) for gain in gains]
    return np.stack([table[image[..., channel]] for channel, table in enumerate(bytes_of)], axis=-1)
