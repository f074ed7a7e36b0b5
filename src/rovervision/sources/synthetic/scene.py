"""A scene: one place, one pointing, one hour. Composed in linear light, with the region of every pixel."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.sources import regions
from rovervision.sources.synthetic.cameras import CAMERAS, Camera
from rovervision.sources.synthetic.hardware import Assembly, Cable, Hardware, hardware_of
from rovervision.sources.synthetic.lighting import Lighting, light
from rovervision.sources.synthetic.materials import hardware_color
from rovervision.sources.synthetic.rocks import Stones, draw_stones, rock_color, rocks_of, stones_of
from rovervision.sources.synthetic.seeds import generator, seed_of
from rovervision.sources.synthetic.sky import Ridge, backdrop, ridges_of
from rovervision.sources.synthetic.solids import Solid, cast, lit, shadow_hull
from rovervision.sources.synthetic.terrain import KINDS, Ground, depths, shade, surface
from rovervision.sources.synthetic.textures import Array
from rovervision.sources.synthetic.views import View

Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneKey:
    """All that a scene follows from."""

    seed: int
    camera: str
    """Camera mode without the eye."""
    site: int
    sol: int
    hour: float
    view_deg: int
    pitch: float
    """Row of the horizon over the image's height; under 0 the camera looks down."""
    assembly: Assembly
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What stands there, and the light on it."""

    ground: Ground
    light: Lighting
    ridges: tuple[Ridge, ...]
    rocks: tuple[Solid, ...]
    stones: Stones
    hardware: Hardware


def view_of(key: SceneKey, camera: Camera, shift_m: float) -> View:
    """Return the view of an eye that sits `shift_m` to the right of the pair's middle."""
    return View(
        key.width_px,
        key.height_px,
        camera.focal * key.width_px,
        key.pitch * key.height_px,
        (shift_m, 0.0, camera.height_m),
    )


@lru_cache(maxsize=16)
def scene_of(key: SceneKey) -> Scene:
    """Build a scene. Both eyes and every frame of a burst share it."""
    camera = CAMERAS[f"{key.camera}_L"]
    place = generator("place", key.seed, camera.rover, key.site)
    kind = KINDS[int(place.integers(len(KINDS)))]
    texture_seed = key.seed % 2**20 + 1000 * int(place.integers(3))
    relief, redness, abundance = place.uniform(0.25, 0.9), place.uniform(-1, 1), place.uniform(0.5, 1.5)
    name = seed_of("scene", key.seed, camera.rover, key.sol, key.view_deg)
    rng = generator("scene", name)
    ground = Ground(
        kind,
        texture_seed,
        float(relief),
        (float(rng.uniform(0, 99)), float(rng.uniform(0, 99))),
        float(rng.uniform(-0.6, 0.6)),
        float(redness),
    )
    view = view_of(key, camera, 0.0)
    nearest = view.focal_px * camera.height_m / max(key.height_px - view.horizon_px, 1.0)
    spread = 0.5 / camera.focal
    if kind in ("ripples", "dark_sand"):
        abundance *= 0.45
    return Scene(
        ground,
        light(key.seed, camera.rover, key.sol, key.hour, float(key.view_deg)),
        ridges_of(seed_of("ridges", key.seed, camera.rover, key.site), key.seed % 2**20),
        rocks_of(name, ground, nearest, spread, abundance),
        stones_of(name, nearest, spread, abundance),
        hardware_of(key.assembly, name, view),
    )


@dataclass(slots=True, eq=False)
class Canvas:
    """An image in the making."""

    image: Array
    """(height, width, 3) linear RGB."""
    mask: Mask
    depth: Array
    rays: Array


def _cast_shadows(scene: Scene, view: View, canvas: Canvas, points: Array, shadow: Array) -> None:
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
        through = np.minimum(through, lit(solid, points, sun, 0.25 * float(solid.half.min())))
    return cv2.resize(
        cv2.GaussianBlur(through, (0, 0), 0.6), (view.width_px, view.height_px), interpolation=cv2.INTER_LINEAR
    )


def _paint_ground(scene: Scene, view: View, canvas: Canvas) -> None:
    """Light the ground, with the shadows of rocks, under a veil of air."""
    on_ground = np.isfinite(canvas.depth)
    first = int(np.argmax(on_ground.any(1)))
    part = slice(first, view.height_px)
    depth = np.where(on_ground[part], canvas.depth[part], 200.0)
    points = np.asarray(view.origin, np.float32) + canvas.rays[part] * depth[..., None]
    albedo, normal, occlusion = surface(scene.ground, points[..., 0], points[..., 1], depth, view)
    shadow = np.ones(canvas.depth.shape, np.float32)
    whole = np.zeros((*canvas.depth.shape, 3), np.float32)
    whole[part] = points
    _cast_shadows(scene, view, canvas, whole, shadow)
    color = shade(normal, albedo, scene.light, shadow[part][..., None]) * occlusion
    haze = 1 - np.exp(-depth * (0.0022 + 0.0035 * scene.light.dust))[..., None]
    color = color + (np.asarray(scene.light.horizon_color, np.float32) - color) * haze
    here = on_ground[part]
    canvas.image[part][here] = color[here]
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
        color = rock_color(rock, hit, scene.light, scene.ground)
        haze = 1 - np.exp(-float(rock.center[1]) * (0.0022 + 0.0035 * scene.light.dust))
        color = color + (np.asarray(scene.light.horizon_color, np.float32) - color) * haze
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
    spots = np.round(view.project(cable.points) * 16).astype(np.int32)[None]
    width = max(1, round(2 * cable.radius_m * view.focal_px / float(local[:, 1].mean())))
    irradiance = np.asarray(light_here.sun_color) * 0.7 + np.asarray(light_here.sky_color)
    for share, tone in ((1.0, 0.4), (0.6, 0.9), (0.25, 1.5)):
        stroke = np.zeros(canvas.mask.shape, np.uint8)
        shift = -round(0.15 * width * 16 * (1 - share))
        cv2.polylines(stroke, spots + [0, shift], False, 255, max(1, round(width * share)), cv2.LINE_AA, 4)
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


def compose(key: SceneKey, camera: Camera, shift_m: float) -> tuple[Array, Mask]:
    """Return (linear RGB float32 (height, width, 3), region numbers uint8 (height, width)) as an eye sees the scene."""
    scene = scene_of(key)
    view = view_of(key, camera, shift_m)
    rays = view.rays()
    image, ridge = backdrop(view, scene.light, scene.ridges, np.radians(key.view_deg), rays)
    mask = np.where(ridge, np.uint8(regions.RIDGE), np.uint8(regions.SKY))
    canvas = Canvas(image, mask, depths(scene.ground, view), rays)
    _paint_ground(scene, view, canvas)
    stones = draw_stones(scene.stones, canvas.image, canvas.depth, scene.ground, view, scene.light)
    canvas.mask[stones] = regions.ROCK
    _paint_rocks(scene, view, canvas)
    if scene.hardware.seen or scene.hardware.unseen:
        _paint_hardware(scene, view, canvas)
    canvas.image = _smooth_edges(canvas)
    for cable in scene.hardware.cables:
        _paint_cable(cable, view, canvas, scene.light)
    return canvas.image, canvas.mask
