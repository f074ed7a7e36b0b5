"""What goes wrong between a camera and an archive, done on purpose and written down."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.sources.synthetic.cameras import Camera

Defect = Literal[
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
    "sensor_border",
    "vignette",
    "blocks",
    "line_noise",
    "heavy_jpeg",
    "false_color",
    "narrow_band",
]
DEFECTS: Final[tuple[Defect, ...]] = get_args(Defect)
UNREADABLE: Final[frozenset[str]] = frozenset({"empty", "truncated"})
"""Defects that leave no image to decode."""

EXPOSURES: Final[dict[str, tuple[float, float]]] = {"dark": (0.004, 0.02), "overexposed": (4.5, 8.0)}
"""Defect → range of the factor on linear light."""


FALSE_COLORS: Final = ((1.0, 0.45, 0.06), (0.08, 0.3, 1.0), (1.0, 0.6, 0.95))
"""How one filter's picture was shown in colour: orange, blue and pink, as factors of R, G, B."""

_FITTING: Final[dict[Defect, tuple[str, ...]]] = {
    "gray_as_rgb": ("color",),
    "mosaic": ("color",),
    "false_color": ("color",),
    "thumbnail": ("color", "gray"),
    "line_noise": ("color", "gray"),
    "heavy_jpeg": ("color", "gray"),
    "vignette": ("gray",),
}
"""Defect → sensors that can show it: lost colour needs a colour camera, and a mosaic is sent whole or not at all."""


def allowed(defect: Defect, camera: Camera) -> bool:
    """Tell whether a camera can show a defect. Narrow bands are left to Mastcam-Z, whose names tell the filter."""
    if defect == "narrow_band":
        return camera.key.startswith("zcam") and camera.sensor == "color"
    if defect == "sensor_border":
        return camera.key.startswith(("zcam", "mast"))
    return camera.sensor in _FITTING.get(defect, ("color", "gray", "mosaic"))


