"""Above the ground: dusty sky, and ridges that fade with distance."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.sources.synthetic.lighting import Lighting
from rovervision.sources.synthetic.seeds import generator
from rovervision.sources.synthetic.terrain import DUST
from rovervision.sources.synthetic.textures import Array, fractal, sample
from rovervision.sources.synthetic.views import View


@dataclass(frozen=True, slots=True)
class Ridge:
    """One skyline of hills."""

    seed: int
    """Of the textures, shared by all ridges."""
    phase: float
    """Where in the textures this ridge begins, 0 to 1."""
    rise: float
    """Mean height over distance (tangent of the elevation)."""
    rough: float
    haze: float
    """Share of the colour that the air adds."""
    tone: float


def ridges_of(seed: int, texture_seed: int) -> tuple[Ridge, ...]:
    """Return a place's ridges, farthest first. Textures are dear and shared; each ridge takes its own part of them."""
    rng = generator("ridges", seed)
    count = int(rng.integers(2, 5))
    return tuple(
        Ridge(
            seed=texture_seed,
            phase=float(rng.uniform()),
            rise=float((0.115 - 0.085 * (i / count)) * rng.uniform(0.55, 1.25)),
            rough=float(rng.uniform(0.02, 0.05) * (1.0 - 0.55 * i / count)),
            haze=float(0.80 - 0.50 * (i + rng.uniform(0, 0.5)) / count),
            tone=float(rng.uniform(0.65, 1.05)),
        )
        for i in range(count)
    )


def sky(light: Lighting, rays: Array) -> Array:
    """Return (rows, columns, 3) linear radiance of the sky; traced at a quarter of the size, for it is smooth."""
    rows, columns = rays.shape[:2]
    coarse = cv2.resize(rays, (columns // 4 + 2, rows // 4 + 2), interpolation=cv2.INTER_LINEAR)
    direction = coarse / np.sqrt((coarse * coarse).sum(-1, keepdims=True))
    up = np.clip(direction[..., 2:3], 0, 1)
    blend = np.exp(-up * (3.6 - 1.2 * light.dust))
    zenith, horizon = np.asarray(light.zenith_color, np.float32), np.asarray(light.horizon_color, np.float32)
    near_sun = np.clip(direction @ np.asarray(light.sun, np.float32), 0, 1)[..., None]
    # Forward scattering by dust: a broad bright glow, and bluish close to a low sun.
    glow = 0.55 * near_sun**6 + 0.9 * near_sun**60
    tint = np.array([-0.08, 0.0, 0.12], np.float32) if light.elevation_deg < 22 else np.zeros(3, np.float32)
    color = (zenith + (horizon - zenith) * blend) * (1 + glow) * (1 + tint * near_sun**8)
    return np.asarray(cv2.resize(color.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def _profile(ridge: Ridge, bearing: Array) -> Array:
    """Return the tangent of the skyline's elevation at bearings in radians (1-D)."""
    line = np.full((1, bearing.size), ridge.phase, np.float32)
    hills = sample(fractal(ridge.seed, 1.7, 2.0), bearing[None, :] / (2 * np.pi), line)[0]
    crags = sample(fractal(ridge.seed + 1, 1.1, 6.0), bearing[None, :] / 1.1, line)[0]
    # Flat tops: Martian ridges are worn down to mesas and benches.
    return ridge.rise + ridge.rough * (np.tanh(hills * 1.1) + 0.07 * crags)


def _hillside(ridge: Ridge, bearing: Array, below: Array, light: Lighting) -> Array:
    """Return (height, width, 3) lit slopes; `below` is the tangent under the skyline, 0 at the crest."""
    gullies = sample(
        fractal(ridge.seed + 2, 1.0, 3.0),
        np.broadcast_to(bearing[None, :] / 0.9 + ridge.phase, below.shape),
        below * 1.1 + ridge.phase,
    )
    strata = sample(
        fractal(ridge.seed + 3, 1.2, 5.0),
        np.broadcast_to(bearing[None, :] * 0.06, below.shape),
        below * 4.0 + ridge.phase,
    )
    side = float(np.sin(np.radians(light.azimuth_deg))) * 0.16
    facing = np.clip(0.62 * light.sun[2] + 0.30 + side * gullies + 0.05 * gullies, 0.08, None)[..., None]
    albedo = DUST * ridge.tone * (1 + 0.13 * strata[..., None] + 0.05 * gullies[..., None])
    return albedo * (facing * np.asarray(light.sun_color, np.float32) + np.asarray(light.sky_color, np.float32))


def backdrop(
    view: View, light: Lighting, ridges: tuple[Ridge, ...], view_rad: float, rays: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Paint sky and ridges along (rows, columns, 3) rays; return (linear RGB, bool (rows, columns): a ridge stands)."""
    image = sky(light, rays)
    covered = np.zeros(image.shape[:2], bool)
    bearing = (view_rad + np.arctan(rays[0, :, 0])).astype(np.float32)
    tangent = rays[..., 2] / np.sqrt(1 + rays[0, :, 0] ** 2)[None, :]
    haze_color = np.asarray(light.horizon_color, np.float32)
    for ridge in ridges:
        below = _profile(ridge, bearing)[None, :] - tangent
        rows = np.flatnonzero(below.max(1) * view.focal_px > -0.5)
        if rows.size == 0:
            continue
        part = slice(int(rows[0]), image.shape[0])
        alpha = np.clip(below[part] * view.focal_px + 0.5, 0, 1)[..., None]
        slope = _hillside(ridge, bearing, below[part], light)
        haze = float(np.clip(ridge.haze * (0.75 + 0.4 * light.dust), 0.1, 0.94))
        image[part] += (slope + (haze_color - slope) * haze - image[part]) * alpha
        covered[part] |= alpha[..., 0] > 0.5
    return image, covered
