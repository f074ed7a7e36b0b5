"""Rocks: faceted bodies with dust on their backs, and the small stones between them."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.sources.synthetic.lighting import Lighting
from rovervision.sources.synthetic.seeds import generator
from rovervision.sources.synthetic.solids import Hit, Solid, placed, turned
from rovervision.sources.synthetic.terrain import DUST, Ground, height_m, shade
from rovervision.sources.synthetic.textures import Array, fractal, sample
from rovervision.sources.synthetic.views import View

# Linear reflectance and the share of dust that settles on top.
ROCKS: Final[dict[str, tuple[tuple[float, float, float], float]]] = {
    "basalt": ((0.125, 0.135, 0.150), 0.55),
    "pale_basalt": ((0.235, 0.252, 0.270), 0.45),
    "hematite": ((0.215, 0.150, 0.130), 0.40),
    "sandstone": ((0.430, 0.300, 0.175), 0.60),
    "pale": ((0.520, 0.430, 0.315), 0.35),
}


@dataclass(frozen=True, slots=True)
class Stones:
    """Stones too small to be cut by planes: arrays of N."""

    spots: Array
    """(N, 2) metres right and ahead."""
    radii: Array
    colors: Array
    """(N, 3) linear reflectance."""
    shapes: Array
    """(N, 7) radius factors around the outline."""


def _families(rng: np.random.Generator) -> tuple[list[str], NDArray[np.floating]]:
    names = list(ROCKS)
    shares = rng.dirichlet(np.array([1.4, 1.3, 0.5, 0.9, 0.5]))
    return names, shares


def _body(rng: np.random.Generator, spot: NDArray[np.floating], base_m: float, size_m: float, family: str) -> Solid:
    """Return one rock: 13 random facets, stretched, turned, sunk into the ground."""
    count = 13
    directions = rng.standard_normal((count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    # Six facets all round keep the body closed.
    frame = np.concatenate([np.eye(3), -np.eye(3)]) + rng.normal(0, 0.22, (6, 3))
    frame /= np.linalg.norm(frame, axis=1, keepdims=True)
    directions = np.concatenate([directions, frame])
    limits = np.concatenate([rng.uniform(0.66, 0.98, count), rng.uniform(0.8, 1.0, 6)])
    flat = rng.uniform(0.42, 0.85)
    half = size_m * np.array([rng.uniform(0.85, 1.3), rng.uniform(0.75, 1.1), flat])
    planes = directions / half
    norm = np.linalg.norm(planes, axis=1)
    center = np.array([spot[0], spot[1], base_m + half[2] * rng.uniform(0.1, 0.45)], np.float32)
    axes = turned(rng.uniform(0, np.pi), rng.normal(0, 0.12), rng.normal(0, 0.12))
    return placed(
        (planes / norm[:, None]).astype(np.float32),
        (limits / norm).astype(np.float32),
        center,
        axes,
        half,
        family,
        smooth="bevel",
        seed=int(rng.integers(2**31)),
    )


def rocks_of(seed: int, ground: Ground, nearest_m: float, spread: float, abundance: float) -> tuple[Solid, ...]:
    """Return a scene's rocks, farthest first: more and larger ones farther out, so that the picture is evenly strewn."""
    rng = generator("rocks", seed)
    count = 1 + int(rng.poisson(17 * abundance))
    ahead = nearest_m * np.exp(rng.uniform(0.0, 2.9, count))
    right = ahead * spread * rng.uniform(-1.15, 1.15, count)
    size = np.clip(0.045 * (1 + rng.pareto(2.1, count)), 0.045, 0.6) * (0.55 + 0.16 * ahead)
    size = np.minimum(size, 0.16 * ahead)
    names, shares = _families(rng)
    families = rng.choice(names, count, p=shares)
    order = np.argsort(-ahead)
    bases = height_m(ground, right[None, :].astype(np.float32), ahead[None, :].astype(np.float32))[0]
    return tuple(
        _body(rng, np.array([right[i], ahead[i]]), float(bases[i]), float(size[i]), str(families[i])) for i in order
    )


def stones_of(seed: int, nearest_m: float, spread: float, abundance: float) -> Stones:
    """Return a scene's small stones, farthest first."""
    rng = generator("stones", seed)
    count = int(330 * abundance)
    ahead = nearest_m * np.exp(rng.uniform(-0.2, 3.0, count) ** 1.0)
    right = ahead * spread * rng.uniform(-1.2, 1.2, count)
    radii = np.clip(0.009 * (1 + rng.pareto(2.4, count)), 0.009, 0.07) * (0.5 + 0.18 * ahead)
    names, shares = _families(generator("rocks", seed))
    base = np.array([np.array(ROCKS[n][0]) * (1 - ROCKS[n][1] * 0.5) + DUST * ROCKS[n][1] * 0.5 for n in names])
    colors = base[rng.choice(len(names), count, p=shares)] * rng.uniform(0.75, 1.15, (count, 1))
    order = np.argsort(-ahead)
    shapes = rng.uniform(0.7, 1.1, (count, 7))
    spots = np.stack([right, ahead], 1)
    return Stones(*(a[order].astype(np.float32) for a in (spots, radii, colors, shapes)))