@dataclass(frozen=True, slots=True)
class Loss:
    """Pixels that were never seen: rows, columns, blocks and corners that hold nothing."""

    border_px: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Dark columns left, rows on top, columns right, rows at the bottom."""
    border_noise: float = 0.0
    """Mean level of the border's pixels, and their standard deviation."""
    bands: tuple[tuple[int, int], ...] = ()
    """Rows [start, stop) that are missing."""
    blocks: tuple[tuple[int, int, int, int], ...] = ()
    """Left, top, right, bottom of missing rectangles, ends excluded."""
    blocks_level: int = 0
    """Value that fills them."""
    circle_px: tuple[float, float, float] | None = None
    """Middle x, y and radius of a field stop; outside is dark."""

    def lost(self, height_px: int, width_px: int) -> NDArray[np.bool_]:
        """Return (height, width) bool: True where nothing was seen."""
        gone = self._bordered(height_px, width_px)
        for start, stop in self.bands:
            gone[start:stop] = True
        for left, top, right, bottom in self.blocks:
            gone[top:bottom, left:right] = True
        if self.circle_px is not None:
            x_px, y_px, radius_px = self.circle_px
            y, x = np.ogrid[:height_px, :width_px]
            gone |= np.hypot(x - x_px, y - y_px) > radius_px
        return gone

    def fill(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return an (H, W) or (H, W, 3) image with its lost pixels as the archive would hold them."""
        height, width = image.shape[:2]
        filled = image.copy()
        filled[self.lost(height, width)] = 0
        for left, top, right, bottom in self.blocks:
            filled[top:bottom, left:right] = self.blocks_level
        if self.border_noise:
            border = self._bordered(height, width)
            noise = rng.normal(self.border_noise, self.border_noise, (height, width)).clip(0, 12).astype(np.uint8)
            filled[border] = noise[border] if image.ndim == 2 else noise[border][:, None]
        return filled

    def _bordered(self, height_px: int, width_px: int) -> NDArray[np.bool_]:
        left, top, right, bottom = self.border_px
        gone = np.ones((height_px, width_px), bool)
        gone[top : height_px - bottom, left : width_px - right] = False
        return gone


def draw_loss(defect: Defect | None, height_px: int, width_px: int, rng: np.random.Generator) -> Loss:
    """Draw where a frame lacks pixels."""
    draw = _LOSSES.get(defect) if defect else None
    return draw(height_px, width_px, rng) if draw else Loss()


def _draw_border(height_px: int, width_px: int, rng: np.random.Generator) -> Loss:
    share = rng.uniform(0.05, 0.14, 4)
    left, right = round(share[0] * width_px), round(share[2] * width_px)
    top, bottom = (round(share[1] * height_px), round(share[3] * height_px)) if rng.random() < 0.5 else (0, 0)
    return Loss(border_px=(left, top, right, bottom))


def _draw_sensor_border(_height_px: int, width_px: int, _rng: np.random.Generator) -> Loss:
    """Of 1648 x 1200 pixels of Mastcam-Z, 23 columns left, 17 right and 2 rows on top are dark, but not black."""
    sides = (max(4, round(23 / 1648 * width_px)), 2, max(3, round(17 / 1648 * width_px)), 0)
    return Loss(border_px=sides, border_noise=2.0)


def _draw_vignette(height_px: int, width_px: int, rng: np.random.Generator) -> Loss:
    radius = float(rng.uniform(0.72, 0.77)) * float(np.hypot(width_px, height_px)) / 2
    return Loss(circle_px=(round(width_px / 2, 1), round(height_px / 2, 1), round(radius, 1)))


def _draw_bands(height_px: int, _width_px: int, rng: np.random.Generator) -> Loss:
    """Draw the lower half or quarter that never came, or three to six bands."""
    if rng.random() < 0.4:
        return Loss(bands=((round(height_px * rng.uniform(0.5, 0.75)), height_px),))
    count, thick = int(rng.integers(3, 7)), max(2, height_px // 32)
    places = max(1, height_px // (2 * thick))
    starts = np.sort(rng.choice(places, min(count, places), replace=False))
    return Loss(bands=tuple((int(s) * 2 * thick, int(s) * 2 * thick + thick) for s in starts))


def _draw_blocks(height_px: int, width_px: int, rng: np.random.Generator) -> Loss:
    """Draw one to three lost blocks on a grid of 16 pixels (8 in small frames), black or gray, none as wide as all."""
    grid_px = 16 if min(height_px, width_px) >= 128 else 8
    rows, columns = height_px // grid_px, width_px // grid_px
    blocks = []
    for _ in range(int(rng.integers(1, 4))):
        high = int(rng.integers(max(2, rows // 6), max(3, rows // 2)))
        wide = int(rng.integers(max(2, columns // 5), max(3, columns // 2)))
        top, left = int(rng.integers(0, rows - high)), int(rng.integers(0, columns - wide))
        right, bottom = left + wide, top + high
        blocks.append((left * grid_px, top * grid_px, right * grid_px, bottom * grid_px))
    return Loss(blocks=tuple(blocks), blocks_level=int(rng.choice([0, 128])))


_LOSSES: Final[dict[Defect, Callable[[int, int, np.random.Generator], Loss]]] = {
    "border": _draw_border,
    "sensor_border": _draw_sensor_border,
    "vignette": _draw_vignette,
    "stripes": _draw_bands,
    "blocks": _draw_blocks,
}


def line_noise(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the image interlaced (odd rows off by 16 to 30 levels) or with rows off at random (deviation 10 to 18)."""
    height = image.shape[0]
    if rng.random() < 0.5:
        offsets = np.tile([0.0, float(rng.choice([-1, 1])) * rng.uniform(16, 30)], height)[:height]
    else:
        offsets = np.asarray(rng.normal(0.0, rng.uniform(10, 18), height))
    shape = (height,) + (1,) * (image.ndim - 1)
    return np.clip(np.round(image + offsets.reshape(shape)), 0, 255).astype(np.uint8)


def overcompress(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the image as a JPEG of quality 3 to 8 leaves it."""
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(3, 9))])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)


def false_color(gray: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return an (H, W) picture through one filter as (H, W, 3), in one of `FALSE_COLORS`."""
    tint = np.array(FALSE_COLORS[int(rng.integers(len(FALSE_COLORS)))], np.float32)
    return np.round(gray[..., None] * tint).astype(np.uint8)


def blur(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Put a linear image badly out of focus: deviation 1.5 to 2.5 % of the width."""
    sigma = float(rng.uniform(0.015, 0.025)) * image.shape[1]
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def truncate(data: bytes, rng: np.random.Generator) -> bytes:
    """Return the first 30 to 60 % of a file."""
    return data[: int(len(data) * rng.uniform(0.3, 0.6))]
