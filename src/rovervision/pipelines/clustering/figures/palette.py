"""A colour for each cluster."""

import numpy as np

from rovervision.imaging.color import fit_gamut, lab_to_rgb

OUTLIER_COLOR = "#9a948f"
"""Of what belongs to no cluster: gray, which no cluster is."""

_GOLDEN_ANGLE_DEG = 180 * (3 - 5**0.5)
_LIGHTNESS = (45.0, 62.0, 77.0)
_CHROMA = 48.0


def cluster_colors(count: int) -> list[str]:
    """Return `count` colours as #rrggbb: hues a golden angle apart, in three steps of CIE lightness in turn.

    So neighbours in number differ in hue and in lightness. Thirty colours cannot all be told apart: figures also say
    the cluster's number.
    """
    numbers = np.arange(count)
    hue = np.deg2rad(40 + numbers * _GOLDEN_ANGLE_DEG)
    lightness = np.array(_LIGHTNESS)[numbers % len(_LIGHTNESS)]
    lab = np.stack([lightness, _CHROMA * np.cos(hue), _CHROMA * np.sin(hue)], axis=-1).astype(np.float32)
    rgb = lab_to_rgb(fit_gamut(lab[None]))[0] if count else np.empty((0, 3), np.uint8)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in rgb]


def color_of(cluster: int, colors: list[str]) -> str:
    """Return a cluster's colour; that of outliers for -1."""
    return colors[cluster] if 0 <= cluster < len(colors) else OUTLIER_COLOR


def as_rgb(color: str) -> tuple[int, int, int]:
    """Return #rrggbb as three numbers from 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def ink_on(color: str) -> str:
    """Return white or near-black, whichever is legible on a colour (by its relative luminance, Rec. 709)."""
    red, green, blue = as_rgb(color)
    return "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 140 else "#2b2320"
