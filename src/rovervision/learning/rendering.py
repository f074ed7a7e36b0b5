"""Lightness that is known exactly, and a colour for it, to sRGB bytes: what whole images need, at the speed of tables.

Gray of 8 or 16 bits has 256 or 65,536 lightnesses, so all that depends on lightness alone is looked up. The formulas
are those of `imaging.color`; against them a byte may differ by 1.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from rovervision.imaging.color import RGB_TO_XYZ, WHITE, decode_gamma, encode_gamma, fit_gamut

Float = NDArray[np.float32]

_FINE = 65536
"""Steps of linear light between black and white: at most 0.007 units of L apart."""

_DELTA = 6 / 29  # CIE 15:2004; below it the cube root is replaced by its tangent
_SLOPE = 3 * _DELTA**2
_XYZN_TO_RGB = np.linalg.inv(RGB_TO_XYZ / WHITE[:, None])

_HUES, _LIGHTNESSES = 360, 201
_CHROMA_MAX = 200.0
"""More than sRGB can show at any lightness and hue."""


def levels_of(image: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return a number for the luminance of every pixel, for `lightness_levels`.

    (H, W) gray, uint8 or uint16, is its own number. (H, W, 3) sRGB gives (H, W) uint16, linear light in 65,535ths.
    """
    if image.ndim == 2:
        return image
    red, green, blue = (table[image[..., channel]] for channel, table in enumerate(_luminance_parts(image.dtype.str)))
    return (red + green + blue + np.float32(0.5)).astype(np.uint16)


def lightness_levels(image: NDArray[np.integer]) -> tuple[Float, Float]:
    """Return luminance Y in 0..1 and CIE L in 0..100 of every number that `levels_of` can give for such an image."""
    return _levels(_FINE if image.ndim == 3 else np.iinfo(image.dtype).max + 1, image.ndim == 3)


def lightness_of(image: NDArray[np.integer]) -> Float:
    """Return CIE L in 0..100 of gamma-encoded gray (H, W) or sRGB (H, W, 3), uint8 or uint16. (H, W) float32."""
    return lightness_levels(image)[1][levels_of(image)]


def luminance(L: Float) -> Float:
    """Return luminance Y in 0..1 of CIE L in 0..100."""
    return _cube((L + np.float32(16)) * np.float32(1 / 116))


def render(
    Y: Float, L: Float, a: Float, b: Float, gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> NDArray[np.uint8]:
    """Return sRGB bytes of Lab colours whose luminance is known too.

    Where sRGB cannot show a colour at its lightness, chroma gives way at constant hue (see `imaging.color.fit_gamut`).

    Args:
        Y, L, a, b: (H, W) float32; luminance in 0..1 and CIELAB.
        gains: factors of linear red, green and blue, 0 to 1.

    Returns:
        (H, W, 3) uint8.
    """
    channels = _linear(Y, L, a, b)
    outside = _is_outside(channels)
    if outside.any():
        fitted = _linear(*_fitted(Y[outside], L[outside], a[outside], b[outside]))
        for channel, shown in zip(channels, fitted, strict=True):
            channel[outside] = shown
    table = _byte_of_linear()
    rendered = np.empty((*Y.shape, 3), np.uint8)
    for number, (channel, gain) in enumerate(zip(channels, gains, strict=True)):
        steps = np.clip(channel * np.float32(gain * (_FINE - 1)) + np.float32(0.5), 0, _FINE - 1)
        rendered[..., number] = table[steps.astype(np.uint16)]
    return rendered


def _linear(Y: Float, L: Float, a: Float, b: Float) -> tuple[Float, Float, Float]:
    """Return linear red, green and blue, each shaped like the arguments and not limited to 0..1."""
    f = (L + np.float32(16)) * np.float32(1 / 116)
    X, Z = _cube(f + a * np.float32(1 / 500)), _cube(f - b * np.float32(1 / 200))
    red, green, blue = (X * m[0] + Y * m[1] + Z * m[2] for m in _XYZN_TO_RGB.astype(np.float32))
    return red, green, blue


def _cube(f: Float) -> Float:
    """Undo CIELAB's cube root: above the knee f³, below it the tangent there."""
    above = np.maximum(f, np.float32(_DELTA))
    return above * above * above + np.float32(_SLOPE) * (f - above)


def _is_outside(channels: tuple[Float, ...], slack: float = 2e-3) -> NDArray[np.bool_]:
    """Tell which colours sRGB cannot show, with the slack that `imaging.color.fit_gamut` allows."""
    lowest = np.minimum(np.minimum(channels[0], channels[1]), channels[2])
    highest = np.maximum(np.maximum(channels[0], channels[1]), channels[2])
    return np.asarray((lowest < -slack / 10) | (highest > 1 + slack))


def _fitted(Y: Float, L: Float, a: Float, b: Float) -> tuple[Float, Float, Float, Float]:
    """Return colours of the same lightness and hue with the most chroma that sRGB shows. (N,) each."""
    limit = _chroma_limits()
    row, hue = L * np.float32((_LIGHTNESSES - 1) / 100), np.arctan2(b, a) * np.float32(_HUES / (2 * np.pi)) % _HUES
    low, left = np.clip(row.astype(np.intp), 0, _LIGHTNESSES - 2), hue.astype(np.intp) % _HUES
    right, down, across = (left + 1) % _HUES, row - low, hue - np.floor(hue)
    upper = limit[low, left] * (1 - across) + limit[low, right] * across
    lower = limit[low + 1, left] * (1 - across) + limit[low + 1, right] * across
    chroma = np.maximum(np.hypot(a, b), np.float32(1e-6))
    factor = np.minimum((upper * (1 - down) + lower * down) / chroma, 1).astype(np.float32)
    return Y, L, a * factor, b * factor


@cache
def _chroma_limits() -> Float:
    """Return the largest chroma that sRGB shows, by lightness 0, 0.5, ... 100 and hue in whole degrees. (201, 360)."""
    L, hue = np.meshgrid(np.linspace(0, 100, _LIGHTNESSES), np.radians(np.arange(_HUES)), indexing="ij")
    lab = np.stack([L, _CHROMA_MAX * np.cos(hue), _CHROMA_MAX * np.sin(hue)], axis=-1).astype(np.float32)
    fitted = fit_gamut(lab, steps=14)
    return np.hypot(fitted[..., 1], fitted[..., 2])


@cache
def _levels(count: int, is_linear: bool) -> tuple[Float, Float]:
    unit = np.arange(count) / (count - 1)
    Y = unit if is_linear else decode_gamma(unit)
    f = np.where(Y > _DELTA**3, np.cbrt(Y), (Y / _SLOPE) + 4 / 29)
    return Y.astype(np.float32), (116 * f - 16).astype(np.float32)


@cache
def _luminance_parts(kind: str) -> Float:
    """Return what each value of red, green and blue adds to Y, in 65,535ths. (3, 256) or (3, 65536) for a dtype."""
    values = np.iinfo(np.dtype(kind)).max
    weights = RGB_TO_XYZ[1] / RGB_TO_XYZ[1].sum() * (_FINE - 1)
    return (weights[:, None] * decode_gamma(np.arange(values + 1) / values)).astype(np.float32)


@cache
def _byte_of_linear() -> NDArray[np.uint8]:
    return np.rint(encode_gamma(np.arange(_FINE) / (_FINE - 1)) * 255).astype(np.uint8)
