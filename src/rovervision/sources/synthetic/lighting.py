"""Sun and dusty sky over a rover: direction, colours and haze, all smooth in sol and hour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rovervision.sources.synthetic.seeds import generator

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Lighting:
    """Light as a camera meets it: x right, y ahead, z up."""

    sun: tuple[float, float, float]
    """Unit vector towards the sun."""
    sun_color: tuple[float, float, float]
    """Linear RGB irradiance of a surface that faces the sun."""
    sky_color: tuple[float, float, float]
    """Linear RGB irradiance of a surface that faces the sky."""
    horizon_color: tuple[float, float, float]
    """Linear RGB radiance of the sky at the horizon, which is also the colour of haze."""
    zenith_color: tuple[float, float, float]
    dust: float
    """Optical depth of the air, about 0.3 (clear) to 1.2 (dusty)."""
    elevation_deg: float
    azimuth_deg: float
    """Of the sun, clockwise from the viewing direction."""


def dust_depth(seed: int, rover: str, sol: int) -> float:
    """Return the optical depth of the air: two slow waves in sol, of a phase that differs by rover."""
    phase = generator("dust", seed, rover).uniform(0, 2 * np.pi, 2)
    return float(0.65 + 0.28 * np.sin(sol / 23.0 + phase[0]) + 0.14 * np.sin(sol / 7.1 + phase[1]))


def light(seed: int, rover: str, sol: int, hour: float, view_deg: float) -> Lighting:
    """Return the light at a local hour (6 sunrise, 18 sunset) for a camera that looks to `view_deg` east of north."""
    dust = dust_depth(seed, rover, sol)
    day = np.pi * (hour - 6.0) / 12.0
    elevation = float(np.clip(4.0 + 58.0 * np.sin(day), 6.0, 70.0))
    azimuth = float((90.0 - np.degrees(day) - view_deg) % 360.0)
    e, a = np.radians(elevation), np.radians(azimuth)
    sun = (float(np.cos(e) * np.sin(a)), float(np.cos(e) * np.cos(a)), float(np.sin(e)))
    path = 1.0 / max(np.sin(e), 0.14)
    # Dust takes the blue out of the direct beam and gives the sky a butterscotch hue.
    beam = np.exp(-0.22 * dust * path * np.array([0.75, 1.0, 1.35]))
    fill = (0.10 + 0.16 * dust) * (0.45 + 0.55 * np.sin(e))
    warm = 0.04 * np.sin(sol / 11.0)
    sky = np.array([1.0, 0.80 - warm, 0.58 - 1.6 * warm])
    glow = 0.34 + 0.66 * np.sin(e) ** 0.7
    horizon = np.array([0.50, 0.395 - 0.3 * warm, 0.275 - 0.5 * warm]) * glow
    zenith = np.array([0.30, 0.205, 0.125]) * glow * (0.8 + 0.35 * dust)
    rgb = [tuple(float(c) for c in color) for color in (1.25 * beam, fill * sky, horizon, zenith)]
    return Lighting(sun, rgb[0], rgb[1], rgb[2], rgb[3], dust, elevation, azimuth)  # type: ignore[arg-type]
