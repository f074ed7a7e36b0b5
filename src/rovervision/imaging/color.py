"""sRGB and CIELAB (D65, 2 degree observer), and how far two colours are apart (CIEDE2000)."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Real = TypeVar("Real", np.float32, np.float64)
Float = NDArray[np.float32]
Byte = NDArray[np.uint8]


def rgb_to_lab(rgb: Byte | NDArray[np.floating]) -> Float:
    """Return CIELAB of sRGB pixels.

    Args:
        rgb: (..., 3) uint8 in 0..255, or floats in 0..1, gamma-encoded sRGB.

    Returns:
        (..., 3) float32: L in 0..100, a and b in about -128..127. White point D65 (IEC 61966-2-1).
    """
    linear = _LINEAR_OF_BYTE[rgb] if rgb.dtype == np.uint8 else decode_gamma(rgb.astype(np.float32))
    return _linear_to_lab(linear)


def lab_to_rgb(lab: Float) -> Byte:
    """Return sRGB bytes of CIELAB pixels, clipping what sRGB cannot show. (..., 3) float32 to (..., 3) uint8."""
    return to_bytes(np.clip(encode_gamma(_lab_to_linear(lab)).astype(np.float32, copy=False), 0.0, 1.0))


def to_bytes(unit: Float) -> Byte:
    """Round values in 0..1 to 0..255. The brightest stays the brightest: nothing wraps."""
    return np.rint(np.clip(unit, 0.0, 1.0) * 255.0).astype(np.uint8)


def fit_gamut(lab: Float, steps: int = 12) -> Float:
    """Pull colours that sRGB cannot show toward gray until it can, at constant lightness and hue.

    Clipping RGB would shift the lightness; here only chroma gives way. (N, 3) or (H, W, 3) float32 in and out.
    Bisection on the chroma factor: 12 steps leave less than 0.03 % of the chroma undecided.
    """
    flat = lab.reshape(-1, 3)
    outside = ~_shown_by_srgb(flat)
    fitted = flat.copy()
    if outside.any():
        fitted[outside] = _least_desaturation(flat[outside], steps)
    return fitted.reshape(lab.shape)


def _least_desaturation(lab: Float, steps: int) -> Float:
    low: Float = np.zeros(len(lab), np.float32)
    high: Float = np.ones(len(lab), np.float32)
    for _ in range(steps):
        middle = ((low + high) / 2).astype(np.float32)
        shown = _shown_by_srgb(_scale_chroma(lab, middle))
        low, high = np.where(shown, middle, low), np.where(shown, high, middle)
    return _scale_chroma(lab, low)


def _scale_chroma(lab: Float, factor: Float) -> Float:
    return np.concatenate([lab[:, :1], lab[:, 1:] * factor[:, None]], axis=1)


def _shown_by_srgb(lab: Float, slack: float = 2e-3) -> NDArray[np.bool_]:
    linear = _lab_to_linear(lab)
    return np.asarray(((linear >= -slack / 10) & (linear <= 1 + slack)).all(axis=-1))


# sRGB primaries to XYZ, divided by the D65 white (0.95047, 1, 1.08883): IEC 61966-2-1.
WHITE = np.array([0.95047, 1.0, 1.08883], np.float64)
RGB_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]], np.float64
)
_RGB_TO_XYZN = (RGB_TO_XYZ / WHITE[:, None]).astype(np.float32)
_XYZN_TO_RGB = np.linalg.inv(RGB_TO_XYZ / WHITE[:, None]).astype(np.float32)
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27  # CIE 15:2004


def decode_gamma(unit: NDArray[Real]) -> NDArray[Real]:
    """Return the linear light of gamma-encoded sRGB, both 0..1 and of one precision (IEC 61966-2-1)."""
    return np.where(unit <= 0.04045, unit / 12.92, ((np.maximum(unit, 0) + 0.055) / 1.055) ** 2.4)


_LINEAR_OF_BYTE = decode_gamma((np.arange(256) / 255).astype(np.float32))


def encode_gamma(linear: NDArray[Real]) -> NDArray[Real]:
    """Return gamma-encoded sRGB of linear light, both 0..1 and of one precision (IEC 61966-2-1)."""
    bright = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, bright)


def _linear_to_lab(linear: Float) -> Float:
    xyz = linear @ _RGB_TO_XYZN.T
    f = np.where(xyz > _EPSILON, np.cbrt(xyz), (_KAPPA * xyz + 16) / 116)
    L = 116 * f[..., 1] - 16
    a = 500 * (f[..., 0] - f[..., 1])
    b = 200 * (f[..., 1] - f[..., 2])
    return np.stack([L, a, b], axis=-1).astype(np.float32)


def _lab_to_linear(lab: Float) -> Float:
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    cube = f**3
    xyz = np.where(cube > _EPSILON, cube, (116 * f - 16) / _KAPPA)
    return (xyz @ _XYZN_TO_RGB.T).astype(np.float32)
