"""Painting a scene in linear light, back to front, with the region of every pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.sources import regions
from rovervision.sources.synthetic.cameras import Camera
from rovervision.sources.synthetic.hardware import Cable
from rovervision.sources.synthetic.lighting import Lighting
from rovervision.sources.synthetic.materials import hardware_color
from rovervision.sources.synthetic.rocks import rock_color
from rovervision.sources.synthetic.scene import Scene, SceneKey, scene_of, view_of
from rovervision.sources.synthetic.sky import backdrop
from rovervision.sources.synthetic.solids import cast, lit, shadow_hull
from rovervision.sources.synthetic.stones import draw_stones
from rovervision.sources.synthetic.terrain import depths, shade, surface
from rovervision.sources.synthetic.textures import Array
from rovervision.sources.synthetic.views import View

Mask = NDArray[np.uint8]


@dataclass(slots=True, eq=False)
class Canvas:
    """An image in the making."""

    image: Array
    """(height, width, 3) linear RGB."""
    mask: Mask
    depth: Array
    rays: Array


def _cast_shadows(scene: Scene, view: View, points: Array, shadow: Array) -> None:
    """Darken `shadow` (height, width) in place where rocks stand between ground and sun."""
    sun = np.asarray(scene.light.sun, np.float32)
    for rock in scene.rocks:
        part = view.box(shadow_hull(rock, sun, float(rock.center[2] - rock.half[2])))
        if part is not None:
            shade_here = lit(rock, points[part], sun, 0.35 * float(rock.half.min()))
            shadow[part] = np.minimum(shadow[part], shade_here)


def _hardware_shadow(scene: Scene, canvas: Canvas, view: View) -> Array:
    """Return (height, width) share of sun that the hardware lets through, traced at half size."""
    sun = np.asarray(scene.light.sun, np.float32)
    rays, depth = canvas.rays[::2, ::2], np.minimum(canvas.depth[::2, ::2], 200.0)
    points = np.asarray(view.origin, np.float32) + rays * depth[..., None] + 0.012 * sun
    through = np.ones(depth.shape, np.float32)
    for solid in scene.hardware.seen + scene.hardware.unseen:
        part = view.box(shadow_hull(solid, sun, -0.3), margin_px=3.0)
        if part is not None:
            rows, columns = (slice(side.start // 2, (side.stop + 1) // 2) for side in part)
            shade_here = lit(solid, points[rows, columns], sun, 0.25 * float(solid.half.min()))
            through[rows, columns] = np.minimum(through[rows, columns], shade_here)
    soft = cv2.GaussianBlur(through, (0, 0), 0.6)
    return np.asarray(cv2.resize(soft, (view.width_px, view.height_px), interpolation=cv2.INTER_LINEAR), np.float32)


def _hazed(color: Array, depth: Array | float, light: Lighting) -> Array:
    """Veil (..., 3) light that has come `depth` (..., 1) metres through the air."""
    veil = 1 - np.exp(-depth * (0.0022 + 0.0035 * light.dust))
    return color + (np.asarray(light.horizon_color, np.float32) - color) * veil


def _paint_ground(scene: Scene, view: View, canvas: Canvas) -> None:
    """Light the ground, with the shadows of rocks, under a veil of air."""
    on_ground = np.isfinite(canvas.depth)
    part = slice(int(np.argmax(on_ground.any(1))), view.height_px)
    depth = np.minimum(canvas.depth, 200.0)
    points = np.asarray(view.origin, np.float32) + canvas.rays * depth[..., None]
    shadow = np.ones(depth.shape, np.float32)
    _cast_shadows(scene, view, points, shadow)
    albedo, normal, occlusion = surface(scene.ground, points[part][..., 0], points[part][..., 1], depth[part], view)
    color = shade(normal, albedo, scene.light, shadow[part][..., None]) * occlusion
    seen = _hazed(color, depth[part][..., None], scene.light)
    np.copyto(canvas.image[part], seen, where=on_ground[part][..., None])
    canvas.mask[on_ground] = regions.GROUND


def _paint_rocks(scene: Scene, view: View, canvas: Canvas) -> None:
    origin = np.asarray(view.origin)
    for rock in scene.rocks:
        part = view.box(rock.corners())
        if part is None:
            continue
        hit = cast(rock, origin, canvas.rays[part])
        nearer = hit.depth < canvas.depth[part]
        if not nearer.any():
            continue
        color = _hazed(rock_color(rock, hit, scene.light, scene.ground), float(rock.center[1]), scene.light)
        canvas.image[part][nearer] = color[nearer]
        canvas.depth[part][nearer] = hit.depth[nearer]
        canvas.mask[part][nearer] = regions.ROCK


def _paint_hardware(scene: Scene, view: View, canvas: Canvas) -> None:
    """Find what hardware stands in front, then shadow everything, then colour the hardware."""
    origin = np.asarray(view.origin)
    before, hits = canvas.depth.copy(), []
    for solid in scene.hardware.seen:
        part = view.box(solid.corners())
        if part is None:
            continue
        hit = cast(solid, origin, canvas.rays[part])
        nearer = hit.depth < canvas.depth[part]
        canvas.depth[part][nearer] = hit.depth[nearer]
        hits.append((solid, part, hit))
    through = _hardware_shadow(scene, canvas, view)
    outside = np.isfinite(before) & (canvas.depth == before)
    sun = np.asarray(scene.light.sun_color, np.float32) * scene.light.sun[2]
    fill = np.asarray(scene.light.sky_color, np.float32)
    canvas.image[outside] *= 1 - (1 - through[outside][:, None]) * (sun / (sun + fill))
    for solid, part, hit in hits:
        front = np.isfinite(hit.depth) & (hit.depth == canvas.depth[part])
        color = hardware_color(solid, hit, canvas.rays[part], scene.light, through[part][..., None])
        canvas.image[part][front] = color[front]
        canvas.mask[part][front] = regions.HARDWARE


def _paint_cable(cable: Cable, view: View, canvas: Canvas, light_here: Lighting) -> None:
    """Draw a cable as three strokes: dark rim, body, highlight."""
    local = cable.points - np.asarray(view.origin, np.float32)
    if float(local[:, 1].min()) < 0.1:
        return
    spots = np.round(view.project(cable.points) * 16).astype(np.int32)
    width = max(1, round(2 * cable.radius_m * view.focal_px / float(local[:, 1].mean())))
    irradiance = np.asarray(light_here.sun_color) * 0.7 + np.asarray(light_here.sky_color)
    for share, tone in ((1.0, 0.4), (0.6, 0.9), (0.25, 1.5)):
        stroke = np.zeros(canvas.mask.shape, np.uint8)
        shift = -round(0.15 * width * 16 * (1 - share))
        line = [spots + np.array([0, shift], np.int32)]
        cv2.polylines(stroke, line, False, 255, max(1, round(width * share)), cv2.LINE_AA, 4)
        rows = np.flatnonzero(stroke.any(1))
        if rows.size == 0:
            return
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        alpha = stroke[part].astype(np.float32)[..., None] / 255
        paint = (np.asarray(cable.color) * irradiance * tone).astype(np.float32)
        canvas.image[part] += (paint - canvas.image[part]) * alpha
        if share == 1.0:
            canvas.mask[stroke > 127] = regions.HARDWARE


def _smooth_edges(canvas: Canvas) -> Array:
    """Soften the stairs along outlines; leave all else crisp."""
    log_depth = np.log(np.minimum(canvas.depth, 500.0))
    step = cv2.morphologyEx(log_depth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    edge = cv2.GaussianBlur((step > 0.06).astype(np.float32), (3, 3), 0)[..., None]
    soft = cv2.GaussianBlur(canvas.image, (0, 0), 0.75)
    return canvas.image + (soft - canvas.image) * edge


def _primed(scene: Scene, key: SceneKey, view: View) -> Canvas:
    """Return a canvas with depth everywhere and the backdrop where there is no ground."""
    rays = view.rays()
    depth = depths(scene.ground, view)
    image = np.zeros((view.height_px, view.width_px, 3), np.float32)
    mask = np.full(depth.shape, regions.SKY, np.uint8)
    open_rows = np.flatnonzero(np.isinf(depth).any(1))
    if open_rows.size:
        part = slice(0, int(open_rows[-1]) + 1)
        bearing = float(np.radians(key.view_deg))
        image[part], ridge = backdrop(view, scene.light, scene.ridges, bearing, rays[part])
        mask[part][ridge] = regions.RIDGE
    return Canvas(image, mask, depth, rays)


def compose(key: SceneKey, camera: Camera, shift_m: float) -> tuple[Array, Mask]:
    """Return (linear RGB float32 (height, width, 3), region numbers uint8 (height, width)) as an eye sees the scene."""
    scene = scene_of(key)
    view = view_of(key, camera, shift_m)
    canvas = _primed(scene, key, view)
    _paint_ground(scene, view, canvas)
    stones = draw_stones(scene.stones, scene.ground, view, scene.light, image=canvas.image, depth=canvas.depth)
    canvas.mask[stones] = regions.ROCK
    _paint_rocks(scene, view, canvas)
    if scene.hardware.seen or scene.hardware.unseen:
        _paint_hardware(scene, view, canvas)
    canvas.image = _smooth_edges(canvas)
    for cable in scene.hardware.cables:
        _paint_cable(cable, view, canvas, scene.light)
    return canvas.image, canvas.mask
