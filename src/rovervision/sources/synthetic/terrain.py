"""The ground: rolling height field with ripples, slabs or pebbles, seen in perspective."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from rovervision.sources.synthetic.lighting import Lighting
from rovervision.sources.synthetic.textures import TILE_PX, Array, fractal, pebbles, ripples, sample, slabs, slopes
from rovervision.sources.synthetic.views import View

Kind = Literal["regolith", "slabs", "ripples", "dark_sand"]
KINDS: Final[tuple[Kind, ...]] = ("regolith", "slabs", "ripples", "dark_sand")

# Linear reflectances under white light. Ochre dust and bluish basalt sand meet at the same lightness.
DUST: Final = np.array([0.430, 0.285, 0.150], np.float32)
SAND: Final = np.array([0.300, 0.190, 0.098], np.float32)
PALE: Final = np.array([0.520, 0.405, 0.270], np.float32)
BASALT_SAND: Final = np.array([0.120, 0.116, 0.112], np.float32)

BROAD_M: Final = 56.0
"""Period of the rolling terrain in metres."""
STEPS: Final = 150
FAR_M: Final = 160.0


@dataclass(frozen=True, slots=True)
class Track:
    """Two wheel tracks that run straight over the ground."""

    start_m: float
    """Where their middle crosses the line level with the camera."""
    slant: float
    """Metres to the right per metre ahead."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A place's ground."""

    kind: Kind
    seed: int
    relief_m: float
    """Deviation of the rolling terrain."""
    offset_m: tuple[float, float]
    turn_rad: float
    """Turn of the textures against the viewing direction."""
    redness: float
    """-1 yellowish to 1 reddish dust."""
    track: Track | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    """One wrapping texture set: (size, size, 4) of height (m), slopes and tone; `period_m` wide."""

    period_m: float
    layers: Array


def _tile(height_m: Array, tone: Array, period_m: float) -> Tile:
    dx, dy = slopes(height_m, period_m / TILE_PX)
    return Tile(period_m, np.ascontiguousarray(np.stack([height_m, dx, dy, tone], -1), np.float32))


@lru_cache(maxsize=16)
def kind_tile(kind: Kind, seed: int) -> Tile:
    """Return the texture that makes the kind of ground; tone 0..1 mixes the ground's two materials."""
    if kind == "slabs":
        level, plate = slabs(seed, 70)
        rough = fractal(seed + 7, 1.5, 4.0)
        height = 0.085 * level + 0.006 * rough * level
        return _tile(height, np.clip(level * (1.0 + 0.25 * plate) + 0.08 * rough, 0, 1), 7.0)
    if kind == "ripples":
        crest = ripples(seed, 9)
        height = 0.17 * crest + 0.004 * fractal(seed + 7, 1.2, 8.0)
        return _tile(height, np.clip(0.15 + 0.8 * crest + 0.08 * fractal(seed + 8, 1.4, 3.0), 0, 1), 11.0)
    if kind == "dark_sand":
        crest = ripples(seed, 22)
        drift = fractal(seed + 8, 1.8, 1.0)
        return _tile(0.032 * crest + 0.03 * drift, np.clip(0.45 + 0.45 * drift, 0, 1), 9.0)
    stones = pebbles(seed, 1500)
    clods = fractal(seed + 7, 1.3, 3.0)
    texel = 5.0 / TILE_PX
    return _tile(texel * stones + 0.012 * clods, np.clip(0.42 + 0.16 * clods + 0.09 * stones, 0, 1), 5.0)


@lru_cache(maxsize=8)
def broad_tile(seed: int) -> Tile:
    """Return the rolling terrain (height of deviation 1 m) with large dust patches as tone (deviation 1)."""
    return _tile(fractal(seed, 2.1, 1.0), fractal(seed + 3, 1.3, 1.0), BROAD_M)


