"""A scene: one place, one pointing, one hour, and all that stands there."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rovervision.sources.synthetic.cameras import CAMERAS, Camera
from rovervision.sources.synthetic.hardware import Assembly, Hardware, hardware_of, raised
from rovervision.sources.synthetic.lighting import Lighting, light
from rovervision.sources.synthetic.rocks import rocks_of
from rovervision.sources.synthetic.seeds import generator, seed_of
from rovervision.sources.synthetic.sky import Ridge, ridges_of
from rovervision.sources.synthetic.solids import Solid
from rovervision.sources.synthetic.stones import Stones, stones_of
from rovervision.sources.synthetic.terrain import KINDS, Ground, Track, height_m
from rovervision.sources.synthetic.views import View


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


def _hardware(key: SceneKey, name: int, view: View, ground: Ground) -> Hardware:
    """Return what is in view of the rover; wheels stand on the ground, all else on the rover."""
    hardware = hardware_of(key.assembly, name, view)
    if key.assembly != "wheel":
        return hardware
    x, y, _ = hardware.seen[0].center
    return raised(hardware, float(height_m(ground, np.full((1, 1), x), np.full((1, 1), y))[0, 0]))


def _track(rng: np.random.Generator, kind: str) -> Track | None:
    """Draw whether the rover came along here; bare rock takes no track."""
    drove, start, slant = rng.random() < 0.22, rng.uniform(-1.2, 1.2), rng.uniform(-0.5, 0.5)
    return Track(float(start), float(slant)) if drove and kind != "slabs" else None


@lru_cache(maxsize=16)
def scene_of(key: SceneKey) -> Scene:
    """Build a scene. Both eyes and every frame of a burst share it."""
    camera = CAMERAS[f"{key.camera}_L"]
    place = generator("place", key.seed, camera.rover, key.site)
    # Sites take turns, so that few sites already show every kind of ground.
    kinds = generator("kinds", key.seed, camera.rover).permutation(len(KINDS))
    kind = KINDS[int(kinds[key.site % len(KINDS)])]
    texture_seed = key.seed % 2**20 + 1000 * int(place.integers(2))
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
        _track(rng, kind),
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
        _hardware(key, name, view, ground),
    )
