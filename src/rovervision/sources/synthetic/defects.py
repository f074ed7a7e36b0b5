"""What goes wrong between a camera and an archive, done on purpose and written down."""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.sources.synthetic.cameras import Camera

Defect = Literal[
    "empty", "truncated", "thumbnail", "border", "stripes", "blur", "dark", "overexposed", "gray_as_rgb", "mosaic"
]
DEFECTS: Final[tuple[Defect, ...]] = (
    "empty",
    "truncated",
    "thumbnail",
    "border",
    "stripes",
    "blur",
    "dark",
    "overexposed",
    "gray_as_rgb",
    "mosaic",
)
UNREADABLE: Final[frozenset[str]] = frozenset({"empty", "truncated"})
"""Defects that leave no image to decode."""

EXPOSURES: Final[dict[str, tuple[float, float]]] = {"dark": (0.004, 0.02), "overexposed": (4.5, 8.0)}
"""Defect → range of the factor on linear light."""


def allowed(defect: Defect, camera: Camera) -> bool:
    """Tell whether a camera can show a defect: lost colour needs a colour camera, and a mosaic has no thumbnail."""
    if defect in ("gray_as_rgb", "mosaic"):
        return camera.sensor == "color"
    if defect == "thumbnail":
        return camera.sensor != "mosaic"
    return True


@dataclass(frozen=True, slots=True)
class Loss:
    """Pixels that were never seen: rows and columns that hold nothing."""

    border_px: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Black columns left, rows on top, columns right, rows at the bottom."""
    bands: tuple[tuple[int, int], ...] = ()
    """Rows [start, stop) that are missing."""

    def lost(self, height_px: int, width_px: int) -> NDArray[np.bool_]:
        """Return (height, width) bool: True where nothing was seen."""
        left, top, right, bottom = self.border_px
        gone = np.ones((height_px, width_px), bool)
        gone[top : height_px - bottom, left : width_px - right] = False
        for start, stop in self.bands:
            gone[start:stop] = True
        return gone


def draw_loss(defect: Defect | None, height_px: int, width_px: int, rng: np.random.Generator) -> Loss:
    """Draw where a frame lacks pixels."""
    if defect == "border":
        share = rng.uniform(0.05, 0.14, 4)
        left, right = round(share[0] * width_px), round(share[2] * width_px)
        top, bottom = (round(share[1] * height_px), round(share[3] * height_px)) if rng.random() < 0.5 else (0, 0)
        return Loss(border_px=(left, top, right, bottom))
    if defect == "stripes":
        if rng.random() < 0.4:
            return Loss(bands=((round(height_px * rng.uniform(0.5, 0.75)), height_px),))
        count, thick = int(rng.integers(3, 7)), max(2, height_px // 32)
        starts = np.sort(
            rng.choice(max(1, height_px // (2 * thick)), min(count, max(1, height_px // (2 * thick))), replace=False)
        )
        return Loss(bands=tuple((int(s) * 2 * thick, int(s) * 2 * thick + thick) for s in starts))
    return Loss()


def blur(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Put a linear image badly out of focus: deviation 1.5 to 2.5 % of the width."""
    sigma = float(rng.uniform(0.015, 0.025)) * image.shape[1]
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def truncate(data: bytes, rng: np.random.Generator) -> bytes:
    """Return the first 30 to 60 % of a file."""
    return data[: int(len(data) * rng.uniform(0.3, 0.6))]
