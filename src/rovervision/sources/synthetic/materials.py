"""What rover hardware is made of: paints, bare metal, gold foil, wheels, the calibration target."""

from collections.abc import Callable
from typing import Final

import numpy as np

from rovervision.sources.synthetic.lighting import Lighting
from rovervision.sources.synthetic.solids import Hit, Solid, unit
from rovervision.sources.synthetic.terrain import DUST, shade
from rovervision.sources.synthetic.textures import Array, fractal, sample

WHITE: Final = np.array([0.70, 0.70, 0.69], np.float32)
GRAY: Final = np.array([0.29, 0.29, 0.295], np.float32)
BLACK: Final = np.array([0.028, 0.028, 0.030], np.float32)
GOLD: Final = np.array([0.56, 0.37, 0.10], np.float32)
COPPER: Final = np.array([0.36, 0.19, 0.10], np.float32)
METAL: Final = np.array([0.42, 0.42, 0.43], np.float32)

CHIPS: Final = np.array([[0.05, 0.09, 0.33], [0.07, 0.25, 0.08], [0.58, 0.42, 0.05], [0.40, 0.05, 0.04]], np.float32)
"""Blue, green, yellow and red colour chips."""
RINGS: Final = np.array([0.04, 0.62, 0.20, 0.40, 0.04], np.float32)
"""Reflectance of the target's gray rings, from the middle outwards."""

Look = tuple[Array, Array, Array]
"""(albedo (..., 3), bump added to the normal (..., 3), strength of the highlight (..., 1))."""


def _plain(hit: Hit, albedo: Array, gloss: float) -> Look:
    shape = hit.depth.shape
    return (
        np.broadcast_to(albedo, (*shape, 3)).astype(np.float32).copy(),
        np.zeros((*shape, 3), np.float32),
        np.full((*shape, 1), gloss, np.float32),
    )


def _face_uv(hit: Hit) -> tuple[Array, Array]:
    """Return the two coordinates (-1..1) that lie in the face that was met."""
    axis = hit.face % 3
    u = np.where(axis == 0, hit.local[..., 1], hit.local[..., 0])
    v = np.where(axis == 2, hit.local[..., 1], hit.local[..., 2])
    return u, v


def _panel(solid: Solid, hit: Hit, base: Array, gloss: float) -> Look:
    """Painted sheet: seams, a row of bolts along the rim, faint stains."""
    albedo, bump, shine = _plain(hit, base, gloss)
    u, v = _face_uv(hit)
    rng_u, rng_v = 1 + solid.seed % 3, 1 + solid.seed // 3 % 2
    cell_u, cell_v = (u * 0.5 + 0.5) * rng_u % 1.0, (v * 0.5 + 0.5) * rng_v % 1.0
    edge = np.minimum(np.minimum(cell_u, 1 - cell_u) / rng_v, np.minimum(cell_v, 1 - cell_v) / rng_u)
    seam = np.clip(1 - np.abs(edge - 0.012) / 0.014, 0, 1)
    bolts = ((u * 7) % 1.0 - 0.5) ** 2 + ((v * 7) % 1.0 - 0.5) ** 2 < 0.045
    rim = (np.maximum(np.abs(u), np.abs(v)) > 0.80) & (np.maximum(np.abs(u), np.abs(v)) < 0.95)
    stain = sample(fractal(404, 1.4, 2.0), u * 0.3 + solid.seed % 89 / 89, v * 0.3)
    albedo *= (1 - 0.72 * seam - 0.35 * (bolts & rim) + 0.05 * stain)[..., None]
    return albedo, bump, shine


def _foil(solid: Solid, hit: Hit) -> Look:
    """Crinkled gold film: facets that flash."""
    albedo, bump, shine = _plain(hit, GOLD, 1.6)
    u, v = _face_uv(hit)
    crinkle_u = sample(fractal(505, 1.5, 3.0), u * 0.22 + solid.seed % 83 / 83, v * 0.22)
    crinkle_v = sample(fractal(506, 1.5, 3.0), v * 0.22, u * 0.22)
    bump[..., 0], bump[..., 2], bump[..., 1] = 0.34 * crinkle_u, 0.34 * crinkle_v, 0.2 * crinkle_u * crinkle_v
    return albedo * np.clip(1 + 0.22 * crinkle_u, 0.4, 1.7)[..., None], bump, shine