def rock_color(solid: Solid, hit: Hit, light: Lighting, ground: Ground) -> Array:
    """Return linear RGB of a rock's surface, without cast shadows."""
    base, dusty = ROCKS[solid.material]
    scale = solid.half / 0.55
    u = hit.local[..., 0] * scale[0] + 0.7 * hit.local[..., 1] * scale[1]
    v = hit.local[..., 2] * scale[2] - 0.6 * hit.local[..., 1] * scale[1] + solid.seed % 97 / 97
    rough = sample(fractal(ground.seed + 21, 1.0, 6.0), u, v)
    pits = sample(fractal(ground.seed + 22, 0.8, 14.0), v + 0.3, u)
    bump = np.stack([rough, pits, 0.5 * rough - 0.5 * pits], -1) * 0.13
    normal = hit.normal + bump
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    albedo = np.asarray(base, np.float32) * np.clip(1 + 0.13 * rough + 0.10 * pits, 0.5, 1.5)[..., None]
    if solid.material in ("sandstone", "hematite"):
        bed = sample(fractal(ground.seed + 23, 0.9, 5.0), 0.02 * u, 1.1 * v)
        albedo = albedo * (1 + 0.16 * bed[..., None])
    settled = np.clip((hit.normal[..., 2] - 0.25) * 1.5 + 0.22 * rough, 0, 1)[..., None] * dusty
    albedo = albedo + (DUST * 0.95 - albedo) * settled
    foot = np.clip(1 + 0.45 * (hit.local[..., 2:3] + 0.1), 0.6, 1.0)
    return shade(normal, albedo * foot, light, np.ones_like(foot))


def draw_stones(
    stones: Stones, image: Array, depth: Array, ground: Ground, view: View, light: Lighting
) -> NDArray[np.bool_]:
    """Paint the small stones and their shadows into linear RGB in place; return where stones now are."""
    rows, columns = image.shape[:2]
    x, y = stones.spots[:, 0], stones.spots[:, 1]
    base = height_m(ground, x[None, :], y[None, :])[0]
    spots = view.project(np.stack([x, y, base], 1))
    radius_px = view.focal_px * stones.radii / y
    column, row = spots[:, 0].astype(int), spots[:, 1].astype(int)
    seen = (column >= 0) & (column < columns) & (row >= 0) & (row < rows) & (radius_px > 0.45) & (radius_px < 14)
    seen[seen] &= np.abs(np.log(depth[row[seen], column[seen]] / y[seen])) < 0.2
    shadow = np.zeros((rows, columns), np.uint8)
    cover, paint = shadow.copy(), np.zeros((rows, columns, 3), np.uint8)
    lit_color = shade(
        np.array([[light.sun[0] * 0.5, -0.45, 0.75]], np.float32), np.ones((1, 3), np.float32), light, np.ones((1, 1))
    )[0]
    dark_color = np.asarray(light.sky_color, np.float32) * 0.62
    for i in np.flatnonzero(seen):
        _draw_stone(
            spots[i],
            float(radius_px[i]),
            stones.shapes[i],
            stones.colors[i],
            (lit_color, dark_color),
            light,
            (shadow, cover, paint),
        )
    dim = _shadow_factor(light)
    image *= 1 - (1 - dim) * (shadow.astype(np.float32) / 255)[..., None]
    alpha = (cover.astype(np.float32) / 255)[..., None]
    image += (np.square(paint.astype(np.float32) / 255) - image) * alpha
    return cover > 127


def _shadow_factor(light: Lighting) -> Array:
    """Return what is left of level ground's light in a shadow, per channel."""
    sun = np.asarray(light.sun_color, np.float32) * light.sun[2]
    fill = np.asarray(light.sky_color, np.float32)
    return fill / (sun + fill)


def _draw_stone(
    spot: NDArray[np.floating],
    radius: float,
    shape: Array,
    color: Array,
    tones: tuple[Array, Array],
    light: Lighting,
    layers: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    """Paint one stone: cast shadow, dark body, lit cap. Coordinates carry 4 fractional bits; paint is square-root coded."""
    shadow, cover, paint = layers
    angle = np.arange(7) * (2 * np.pi / 7)
    outline = np.stack([np.cos(angle), 0.68 * np.sin(angle)], 1) * shape[:, None] * radius
    reach = min(1.0 / np.tan(np.radians(max(light.elevation_deg, 12))), 3.0) * 0.8
    throw = (
        np.array([-light.sun[0], 0.42 * light.sun[1]])
        / max(np.hypot(light.sun[0], light.sun[1]), 1e-3)
        * reach
        * radius
    )
    foot = spot + np.array([0, 0.25 * radius])
    hull = cv2.convexHull(
        np.concatenate([outline * [1, 0.6], outline * [0.8, 0.5] + throw]).astype(np.float32) + foot.astype(np.float32)
    )
    cv2.fillConvexPoly(shadow, np.round(hull * 16).astype(np.int32), 235, cv2.LINE_AA, 4)
    body = np.round((outline + spot - [0, 0.25 * radius]) * 16).astype(np.int32)
    code = [tuple(int(c) for c in np.sqrt(np.clip(color * tone, 0, 1)) * 255) for tone in tones]
    cv2.fillConvexPoly(cover, body, 255, cv2.LINE_AA, 4)
    cv2.fillConvexPoly(paint, body, code[1], cv2.LINE_8, 4)
    lean = np.array([light.sun[0] * 0.35, -0.30]) * radius
    cap = np.round((outline * 0.74 + spot - [0, 0.25 * radius] + lean) * 16).astype(np.int32)
    cv2.fillConvexPoly(paint, cap, code[0], cv2.LINE_AA, 4)
