"""Tints: the colour of an image as a whole, held steady over a sequence of images, and how much colours flicker."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Float = NDArray[np.float32]


class TintConfig(BaseModel):
    """How tints are held steady from frame to frame."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    new_share: float = Field(default=0.15, gt=0, le=1)
    """Share of a frame's own tint in the smoothed one; the rest is that of the frames before. 1 smooths nothing. The
    first frames of a sequence count alike."""
    likeness_min: float = Field(default=0.5, ge=-1, le=1)
    """Correlation with the frame before, at 32 x 32 pixels, below which a new scene begins."""
    gap_sols: int = Field(default=3, ge=0)
    """More sols than this between two frames begin a new sequence too."""


class Look(NamedTuple):
    """What decides whether two frames of a camera belong to one sequence."""

    thumbnail: Float
    """(32, 32) lightness."""
    sol: int | None


def look_of(lightness: Float, sol: int | None) -> Look:
    """Return the look of an (H, W) lightness image."""
    return Look(cv2.resize(lightness, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32), sol)


def likeness(one: Float, other: Float) -> float:
    """Return the correlation of two equally large images, -1 to 1; 1 where both are flat, 0 where only one is."""
    first, second = one - one.mean(), other - other.mean()
    powers = float((first**2).sum()), float((second**2).sum())
    if min(powers) < 1e-6:
        return float(max(powers) < 1e-6)
    return float((first * second).sum() / np.sqrt(powers[0] * powers[1]))


class TintSmoother:
    """Smooths the tints of one camera's frames, in order, and afresh where a new sequence begins.

    A running mean over the first frames, an exponential one after them: nothing hangs on the very first frame.
    """

    def __init__(self, config: TintConfig) -> None:
        self._config = config
        self._before: Look | None = None
        self._tint: Float = np.zeros(2, np.float32)
        self._n_frames = 0
        self.sequence = 0
        """Number of the sequence that the last frame belongs to, from 1."""

    def step(self, tint: Float, look: Look) -> Float:
        """Return the smoothed tint of the next frame. Both are (2,), in units of ab."""
        if self._begins_anew(look):
            self.sequence, self._n_frames = self.sequence + 1, 0
        self._n_frames += 1
        self._tint = self._tint + max(self._config.new_share, 1 / self._n_frames) * (tint - self._tint)
        self._before = look
        return self._tint

    def _begins_anew(self, look: Look) -> bool:
        if self._before is None:
            return True
        sols = [each.sol for each in (look, self._before) if each.sol is not None]
        if sols and abs(sols[0] - sols[-1]) > self._config.gap_sols:
            return True
        return likeness(look.thumbnail, self._before.thumbnail) < self._config.likeness_min


STILL_L = 0.2
"""A pixel is static where its lightness changes by less than this, less than the step between two of 256 grays. Colour
follows lightness; of a larger change, a part of the colour's would be right."""


class Colors(NamedTuple):
    """Lightness and colour of one frame, as far as flicker needs them."""

    lightness: Float
    """(h, w) CIE L."""
    ab: Float
    """(h, w, 2)."""


def flicker(before: Colors, now: Colors) -> tuple[float, int]:
    """Return the mean distance in ab, and the number, of the pixels that are static between two frames; NaN for none.

    A static pixel shows the same thing twice, so all of its change is the colorizer's.
    """
    if before.lightness.shape != now.lightness.shape:
        return float("nan"), 0
    still = np.abs(now.lightness - before.lightness) < STILL_L
    n_still = int(still.sum())
    change = np.linalg.norm(now.ab[still] - before.ab[still], axis=-1)
    return (float(change.mean()) if n_still else float("nan")), n_still
