"""One frame's pixels: scene, lens, sensor, and what went wrong."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.sources.regions import UNKNOWN
from rovervision.sources.synthetic.defects import (
    EXPOSURES,
    Loss,
    blur,
    draw_loss,
    false_color,
    line_noise,
    overcompress,
)
from rovervision.sources.synthetic.develop import bayer, distort, encode, exposure, noisy, panchromatic, tinted
from rovervision.sources.synthetic.painting import compose
from rovervision.sources.synthetic.plan import Shot
from rovervision.sources.synthetic.seeds import generator
from rovervision.sources.synthetic.textures import Array

Image = NDArray[np.uint8]


def chance(shot: Shot, purpose: str) -> np.random.Generator:
    """Return the frame's own generator for one purpose."""
    return generator("frame", shot.seed, shot.stem, purpose)


def loss_of(shot: Shot) -> Loss:
    """Return which pixels of the frame are missing."""
    return draw_loss(shot.defect, shot.scene.height_px, shot.scene.width_px, chance(shot, "loss"))


@lru_cache(maxsize=4)
def scene_light(shot: Shot) -> tuple[Array, Image]:
    """Return (linear RGB (height, width, 3), regions (height, width)) as the lens projects them."""
    camera = shot.camera
    linear, mask = compose(shot.scene, camera, camera.offset_m + shot.jitter_m)
    return distort(linear, camera.fisheye), distort(mask, camera.fisheye, labels=True)


@lru_cache(maxsize=4096)
def regions_png(shot: Shot) -> bytes:
    """Return the region numbers as a PNG, 0 where data are missing. A few kB each: kept, for rendering is dear."""
    mask = scene_light(shot)[1].copy()
    mask[loss_of(shot).lost(*mask.shape)] = UNKNOWN
    return cv2.imencode(".png", mask, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def truth_of(shot: Shot) -> Image:
    """Return (height, width, 3) uint8 sRGB without noise, JPEG or defect."""
    linear = scene_light(shot)[0]
    return encode(tinted(linear, shot.camera) * exposure(linear))


def photograph(shot: Shot) -> Image:
    """Return what the sensor sends: (height, width, 3) colour, (height, width) gray, or a mosaic in either form."""
    camera, linear = shot.camera, scene_light(shot)[0]
    low, high = EXPOSURES.get(shot.defect or "", (1.0, 1.0))
    factor = exposure(linear) * float(chance(shot, "exposure").uniform(low, high))
    if shot.defect == "blur":
        linear = blur(linear, chance(shot, "blur"))
    grain, gain = chance(shot, "noise"), 1.8 if shot.defect == "dark" else 1.0
    if camera.sensor == "gray" or shot.defect in ("gray_as_rgb", "narrow_band", "false_color"):
        image = noisy(panchromatic(linear, camera) * factor, camera, grain, gain)
    else:
        image = noisy(tinted(linear, camera) * factor, camera, grain, gain)
    return loss_of(shot).fill(_stored(image, shot), chance(shot, "fill"))


def _stored(image: Image, shot: Shot) -> Image:
    """Return the sensor's picture in the channels that its archive keeps, and with what happened on the way."""
    camera = shot.camera
    if shot.defect in ("gray_as_rgb", "narrow_band"):
        return np.repeat(image[..., None], 3, -1)
    if shot.defect == "false_color":
        return false_color(image, chance(shot, "tint"))
    if camera.sensor == "mosaic" or shot.defect == "mosaic":
        image = bayer(image)
        # Perseverance's archive keeps mosaics in three equal channels, Curiosity's in one.
        return np.repeat(image[..., None], 3, -1) if camera.rover == "perseverance" else image
    if shot.defect == "line_noise":
        return line_noise(image, chance(shot, "lines"))
    return overcompress(image, chance(shot, "quality")) if shot.defect == "heavy_jpeg" else image
