"""Rover hardware in view: deck, wheels, arm, mast, cables, calibration target; or only its shadow."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from rovervision.sources.synthetic.seeds import generator
from rovervision.sources.synthetic.solids import Solid, box, cylinder, turned
from rovervision.sources.synthetic.textures import Array
from rovervision.sources.synthetic.views import View

Assembly = Literal["none", "deck", "wheel", "arm", "post", "target", "shadow"]
ASSEMBLIES: Final[tuple[Assembly, ...]] = ("none", "deck", "wheel", "arm", "post", "target", "shadow")


@dataclass(frozen=True, slots=True, eq=False)
class Cable:
    """A hose or harness along a curve."""

    points: Array
    """(N, 3) metres."""
    radius_m: float
    color: tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Hardware:
    """What of the rover stands in the scene."""

    seen: tuple[Solid, ...] = ()
    unseen: tuple[Solid, ...] = ()
    """Behind the camera: they only cast shadows."""
    cables: tuple[Cable, ...] = ()


def _at(view: View, column: float, row: float, depth_m: float) -> tuple[float, float, float]:
    """Return the point at a place in the image (0..1 from left and top) and a depth."""
    x = (column - 0.5) * view.width_px / view.focal_px * depth_m
    z = (view.horizon_px - row * view.height_px) / view.focal_px * depth_m
    return x, depth_m, view.origin[2] + z


def _clear_m(view: View, row: float, wish_m: float) -> float:
    """Return the wished depth, or less where the ground would hide what stands at `row` (0..1) of the picture."""
    drop = (row * view.height_px - view.horizon_px) / view.focal_px
    return min(wish_m, 0.8 * view.origin[2] / drop) if drop > 0 else wish_m


def _scale(view: View, depth_m: float) -> float:
    """Return metres across the image at a depth."""
    return view.width_px / view.focal_px * depth_m


def _cable(
    start: tuple[float, ...], end: tuple[float, ...], sag_m: float, radius_m: float, color: tuple[float, float, float]
) -> Cable:
    part = np.linspace(0, 1, 24)[:, None]
    line = np.asarray(start) * (1 - part) + np.asarray(end) * part
    line[:, 2] += (4 * part * (1 - part) * -sag_m)[:, 0]
    line[:, 0] += 0.25 * sag_m * np.sin(part[:, 0] * 7.0)
    return Cable(line.astype(np.float32), radius_m, color)


_COPPER = (0.36, 0.18, 0.09)
_DARK = (0.035, 0.035, 0.037)
_SILVER = (0.40, 0.40, 0.41)


def _deck(view: View, rng: np.random.Generator) -> Hardware:
    """A corner of the deck: plate, boxes, gold-wrapped unit, antenna, harness."""
    depth = _clear_m(view, 1.2, 1.7)
    s = _scale(view, depth)
    side = float(rng.choice([-1.0, 1.0]))
    axes = turned(rng.uniform(-0.5, 0.5))
    x, y, z = _at(view, 0.5 + side * rng.uniform(0.18, 0.34), rng.uniform(0.80, 0.95), depth)
    plate = box(
        (x, y, z),
        (0.40 * s, 0.36 * s, 0.03 * s),
        axes,
        str(rng.choice(["white_panel", "gray_panel"])),
        seed=int(rng.integers(99)),
    )
    top = z + 0.03 * s

    def spot(u: float, v: float, h: float) -> tuple[float, float, float]:
        across = np.array([u * 0.40 * s, v * 0.36 * s, 0.0]) @ axes
        return float(x + across[0]), float(y + across[1]), top + h

    slots = rng.permutation([[-0.42, 0.40], [0.45, 0.38], [-0.38, -0.42], [0.40, -0.42]])
    (a, b), (c, d), (e, f), (g, h) = slots + rng.uniform(-0.05, 0.05, (4, 2))
    tall = float(rng.uniform(0.05, 0.10)) * s
    solids = [
        plate,
        box(spot(a, b, tall), (0.14 * s, 0.11 * s, tall), axes, "foil", seed=int(rng.integers(99))),
        box(spot(c, d, 0.05 * s), (0.15 * s, 0.12 * s, 0.05 * s), axes, "black_panel", seed=int(rng.integers(99))),
        box(spot(e, f, 0.025 * s), (0.16 * s, 0.10 * s, 0.025 * s), axes, "gray_panel", seed=int(rng.integers(99))),
        cylinder(spot(g, h, 0.06 * s), rng.uniform(0.06, 0.1) * s, 0.06 * s, turned(0.3, 0, np.pi / 2), "white"),
        cylinder(spot(0.02, 0.72, 0.10 * s), 0.018 * s, 0.14 * s, turned(0.0, 0, np.pi / 2), "metal"),
    ]
    cables = (
        _cable(spot(-0.30, 0.2, 0.03 * s), spot(0.35, 0.0, 0.02 * s), 0.03 * s, 0.008 * s, _COPPER),
        _cable(spot(-0.22, 0.1, 0.03 * s), spot(0.30, -0.3, 0.02 * s), 0.04 * s, 0.006 * s, _DARK),
        _cable(spot(-0.75, 0.1, 0.01 * s), spot(-0.3, -0.3, 0.05 * s), 0.01 * s, 0.006 * s, _SILVER),
    )
    return Hardware(tuple(solids), (), cables)


def _wheel_at(x: float, y: float, radius: float, yaw: float, side: float) -> list[Solid]:
    """One wheel on the ground; its leg bends over the wheel to a knee, and the rocker leaves the picture."""
    axes = turned(yaw)
    hub_m = radius * 0.93
    top = (x - side * 0.15 * radius, y - 0.35 * radius, 2.15 * radius)
    knee = (x + side * 0.45 * radius, y - 1.0 * radius, 2.75 * radius)
    away = (x + side * 2.6 * radius, y - 2.2 * radius, 3.3 * radius)
    inner = np.array([x, y, hub_m]) + np.array([-side * 0.95 * radius, 0, 0]) @ axes
    return [
        cylinder((x, y, hub_m), radius, radius * 0.72, axes, "wheel"),
        cylinder((x, y, hub_m), 0.20 * radius, radius * 0.86, axes, "gray"),
        _tube((float(inner[0]), float(inner[1]), hub_m), top, 0.13 * radius, "gray"),
        cylinder(top, 0.21 * radius, 0.26 * radius, axes, "white"),
        _tube(top, knee, 0.15 * radius, "white"),
        _tube(knee, away, 0.17 * radius, "white"),
    ]


def _wheel(view: View, rng: np.random.Generator) -> Hardware:
    """A wheel at the side of the picture, at a depth where it fills a good part of it."""
    side = float(rng.choice([-1.0, 1.0]))
    bottom = max((view.height_px - view.horizon_px) / view.focal_px, 0.3)
    depth = float(view.origin[2] / bottom * rng.uniform(1.2, 1.5))
    s = _scale(view, depth)
    radius = float(rng.uniform(0.14, 0.19) * s)
    x = side * float(rng.uniform(0.20, 0.33)) * s
    yaw = float(rng.uniform(0.35, 0.95)) * -side
    solids = _wheel_at(x, depth, radius, yaw, side)
    harness = _cable(
        (x + side * 0.45 * radius, depth - 1.2 * radius, 2.8 * radius),
        (x - side * 0.6 * radius, depth - 0.5 * radius, 1.6 * radius),
        sag_m=0.35 * radius,
        radius_m=0.045 * radius,
        color=_DARK,
    )
    return Hardware(tuple(solids), (), (harness,))


def _turret(wrist: tuple[float, float, float], s: float, rng: np.random.Generator) -> list[Solid]:
    """The turret: a disc with four or five instruments around it."""
    solids = [cylinder(wrist, 0.11 * s, 0.05 * s, turned(rng.uniform(0.9, 2.2), rng.uniform(-0.4, 0.4)), "metal")]
    kinds = rng.permutation(["foil", "black_panel", "white_panel", "gray_panel", "drum", "white_panel"])[
        : int(rng.integers(4, 6))
    ]
    start = rng.uniform(0, 2 * np.pi)
    for number, kind in enumerate(kinds):
        angle = start + number * 2 * np.pi / len(kinds) + rng.uniform(-0.2, 0.2)
        reach = rng.uniform(0.11, 0.15) * s
        spot = (wrist[0] + reach * np.cos(angle), wrist[1] - 0.03 * s, wrist[2] + reach * np.sin(angle))
        size = rng.uniform(0.035, 0.075, 3) * s
        if kind == "drum":
            solids.append(cylinder(spot, float(size[0]), float(size[1]), turned(rng.uniform(0, 3), 0, -angle), "white"))
            continue
        axes = turned(rng.uniform(-0.6, 0.6), rng.uniform(-0.3, 0.3), -angle)
        solids.append(box(spot, (size[0], size[1], size[2]), axes, str(kind), seed=int(rng.integers(99))))
    return solids


def _arm(view: View, rng: np.random.Generator) -> Hardware:
    """The arm reaching in: two tubes, an elbow, and the turret with its instruments."""
    depth = _clear_m(view, 0.95, 1.5)
    s = _scale(view, depth) * float(rng.uniform(0.8, 1.25))
    side = float(rng.choice([-1.0, 1.0]))
    elbow = _at(view, 0.5 + side * rng.uniform(0.12, 0.34), rng.uniform(0.08, 0.40), depth)
    wrist = _at(view, 0.5 - side * rng.uniform(-0.05, 0.25), rng.uniform(0.52, 0.78), depth)
    shoulder = _at(view, 0.5 + side * rng.uniform(0.55, 0.75), rng.uniform(0.15, 1.0), depth * 0.8)
    solids = [
        _tube(shoulder, elbow, 0.052 * s, "white"),
        _tube(elbow, wrist, 0.045 * s, "white"),
        cylinder(elbow, 0.078 * s, 0.075 * s, turned(rng.uniform(0.9, 2.2), rng.uniform(-0.3, 0.3)), "gray"),
        *_turret(wrist, s, rng),
    ]
    front = (elbow[0], elbow[1] - 0.08 * s, elbow[2])
    cables = (
        _cable(front, (wrist[0], wrist[1] - 0.09 * s, wrist[2]), rng.uniform(0.04, 0.14) * s, 0.010 * s, _COPPER),
        _cable(
            front, (wrist[0] + 0.05 * s, wrist[1] - 0.09 * s, wrist[2]), rng.uniform(0.08, 0.2) * s, 0.007 * s, _DARK
        ),
    )
    return Hardware(tuple(solids), (), cables)


def _tube(start: tuple[float, float, float], end: tuple[float, float, float], radius: float, material: str) -> Solid:
    """A tube between two points."""
    line = np.asarray(end) - np.asarray(start)
    length = float(np.linalg.norm(line))
    right = line / length
    ahead = np.cross([0, 0, 1.0], right)
    ahead /= max(float(np.linalg.norm(ahead)), 1e-6)
    axes = np.stack([right, ahead, np.cross(right, ahead)]).astype(np.float32)
    middle = (np.asarray(start) + np.asarray(end)) / 2
    return cylinder((float(middle[0]), float(middle[1]), float(middle[2])), radius, length / 2, axes, material)


def _post(view: View, rng: np.random.Generator) -> Hardware:
    """A low-gain antenna or a box corner that pokes in from below."""
    depth = _clear_m(view, 1.25, 1.3)
    s = _scale(view, depth)
    x, y, z = _at(view, rng.uniform(0.15, 0.85), 1.02, depth)
    radius = float(rng.uniform(0.05, 0.09)) * s
    material = str(rng.choice(["white", "metal", "gray"]))
    solids = [
        cylinder((x, y, z), radius, float(rng.uniform(0.14, 0.24)) * s, turned(0.2, 0, np.pi / 2), material),
        box(
            (x + 0.17 * s, y + 0.05, z - 0.02 * s),
            (0.10 * s, 0.06 * s, 0.06 * s),
            turned(rng.uniform(-0.6, 0.6)),
            "gray_panel",
            seed=4,
        ),
        cylinder((x, y, z - 0.02 * s), radius * 1.35, 0.03 * s, turned(0.2, 0, np.pi / 2), "black"),
    ]
    return Hardware(tuple(solids))


def _target(view: View, rng: np.random.Generator) -> Hardware:
    """The calibration target on the deck, with its gnomon."""
    depth = _clear_m(view, 1.1, 1.4)
    s = _scale(view, depth)
    x, y, z = _at(view, rng.uniform(0.35, 0.65), rng.uniform(0.55, 0.68), depth)
    axes = turned(rng.uniform(-0.6, 0.6))
    half = 0.17 * s
    solids = [
        box(
            (x, y, z - 0.10 * s),
            (0.75 * s, 0.46 * s, 0.03 * s),
            axes,
            str(rng.choice(["white_panel", "gray_panel"])),
            seed=int(rng.integers(99)),
        ),
        box((x, y, z - 0.045 * s), (half, half, 0.03 * s), axes, "target"),
        cylinder((x, y, z + 0.045 * s), 0.011 * s, 0.065 * s, turned(0, 0, np.pi / 2), "black"),
        cylinder((x, y, z + 0.115 * s), 0.026 * s, 0.026 * s, turned(0.4, 0, np.pi / 2), "gray"),
        box((x + 0.42 * s, y + 0.12 * s, z), (0.12 * s, 0.10 * s, 0.07 * s), axes, "foil", seed=7),
        box((x - 0.44 * s, y + 0.05 * s, z - 0.02 * s), (0.11 * s, 0.16 * s, 0.05 * s), axes, "black_panel", seed=5),
    ]
    cable = _cable(
        (x - 0.4 * s, y - 0.12 * s, z - 0.06 * s), (x + 0.45 * s, y - 0.25 * s, z - 0.06 * s), 0.0, 0.008 * s, _COPPER
    )
    return Hardware(tuple(solids), (), (cable,))


def _shadow(view: View, rng: np.random.Generator) -> Hardware:
    """Nothing in sight but the rover's own shadow: body, mast and head behind the camera."""
    x = float(rng.uniform(-0.4, 0.4))
    flat = turned(float(rng.uniform(-0.3, 0.3)))
    unseen = (
        box((x, -1.1, 0.85), (0.85, 1.0, 0.22), flat, "white_panel"),
        cylinder((x + 0.3, -0.45, 1.5), 0.06, 0.55, turned(0, 0, np.pi / 2), "white"),
        box((x + 0.3, -0.45, 2.05), (0.26, 0.12, 0.16), flat, "white_panel"),
        cylinder((x - 1.0, -0.7, 0.26), 0.26, 0.2, flat, "wheel"),
        cylinder((x + 1.0, -0.7, 0.26), 0.26, 0.2, flat, "wheel"),
    )
    return Hardware((), unseen)


_BUILDERS: Final = {"deck": _deck, "wheel": _wheel, "arm": _arm, "post": _post, "target": _target, "shadow": _shadow}


def raised(hardware: Hardware, by_m: float) -> Hardware:
    """Return the hardware lifted by so many metres."""
    up = np.array([0, 0, by_m], np.float32)

    def lift(solids: tuple[Solid, ...]) -> tuple[Solid, ...]:
        return tuple(replace(s, center=s.center + up, limits=s.limits + s.planes @ up) for s in solids)

    cables = tuple(replace(cable, points=cable.points + up) for cable in hardware.cables)
    return Hardware(lift(hardware.seen), lift(hardware.unseen), cables)


def hardware_of(assembly: Assembly, seed: int, view: View) -> Hardware:
    """Return the hardware in a scene, placed for the middle between the camera pair's eyes."""
    if assembly == "none":
        return Hardware()
    return _BUILDERS[assembly](view, generator("hardware", seed, assembly))
