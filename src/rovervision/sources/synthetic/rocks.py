"""Rocks: faceted bodies with dust on their backs."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rovervision.sources.synthetic.lighting import Lighting
from rovervision.sources.synthetic.seeds import generator
from rovervision.sources.synthetic.solids import Hit, Solid, placed, turned, unit
from rovervision.sources.synthetic.terrain import DUST, Ground, height_m, shade
from rovervision.sources.synthetic.textures import Array, fractal, sample

# Linear reflectance and the share of dust that settles on top.
ROCKS: Final[dict[str, tuple[tuple[float, float, float], float]]] = {
    "basalt": ((0.125, 0.135, 0.150), 0.55),
    "pale_basalt": ((0.235, 0.252, 0.270), 0.45),
    "hematite": ((0.215, 0.150, 0.130), 0.40),
    "sandstone": ((0.430, 0.300, 0.175), 0.60),
    "pale": ((0.520, 0.430, 0.315), 0.35),
}


def families_of(rng: np.random.Generator) -> tuple[list[str], NDArray[np.floating]]:
    """Draw which kinds of rock lie about, and their shares."""
    names = list(ROCKS)
    shares = rng.dirichlet(np.array([1.0, 1.5, 0.7, 1.1, 0.7]))
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
        planes / norm[:, None],
        limits / norm,
        center,
        axes,
        half=half.astype(np.float32),
        material=family,
        smooth="bevel",
        seed=int(rng.integers(2**31)),
    )


def rocks_of(seed: int, ground: Ground, nearest_m: float, spread: float, abundance: float) -> tuple[Solid, ...]:
    """Return a scene's rocks, farthest first: larger ones farther out, so that the picture is evenly strewn."""
    rng = generator("rocks", seed)
    count = 1 + int(rng.poisson(17 * abundance))
    ahead = nearest_m * np.exp(rng.uniform(0.0, 2.9, count))
    right = ahead * spread * rng.uniform(-1.15, 1.15, count)
    size = np.clip(0.045 * (1 + rng.pareto(2.1, count)), 0.045, 0.6) * (0.55 + 0.16 * ahead)
    # A boulder fills a tenth of the picture near by and less far off.
    size = np.minimum(size, spread * ahead * np.clip(0.55 - 0.09 * np.log(ahead / nearest_m), 0.12, 0.4))
    names, shares = families_of(rng)
    families = rng.choice(names, count, p=shares)
    order = np.argsort(-ahead)
    bases = height_m(ground, right[None, :].astype(np.float32), ahead[None, :].astype(np.float32))[0]
    return tuple(
        _body(rng, np.array([right[i], ahead[i]]), float(bases[i]), float(size[i]), str(families[i])) for i in order
    )


def rock_color(solid: Solid, hit: Hit, light: Lighting, ground: Ground) -> Array:
    """Return linear RGB of a rock's surface, without cast shadows."""
    base, dusty = ROCKS[solid.material]
    scale = solid.half / 0.55
    u = hit.local[..., 0] * scale[0] + 0.7 * hit.local[..., 1] * scale[1]
    v = hit.local[..., 2] * scale[2] - 0.6 * hit.local[..., 1] * scale[1] + solid.seed % 97 / 97
    rough = sample(fractal(ground.seed + 21, 1.0, 6.0), u, v)
    pits = sample(fractal(ground.seed + 22, 0.8, 14.0), v + 0.3, u)
    bump = np.stack([rough, pits, 0.5 * rough - 0.5 * pits], -1) * 0.13
    normal = unit(hit.normal + bump)
    albedo = np.asarray(base, np.float32) * np.clip(1 + 0.13 * rough + 0.10 * pits, 0.5, 1.5)[..., None]
    if solid.material in ("sandstone", "hematite"):
        bed = sample(fractal(ground.seed + 23, 0.9, 5.0), 0.02 * u, 1.1 * v)
        albedo = albedo * (1 + 0.16 * bed[..., None])
    settled = np.clip((hit.normal[..., 2] - 0.25) * 1.5 + 0.22 * rough, 0, 1)[..., None] * dusty
    albedo = albedo + (DUST * 0.95 - albedo) * settled
    foot = np.clip(1 + 0.45 * (hit.local[..., 2:3] + 0.1), 0.6, 1.0)
    return shade(normal, albedo * foot, light, np.ones_like(foot))