@lru_cache(maxsize=8)
def grain_tile(seed: int) -> Tile:
    """Return the finest grain, 0.9 m wide: gravel and crumbs."""
    stones = pebbles(seed + 5, 2600)
    height = (stones * 0.75 + 0.9 * fractal(seed + 6, 0.7, 10.0)) * (0.9 / TILE_PX)
    return _tile(height, 0.10 * stones + 0.22 * fractal(seed + 9, 0.6, 6.0), 0.9)


def texture(tile: Tile, ground: Ground, x: Array, y: Array) -> Array:
    """Sample a tile at metres; returns (..., 4) with slopes turned into the view's axes."""
    c, s = float(np.cos(ground.turn_rad)), float(np.sin(ground.turn_rad))
    u = (c * x + s * y + ground.offset_m[0]) / tile.period_m
    v = (c * y - s * x + ground.offset_m[1]) / tile.period_m
    values = sample(tile.layers, u, v)
    du, dv = values[..., 1].copy(), values[..., 2].copy()
    values[..., 1], values[..., 2] = c * du - s * dv, s * du + c * dv
    return values


def level_near(y: Array) -> Array:
    """Return 0 under the rover to 1 from 9 m on: the rover parks on level ground."""
    part = np.clip((y - 1.0) / 8.0, 0, 1)
    return part * part * (3 - 2 * part)


def height_m(ground: Ground, x: Array, y: Array) -> Array:
    """Return the terrain's height at metres right and ahead of the rover (2-D arrays)."""
    broad = texture(broad_tile(ground.seed), ground, x, y)[..., 0]
    height = ground.relief_m * level_near(y) * broad
    if ground.kind == "ripples":
        height = height + texture(kind_tile(ground.kind, ground.seed), ground, x, y)[..., 0]
    return height


def depths(ground: Ground, view: View) -> Array:
    """March every column over the height field; return (height, width) depth in metres, inf above the skyline."""
    rows = np.arange(view.height_px) + 0.5
    lowest = max(view.height_px - view.horizon_px, 8.0)
    near = 0.6 * view.focal_px * view.origin[2] / lowest
    steps = np.geomspace(near, FAR_M, STEPS).astype(np.float32)[:, None]
    columns = (np.arange(view.width_px, dtype=np.float32) + 0.5 - view.width_px / 2) / view.focal_px
    heights = height_m(
        ground, view.origin[0] + columns[None, :] * steps, np.broadcast_to(steps, (STEPS, view.width_px))
    )
    crossing = view.horizon_px + view.focal_px * (view.origin[2] - heights) / steps
    skyline = np.minimum.accumulate(crossing, axis=0)
    # Equal rows where a hill hides what lies behind it: a hair of slope keeps them ordered.
    skyline -= np.arange(STEPS, dtype=np.float32)[:, None] * 1e-4
    log_steps = np.log(steps[:, 0])
    depth = np.empty((view.height_px, view.width_px), np.float32)
    for column in range(view.width_px):
        depth[:, column] = np.interp(rows, skyline[::-1, column], log_steps[::-1], left=np.inf)
    return np.exp(depth)


def _albedo(ground: Ground, tone: Array, patch: Array, grain: Array) -> Array:
    """Mix the ground's materials; all arguments (..., 1)."""
    dust = DUST * np.array(
        [1 + 0.06 * ground.redness, 1 - 0.03 * ground.redness, 1 - 0.16 * ground.redness], np.float32
    )
    low, high = {
        "regolith": (SAND, dust),
        "slabs": (SAND * 0.85, 0.55 * dust + 0.45 * PALE),
        "ripples": (SAND, dust * 1.08),
        "dark_sand": (BASALT_SAND, 0.55 * BASALT_SAND + 0.45 * dust),
    }[ground.kind]
    albedo = low + (high - low) * tone
    veil = np.clip(0.18 + 0.16 * patch, 0, 0.55) * (0.4 if ground.kind == "dark_sand" else 1.0)
    albedo = albedo + (dust - albedo) * veil
    return albedo * np.clip(1.0 + grain, 0.45, 1.6)


