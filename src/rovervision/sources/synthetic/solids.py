"""Convex bodies cut out by planes: what a ray meets, and which shadow falls where."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rovervision.sources.synthetic.textures import Array

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """A convex body: all x with planes @ x <= limits."""

    planes: Array
    """(P, 3) unit normals, pointing out."""
    limits: Array
    """(P,) metres."""
    center: Array
    """(3,) metres."""
    axes: Array
    """(3, 3) rows: the body's own right, ahead and up."""
    half: Array
    """(3,) half extents along the axes in metres."""
    material: str
    smooth: Literal["none", "axis", "bevel"] = "none"
    """`axis`: round about the body's right axis; `bevel`: worn edges."""
    seed: int = 0

    def corners(self) -> NDArray[np.floating]:
        """Return the (8, 3) corners of the bounding box."""
        signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
        return self.center + (signs * self.half) @ self.axes


def turned(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """Return (3, 3) axes turned about up (yaw), the own right axis (pitch), then the own ahead axis (roll); radians."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_up = np.array([[cy, sy, 0], [-sy, cy, 0], [0, 0, 1]])
    about_right = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_ahead = np.array([[cr, 0, -sr], [0, 1, 0], [sr, 0, cr]])
    return (about_ahead @ about_right @ about_up).astype(np.float32)


def placed(planes: Array, limits: Array, center: Array, axes: Array, **traits: Any) -> Solid:
    """Build a solid from planes and limits in its own axes."""
    outward = (planes @ axes).astype(np.float32)
    spot = np.asarray(center, np.float32)
    return Solid(outward, (limits + outward @ spot).astype(np.float32), spot, axes, **traits)


def box(center: Point, half: Point, axes: Array, material: str, *, seed: int = 0) -> Solid:
    """Return a cuboid."""
    planes = np.concatenate([np.eye(3), -np.eye(3)])
    extent = np.asarray(half, np.float32)
    return placed(planes, np.tile(extent, 2), np.asarray(center), axes, half=extent, material=material, seed=seed)


def cylinder(center: Point, radius: float, half_length: float, axes: Array, material: str) -> Solid:
    """Return a cylinder about its own right axis, as a prism of 18 sides with smooth shading."""
    angle = np.arange(18) * (2 * np.pi / 18)
    sides = np.stack([np.zeros(18), np.cos(angle), np.sin(angle)], 1)
    planes = np.concatenate([[[1, 0, 0], [-1, 0, 0]], sides])
    limits = np.concatenate([[half_length, half_length], np.full(18, radius)])
    half = np.array([half_length, radius, radius], np.float32)
    return placed(planes, limits, np.asarray(center), axes, half=half, material=material, smooth="axis")


@dataclass(frozen=True, slots=True)
class Hit:
    """What the rays of a box of pixels met; rays that missed have infinite depth."""

    depth: Array
    normal: Array
    local: Array
    """(..., 3) hit point in the body's own axes, in half extents (-1..1)."""
    face: NDArray[np.intp]


def unit(vectors: Array) -> Array:
    """Return (..., 3) vectors of length 1; those of length 0 stay."""
    square = vectors[..., 0] ** 2 + vectors[..., 1] ** 2 + vectors[..., 2] ** 2
    return vectors / np.sqrt(np.maximum(square, 1e-12))[..., None]


def _entry(solid: Solid, origin: NDArray[np.floating], rays: Array) -> tuple[Array, Array, Array]:
    """Return per plane (P, h, w) the depth of passing inwards (-inf: outwards), then last entry and first exit."""
    # A ray that runs along a plane counts as going in at infinity, before or behind as it is inside or outside.
    along = solid.planes @ rays.reshape(-1, 3).T - np.float32(1e-9)
    reach = (solid.limits - solid.planes @ origin.astype(np.float32)).astype(np.float32)[:, None] / along
    inwards = along < 0
    enter = np.where(inwards, reach, np.float32(-np.inf))
    leave = np.where(inwards, np.float32(np.inf), reach).min(0)
    shape = rays.shape[:2]
    return enter.reshape(-1, *shape), enter.max(0).reshape(shape), leave.reshape(shape)


def cast(solid: Solid, origin: NDArray[np.floating], rays: Array) -> Hit:
    """Send (h, w, 3) rays from one point."""
    enter, reached, leave = _entry(solid, origin, rays)
    met = (reached < leave) & (reached > 0.02)
    depth = np.where(met, reached, np.float32(np.inf))
    safe = np.where(met, reached, np.float32(0))[..., None]
    local = ((origin.astype(np.float32) + rays * safe - solid.center) @ solid.axes.T) / solid.half
    face = enter.argmax(0)
    if solid.smooth == "axis":
        normal = _round_normals(solid, face, local)
    elif solid.smooth == "bevel":
        normal = _worn_normals(solid, enter, np.where(met, reached, np.float32(1e9)))
    else:
        normal = solid.planes[face]
    return Hit(depth, normal, local, face)


def _round_normals(solid: Solid, face: NDArray[np.intp], local: Array) -> Array:
    """Return normals of a cylinder about the body's right axis; the first two planes are its ends."""
    radial = local[..., 1:2] * solid.axes[1] + local[..., 2:3] * solid.axes[2]
    return np.where((face < 2)[..., None], solid.planes[face], unit(radial))


def _worn_normals(solid: Solid, enter: Array, reached: Array) -> Array:
    """Return normals that turn smoothly over edges: planes that are nearly reached have their say."""
    lag = (enter - reached) / np.float32(0.10 * float(solid.half.mean()))
    weight = np.exp(np.clip(lag, -30, 0))
    return unit((solid.planes.T @ weight.reshape(len(weight), -1)).T.reshape(*reached.shape, 3))


def lit(solid: Solid, points: Array, sun: Array, soft_m: float) -> Array:
    """Return (h, w) share of sunlight that gets past the solid to (h, w, 3) points; thin edges are half shade."""
    along = solid.planes @ sun - np.float32(1e-6)
    against = along < 0
    reach = (solid.limits / along)[:, None] - (solid.planes / along[:, None]) @ points.reshape(-1, 3).T
    enter = reach[against].max(0, initial=0.0)
    leave = reach[~against].min(0, initial=np.inf)
    return 1 - np.clip((leave - enter) / soft_m, 0, 1).reshape(points.shape[:2])


def shadow_hull(solid: Solid, sun: Array, ground_m: float) -> NDArray[np.floating]:
    """Return (16, 3) points whose hull holds the solid and its shadow on level ground."""
    corners = solid.corners()
    drop = np.maximum(corners[:, 2:3] - ground_m, 0) / max(float(sun[2]), 0.05)
    return np.concatenate([corners, corners - drop * sun])
