"""Stones too small to be cut by planes: outlines with a lit cap, a dark foot and a shadow."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.sources.synthetic.lighting import Lighting
from rovervision.sources.synthetic.rocks import ROCKS, families_of
from rovervision.sources.synthetic.seeds import generator
from rovervision.sources.synthetic.terrain import DUST, Ground, height_m, shade
from rovervision.sources.synthetic.textures import Array
from rovervision.sources.synthetic.views import View

CORNERS = 8


@dataclass(frozen=True, slots=True)
class Stones:
    """N stones, farthest first."""

    spots: Array
    """(N, 2) metres right and ahead."""
    radii: Array
    """(N,) metres."""
    colors: Array
    """(N, 3) linear reflectance."""
    shapes: Array
    """(N, CORNERS) radius factors around the outline."""


def stones_of(seed: int, nearest_m: float, spread: float, abundance: float) -> Stones:
    """Return a scene's small stones, of the same kinds as its rocks."""
    rng = generator("stones", seed)
    count = int(300 * abundance)
    ahead = nearest_m * np.exp(rng.uniform(-0.2, 2.9, count))
    right = ahead * spread * rng.uniform(-1.2, 1.2, count)
    radii = np.clip(0.010 * (1 + rng.pareto(2.2, count)), 0.010, 0.08) * (0.5 + 0.17 * ahead)
    names, shares = families_of(generator("rocks", seed))
    base = np.array([np.array(ROCKS[n][0]) * (1 - ROCKS[n][1] * 0.4) + DUST * ROCKS[n][1] * 0.4 for n in names])
    colors = base[rng.choice(len(names), count, p=shares)] * rng.uniform(0.8, 1.3, (count, 1))
    shapes = rng.uniform(0.7, 1.1, (count, CORNERS))
    order = np.argsort(-ahead)
    arrays = (np.stack([right, ahead], 1), radii, colors, shapes)
    return Stones(*(array[order].astype(np.float32) for array in arrays))


def _seen(stones: Stones, spots: NDArray[np.floating], radius_px: Array, depth: Array) -> NDArray[np.intp]:
    """Return the indices of stones that are in the picture, not hidden, and of a size worth drawing."""
    rows, columns = depth.shape
    column, row = np.floor(spots[:, 0]).astype(int), np.floor(spots[:, 1]).astype(int)
    seen = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    seen &= (radius_px > 0.5) & (radius_px < 0.06 * columns)
    seen[seen] &= np.abs(np.log(depth[row[seen], column[seen]] / stones.spots[seen, 1])) < 0.2
    return np.flatnonzero(seen)


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    """Return coordinates with 4 fractional bits, as cv2 draws them."""
    return np.round(points * 16).astype(np.int32)


def _outlines(
    shapes: Array, spots: NDArray[np.floating], radius_px: Array, light: Lighting
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return (N, CORNERS, 2) polygons of shadow, body and lit cap."""
    angle = np.arange(CORNERS) * (2 * np.pi / CORNERS)
    unit = np.stack([np.cos(angle), 0.70 * np.sin(angle)], 1)
    outline = unit * shapes[..., None] * radius_px[:, None, None]
    center = spots[:, None, :] - np.array([0, 0.3]) * radius_px[:, None, None]
    reach = min(1.0 / np.tan(np.radians(max(light.elevation_deg, 15.0))), 2.6)
    level = max(float(np.hypot(light.sun[0], light.sun[1])), 1e-3)
    throw = np.array([-light.sun[0], 0.40 * light.sun[1]]) / level
    # The half of the foot that faces away from the sun moves out to the shadow's tip.
    away = (unit @ throw > 0)[None, :, None]
    foot = outline * [0.95, 0.6] + spots[:, None, :]
    shadow = foot + np.where(away, throw * reach * radius_px[:, None, None], 0.0)
    lean = np.array([light.sun[0] * 0.34, -0.16 - 0.16 * light.sun[2]]) * radius_px[:, None, None]
    return _fixed(shadow), _fixed(outline + center), _fixed(outline * 0.76 + center + lean)


def draw_stones(
    stones: Stones, ground: Ground, view: View, light: Lighting, *, image: Array, depth: Array
) -> NDArray[np.bool_]:
    """Paint stones and their shadows into the linear `image` in place; return (height, width) where stones now are."""
    x, y = stones.spots[:, 0], stones.spots[:, 1]
    base = height_m(ground, x[None, :], y[None, :])[0]
    spots = view.project(np.stack([x, y, base], 1))
    radius_px = view.focal_px * stones.radii / y
    seen = _seen(stones, spots, radius_px, depth)
    shadow, cover = np.zeros(depth.shape, np.uint8), np.zeros(depth.shape, np.uint8)
    paint = np.zeros((*depth.shape, 3), np.uint8)
    polygons = _outlines(stones.shapes[seen], spots[seen], radius_px[seen], light)
    facing = np.array([[light.sun[0] * 0.5, light.sun[1] * 0.4 - 0.25, 0.8]], np.float32)
    lit_tone = shade(facing, np.ones((1, 3), np.float32), light, np.ones((1, 1), np.float32))
    dark_tone = np.asarray(light.sky_color, np.float32) * 0.7 + 0.10 * np.asarray(light.sun_color, np.float32)
    # Square roots spread the dark tones over the 8 bits that cv2 can draw smoothly.
    codes = [
        np.round(np.sqrt(np.clip(stones.colors[seen] * tone, 0, 1)) * 255).tolist() for tone in (lit_tone, dark_tone)
    ]
    for cast, body, cap, lit, dark in zip(*polygons, *codes, strict=True):
        cv2.fillConvexPoly(shadow, cast, 225, cv2.LINE_AA, 4)
        cv2.fillConvexPoly(cover, body, 255, cv2.LINE_AA, 4)
        cv2.fillConvexPoly(paint, body, dark, cv2.LINE_8, 4)
        cv2.fillConvexPoly(paint, cap, lit, cv2.LINE_AA, 4)
    sun = np.asarray(light.sun_color, np.float32) * light.sun[2]
    image *= 1 - (sun / (sun + np.asarray(light.sky_color, np.float32))) * (shadow.astype(np.float32) / 255)[..., None]
    image += (np.square(paint.astype(np.float32) / 255) - image) * (cover.astype(np.float32) / 255)[..., None]
    return cover > 127
