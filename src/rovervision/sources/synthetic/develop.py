"""From light to file: lens, exposure, white balance, sensor, 8 bits, PNG or JPEG."""

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.sources.synthetic.cameras import Camera
from rovervision.sources.synthetic.textures import Array

Image = NDArray[np.uint8]

PANCHROMATIC: Final = np.array([0.64, 0.27, 0.09], np.float32)
"""Weights of linear R, G, B in a gray engineering camera. Its band lies at 600 to 800 nm: this is not CIE lightness."""

LEVELS: Final = 4096


@lru_cache(maxsize=1)
def _encoding() -> Image:
    """Return the sRGB curve (IEC 61966-2-1) on a soft shoulder, as a table over [0, 1.5]."""
    linear = np.linspace(0, 1.5, LEVELS)
    knee = 0.7
    rolled = np.where(linear < knee, linear, knee + (1 - knee) * (1 - np.exp(-(linear - knee) / (1 - knee))))
    coded = np.where(rolled <= 0.0031308, 12.92 * rolled, 1.055 * rolled ** (1 / 2.4) - 0.055)
    return np.round(np.clip(coded, 0, 1) * 255).astype(np.uint8)


def encode(linear: Array) -> Image:
    """Return sRGB bytes of linear values; 1.0 is white, what lies above rolls off."""
    index = np.clip(linear * ((LEVELS - 1) / 1.5), 0, LEVELS - 1).astype(np.uint16)
    return _encoding()[index]


def exposure(linear: Array) -> float:
    """Return the factor that brings the picture's upper middle to 30 % linear without burning its brightest parts."""
    light = linear[::4, ::4] @ np.array([0.3, 0.5, 0.2], np.float32)
    middle, bright = np.percentile(light, [55, 99])
    return float(min(0.27 / max(middle, 1e-3), 1.15 / max(bright, 1e-3)))


@lru_cache(maxsize=32)
def vignette(height_px: int, width_px: int, loss: float) -> Array:
    """Return (height, width, 1) factors: 1 in the middle, 1 - loss in the corners."""
    y = np.linspace(-1, 1, height_px, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width_px, dtype=np.float32)[None, :]
    radius2 = (x * x + y * y) / 2
    return (1 - loss * radius2 * (0.4 + 0.6 * radius2))[..., None]


@lru_cache(maxsize=8)
def _lens(height_px: int, width_px: int, bend: float) -> tuple[Array, Array]:
    y = np.linspace(-1, 1, height_px, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width_px, dtype=np.float32)[None, :]
    # Scaled so that the corners of the image still look at the scene's corners.
    stretch = (1 + bend * (x * x + y * y)) / (1 + 2 * bend)
    return (x * stretch + 1) * (width_px - 1) / 2, (y * stretch + 1) * (height_px - 1) / 2


def distort(image: NDArray, bend: float, *, labels: bool = False) -> NDArray:
    """Apply barrel distortion; `labels` keeps values whole."""
    if bend == 0:
        return image
    map_x, map_y = _lens(image.shape[0], image.shape[1], bend)
    return cv2.remap(
        image, map_x, map_y, cv2.INTER_NEAREST if labels else cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def tinted(linear: Array, camera: Camera) -> Array:
    """Return the light as the camera's white balance and lens pass it."""
    falloff = vignette(linear.shape[0], linear.shape[1], camera.vignette)
    return linear * (falloff * np.asarray(camera.tint, np.float32))


def panchromatic(linear: Array, camera: Camera) -> Array:
    """Return (height, width) gray light."""
    return (linear @ PANCHROMATIC) * vignette(linear.shape[0], linear.shape[1], camera.vignette)[..., 0]


def noisy(linear: Array, camera: Camera, rng: np.random.Generator, gain: float = 1.0) -> Image:
    """Encode with sensor noise; `gain` grows it where little light came in."""
    values = encode(linear).astype(np.float32)
    values += rng.standard_normal(values.shape, np.float32) * (camera.noise * gain)
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def bayer(rgb: Image) -> Image:
    """Return the (height, width) RGGB mosaic of a (height, width, 3) image: R at even rows and columns, B at odd."""
    mosaic = rgb[..., 1].copy()
    mosaic[0::2, 0::2] = rgb[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = rgb[1::2, 1::2, 2]
    return mosaic


def to_file(image: Image, camera: Camera) -> bytes:
    """Encode (height, width) gray or (height, width, 3) RGB as the camera's archive stores it."""
    pixels = image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])
    if camera.suffix == ".png":
        return cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg_quality])[1].tobytes()