def _wheel(solid: Solid, hit: Hit) -> Look:
    """Machined wheel: chevron cleats outside; rim, spokes and dark hollow on the side."""
    albedo, bump, shine = _plain(hit, METAL, 0.5)
    across, ahead, up = hit.local[..., 0], hit.local[..., 1], hit.local[..., 2]
    angle = np.arctan2(up, ahead)
    chevron = np.abs((across + 1.0) % 1.0 - 0.5)
    turn = (angle * (20 / (2 * np.pi)) + 0.9 * chevron) % 1.0 - 0.5
    cleat = np.clip(1.6 - np.abs(turn) / 0.13, 0, 1)
    side = hit.face < 2
    tangent = np.stack([np.zeros_like(angle), -np.sin(angle), np.cos(angle)], -1) @ solid.axes
    edge = np.where(side, 0.0, np.sign(turn) * cleat * (1 - cleat) * 4)
    bump += (0.7 * edge[..., None] * tangent).astype(np.float32)
    radius = np.hypot(ahead, up)
    spoke = np.abs((angle * (6 / (2 * np.pi)) + 0.25 * radius) % 1.0 - 0.5) < 0.16 / np.maximum(radius * 1.6, 0.4)
    metal = (radius > 0.84) | (radius < 0.27) | spoke
    face = np.where(metal, 0.80 - 0.3 * (radius < 0.12), 0.07) * np.where(np.abs(radius - 0.90) < 0.025, 0.4, 1.0)
    grime = sample(fractal(606, 1.2, 3.0), angle / 6.283, across * 0.4)
    factor = np.where(side, face, 0.17 + 0.52 * cleat) * (1 + 0.08 * grime)
    albedo = albedo * factor[..., None]
    dusty = np.clip(0.07 + 0.07 * grime, 0, 0.3)[..., None]
    return albedo + (DUST * 0.7 - albedo) * dusty, bump, shine * 0.6


def _target(hit: Hit, gloss: float = 0.25) -> Look:
    """Calibration target: gray rings on a dark plate, a colour chip in every corner."""
    albedo, bump, shine = _plain(hit, BLACK * 2.2, gloss)
    u, v = _face_uv(hit)
    radius = np.hypot(u, v)
    ring = RINGS[np.clip((radius / 0.155).astype(int), 0, RINGS.size - 1)]
    top = hit.face == 2
    albedo = np.where((top & (radius < 0.72))[..., None], np.broadcast_to(ring[..., None], albedo.shape), albedo)
    corner = (u > 0).astype(int) + 2 * (v > 0).astype(int)
    chip = top & (np.maximum(np.abs(np.abs(u) - 0.76), np.abs(np.abs(v) - 0.76)) < 0.17)
    return np.where(chip[..., None], CHIPS[corner], albedo).astype(np.float32), bump, shine


def _banded(hit: Hit, base: Array, gloss: float) -> Look:
    """Tube with clamps; its ends have a rim, a ring of bolts and a boss."""
    albedo, bump, shine = _plain(hit, base, gloss)
    clamp = np.abs((hit.local[..., 0] * 2.5) % 1.0 - 0.5) < 0.05
    radius, angle = np.hypot(hit.local[..., 1], hit.local[..., 2]), np.arctan2(hit.local[..., 2], hit.local[..., 1])
    bolts = (np.abs((angle * (10 / (2 * np.pi))) % 1.0 - 0.5) < 0.2) & (np.abs(radius - 0.72) < 0.07)
    groove = (np.abs(radius - 0.88) < 0.03) | (np.abs(radius - 0.42) < 0.035)
    end = np.where(bolts, 0.35, np.where(groove, 0.5, np.where(radius < 0.40, 1.15, 0.8)))
    albedo *= np.where(hit.face < 2, end, np.where(clamp, 0.42, 1.0))[..., None]
    return albedo, bump, shine


MATERIALS: Final[dict[str, Callable[[Solid, Hit], Look]]] = {
    "white_panel": lambda solid, hit: _panel(solid, hit, WHITE, 0.25),
    "gray_panel": lambda solid, hit: _panel(solid, hit, GRAY, 0.35),
    "black_panel": lambda solid, hit: _panel(solid, hit, BLACK, 0.5),
    "white": lambda solid, hit: _banded(hit, WHITE, 0.3),
    "gray": lambda solid, hit: _banded(hit, GRAY, 0.5),
    "black": lambda solid, hit: _banded(hit, BLACK, 0.7),
    "metal": lambda solid, hit: _banded(hit, METAL, 1.4),
    "copper": lambda solid, hit: _plain(hit, COPPER, 0.9),
    "foil": _foil,
    "wheel": _wheel,
    "target": lambda solid, hit: _target(hit),
}


def hardware_color(solid: Solid, hit: Hit, rays: Array, light: Lighting, shadow: Array) -> Array:
    """Return linear RGB of a piece of hardware: paint, highlight, and a film of dust on what faces up."""
    albedo, bump, gloss = MATERIALS[solid.material](solid, hit)
    normal = unit(hit.normal + bump)
    film = np.clip(normal[..., 2:3] - 0.3, 0, 1) * 0.10
    albedo = albedo + (DUST - albedo) * film
    color = shade(normal, albedo, light, shadow)
    sun = np.asarray(light.sun, np.float32)
    middle = unit(sun - unit(rays))
    facing = normal[..., 0] * middle[..., 0] + normal[..., 1] * middle[..., 1] + normal[..., 2] * middle[..., 2]
    flash = np.clip(facing, 0, 1)[..., None] ** 36 * gloss * shadow
    tint = (
        GOLD / GOLD[0]
        if solid.material == "foil"
        else COPPER / COPPER[0]
        if solid.material == "copper"
        else np.ones(3, np.float32)
    )
    return (color + 0.55 * flash * tint * np.asarray(light.sun_color, np.float32)).astype(np.float32)