def shade(normal: Array, albedo: Array, light: Lighting, shadow: Array) -> Array:
    """Return linear RGB of matt surfaces: normal (..., 3), albedo (..., 3), shadow (..., 1) 1 = fully lit."""
    sun, sky = np.asarray(light.sun_color, np.float32), np.asarray(light.sky_color, np.float32)
    # Light that the ground throws back warms whatever leans down; sky and bounce are both linear in the normal's rise.
    bounce = 0.22 * light.sun[2] * sun * DUST / DUST[0]
    facing = np.maximum(normal @ np.asarray(light.sun, np.float32), 0)[..., None] * shadow
    received = facing * sun
    received += normal[..., 2:3] * (0.5 * (sky - bounce))
    received += 0.5 * (sky + bounce)
    received *= albedo
    return received


def imprint(track: Track, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Return (slope right, slope ahead, darkening 0..1) of wheel tracks 0.44 m wide, 2.3 m apart, with cleat marks."""
    across = (x - track.start_m - track.slant * y) / float(np.sqrt(1 + track.slant**2))
    along = y * float(np.sqrt(1 + track.slant**2)) + track.slant * across
    wheel = np.abs(np.abs(across) - 1.15)
    inside = np.clip((0.22 - wheel) / 0.05, 0, 1)
    wall = np.clip(1 - np.abs(wheel - 0.22) / 0.07, 0, 1) * np.sign(np.abs(across) - 1.15) * np.sign(across)
    # A cleat every 9 cm, bent like a chevron.
    cleat = np.sin((along + 0.35 * wheel) * (2 * np.pi / 0.09))
    return 0.42 * wall, 0.38 * inside * cleat, inside


def surface(ground: Ground, x: Array, y: Array, depth: Array, view: View) -> tuple[Array, Array, Array]:
    """Return (albedo, normal, ambient occlusion) of the ground points at metres x, y seen from `depth`."""
    broad = texture(broad_tile(ground.seed), ground, x, y)
    middle = texture(kind_tile(ground.kind, ground.seed), ground, x, y)
    fine = texture(grain_tile(ground.seed), ground, x, y)
    footprint = depth / view.focal_px * np.sqrt(np.clip(depth / view.origin[2], 1, None))
    keep_fine = 1 / (1 + (footprint / 0.012) ** 2)
    keep_middle = 1 / (1 + (footprint / 0.16) ** 2)
    relief = ground.relief_m * level_near(y)
    slope = relief[..., None] * broad[..., 1:3] + keep_middle[..., None] * middle[..., 1:3]
    slope = slope + 0.8 * keep_fine[..., None] * fine[..., 1:3]
    pressed = np.zeros_like(depth)
    if ground.track is not None:
        right, ahead, pressed = imprint(ground.track, x, y)
        sharp = 1 / (1 + (footprint / 0.05) ** 2)
        slope = slope * (1 - 0.6 * pressed[..., None]) + np.stack([right * keep_middle, ahead * sharp], -1)
    normal = np.concatenate([-slope, np.ones_like(slope[..., :1])], -1)
    normal /= np.sqrt(slope[..., :1] ** 2 + slope[..., 1:] ** 2 + 1)
    tone = 0.5 + (middle[..., 3:4] - 0.5) * (0.35 + 0.65 * keep_middle[..., None])
    albedo = _albedo(ground, tone, broad[..., 3:4], (fine[..., 3] * keep_fine)[..., None])
    hollow = {"slabs": 0.085, "ripples": 0.17}.get(ground.kind, 0.06)
    occlusion = 1 - 0.35 * keep_middle * np.clip(0.6 - middle[..., 0] / hollow, 0, 1)
    # Wheels press the bright dust away and leave the darker soil beneath.
    return albedo * (1 - 0.22 * pressed[..., None]), normal, occlusion[..., None]
