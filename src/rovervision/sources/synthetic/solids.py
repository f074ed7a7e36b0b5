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


def _entry(solid: Solid, origin: NDArray[np.floating], rays: Array) -> tuple[Array, Array, Array]:
    along = rays @ solid.planes.T
    distance = (solid.limits - solid.planes @ origin.astype(np.float32)).astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = distance / along
    enter = np.where(along < 0, reach, -np.inf)
    leave = np.where(along > 0, reach, np.inf).min(-1)
    # A ray beside a parallel plane never gets in.
    leave = np.where(((along == 0) & (distance < 0)).any(-1), -np.inf, leave)
    return enter, enter.max(-1), leave


def cast(solid: Solid, origin: NDArray[np.floating], rays: Array) -> Hit:
    """Send (h, w, 3) rays from one point."""
    enter, depth, leave = _entry(solid, origin, rays)
    depth = np.where((depth < leave) & (depth > 0.02), depth, np.inf).astype(np.float32)
    met = np.isfinite(depth)
    face = enter.argmax(-1)
    safe = np.where(met, depth, 0.0)[..., None]
    local = ((origin.astype(np.float32) + rays * safe - solid.center) @ solid.axes.T) / solid.half
    normal = _normals(solid, enter, face, local, met)
    return Hit(depth, normal.astype(np.float32), local, face)


def _normals(solid: Solid, enter: Array, face: NDArray[np.intp], local: Array, met: NDArray[np.bool_]) -> Array:
    if solid.smooth == "axis":
        radial = local.copy()
        radial[..., 0] = 0
        radial = radial @ solid.axes
        radial /= np.maximum(np.linalg.norm(radial, axis=-1, keepdims=True), 1e-6)
        return np.where((face < 2)[..., None], solid.planes[face], radial)
    if solid.smooth == "none":
        return solid.planes[face]
    # Worn edges: planes that are nearly reached have their say.
    size = float(solid.half.mean())
    lag = np.where(met[..., None], enter - enter.max(-1, keepdims=True), -np.inf)
    lag[..., 0] = np.where(met, lag[..., 0], 0)
    weight = np.exp(np.maximum(lag / (0.10 * size), -30.0))
    normal = weight @ solid.planes
    return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)


def lit(solid: Solid, points: Array, sun: Array, soft_m: float) -> Array:
    """Return (...) share of sunlight that passes the solid on its way to (..., 3) points; thin edges are half shade."""
    along = solid.planes @ sun
    distance = solid.limits - points @ solid.planes.T
    against, outward = along < -1e-6, along > 1e-6
    enter = (distance[..., against] / along[against]).max(-1, initial=0.0)
    leave = (distance[..., outward] / along[outward]).min(-1, initial=np.inf)
    beside = np.abs(along) <= 1e-6
    inside = np.where((distance[..., beside] < 0).any(-1), 0.0, leave - enter)
    return (1 - np.clip(inside / soft_m, 0, 1)).astype(np.float32)


def shadow_hull(solid: Solid, sun: Array, ground_m: float) -> NDArray[np.floating]:
    """Return (16, 3) points whose hull holds the solid and its shadow on level ground."""
    corners = solid.corners()
    drop = np.maximum(corners[:, 2:3] - ground_m, 0) / max(float(sun[2]), 0.05)
    return np.concatenate([corners, corners - drop * sun])
