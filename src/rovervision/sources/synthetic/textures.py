"""Periodic textures in numpy: fractal noise, pebbles, slabs, ripples. Every tile wraps around at its edges."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.sources.synthetic.seeds import generator

Array = NDArray[np.floating]

TILE_PX = 512


@lru_cache(maxsize=64)
def fractal(seed: int, slope: float = 1.0, coarsest: float = 1.0, size_px: int = TILE_PX) -> Array:
    """Return (size, size) float32 noise, mean 0, deviation 1, amplitude falling as frequency^-slope from `coarsest`."""
    white = generator("fractal", seed).standard_normal((size_px, size_px))
    fy = np.fft.fftfreq(size_px, 1 / size_px)[:, None]
    fx = np.fft.rfftfreq(size_px, 1 / size_px)[None, :]
    frequency = np.hypot(fy, fx)
    weight = np.where(frequency >= coarsest, np.maximum(frequency, 1.0) ** -slope, 0.0)
    noise = np.fft.irfft2(np.fft.rfft2(white) * weight, s=(size_px, size_px))
    return (noise / noise.std()).astype(np.float32)


def slopes(height: Array, texel_m: float) -> tuple[Array, Array]:
    """Return dz/dx and dz/dy of a wrapping height map in metres."""
    dx = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) / (2 * texel_m)
    dy = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) / (2 * texel_m)
    return dx.astype(np.float32), dy.astype(np.float32)


def pebbles(seed: int, count: int, size_px: int = TILE_PX) -> Array:
    """Return (size, size) float32 heights of half-buried pebbles, in texels; sizes fall off as a power law."""
    rng = generator("pebbles", seed)
    height = np.zeros((size_px, size_px), np.float32)
    radius = np.clip(1.6 * rng.pareto(2.2, count) + 1.4, 1.4, 15.0)
    for (cx, cy), r, squash, turn in zip(
        rng.uniform(0, size_px, (count, 2)),
        radius,
        rng.uniform(0.6, 1.0, count),
        rng.uniform(0, np.pi, count),
        strict=True,
    ):
        n = int(np.ceil(r)) + 1
        dy, dx = np.mgrid[-n : n + 1, -n : n + 1].astype(np.float32)
        u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        bump = 0.75 * r * np.sqrt(np.clip(1 - (u / r) ** 2 - (v / (r * squash)) ** 2, 0, 1))
        rows = (np.arange(-n, n + 1) + int(cy)) % size_px
        columns = (np.arange(-n, n + 1) + int(cx)) % size_px
        spot = np.ix_(rows, columns)
        height[spot] = np.maximum(height[spot], bump)
    return height


def slabs(seed: int, count: int, size_px: int = TILE_PX) -> tuple[Array, Array]:
    """Return (height in 0..1, plate value in -1..1) of cracked pavement: plates with bevelled rims and sand between."""
    # Half size is fine enough for plates, and a quarter of the work.
    full_px, size_px = size_px, size_px // 2
    rng = generator("slabs", seed)
    sites = rng.uniform(0, size_px, (count, 2))
    warp = fractal(seed + 1, 1.6, 2.0, size_px) * 3.5, fractal(seed + 2, 1.6, 2.0, size_px) * 3.5
    grid = np.arange(size_px, dtype=np.float32)
    x, y = grid[None, :] + warp[0], grid[:, None] + warp[1]
    nearest = np.full((size_px, size_px), np.inf, np.float32)
    second = nearest.copy()
    plate = np.zeros((size_px, size_px), np.float32)
    for (sx, sy), value in zip(sites, rng.uniform(-1, 1, count), strict=True):
        dx = np.abs((x - sx + size_px / 2) % size_px - size_px / 2)
        dy = np.abs((y - sy + size_px / 2) % size_px - size_px / 2)
        distance = np.sqrt(dx * dx + dy * dy)
        closer = distance < nearest
        second = np.where(closer, nearest, np.minimum(second, distance))
        plate[closer] = value
        nearest = np.minimum(nearest, distance)
    rim = np.clip((second - nearest) / 4.5, 0, 1)
    level = rim * rim * (3 - 2 * rim) * (0.62 + 0.38 * plate)
    # Two texels from the far side on every edge, so that enlarging does not break the wrap.
    framed = np.pad(np.stack([level, plate], -1), ((2, 2), (2, 2), (0, 0)), mode="wrap")
    whole = cv2.resize(framed, (full_px + 8, full_px + 8), interpolation=cv2.INTER_LINEAR)[4:-4, 4:-4]
    return np.ascontiguousarray(whole[..., 0], np.float32), np.ascontiguousarray(whole[..., 1], np.float32)


def ripples(seed: int, crests: int, size_px: int = TILE_PX) -> Array:
    """Return (size, size) float32 heights in 0..1 of wind ripples across y: sharp crests that wander and fork."""
    grid = np.linspace(0, 1, size_px, endpoint=False, dtype=np.float32)
    wander = 0.055 * fractal(seed, 2.4, 1.0, size_px) + 0.006 * fractal(seed + 1, 1.4, 4.0, size_px)
    phase = (crests * (grid[:, None] + wander * 4.0 / crests)) % 1.0
    # Wind side long and gentle, lee side short and steep.
    profile = np.where(phase < 0.68, phase / 0.68, (1 - phase) / 0.32)
    profile = profile * profile * (3 - 2 * profile)
    vigour = np.clip(0.75 + 0.3 * fractal(seed + 2, 2.0, 1.0, size_px), 0.15, 1.3)
    return cv2.GaussianBlur((profile * vigour).astype(np.float32), (0, 0), 1.2, borderType=cv2.BORDER_REFLECT_101)


def sample(tile: Array, x: Array, y: Array) -> Array:
    """Sample a wrapping tile at coordinates given in tiles (1 is a whole period); any shape up to 2-D."""
    size = tile.shape[0]
    # A fraction by floor is several times faster than by remainder.
    map_x = ((x - np.floor(x)) * size).astype(np.float32, copy=False)
    map_y = ((y - np.floor(y)) * size).astype(np.float32, copy=False)
    return np.asarray(cv2.remap(tile, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)
