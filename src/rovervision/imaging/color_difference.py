"""CIEDE2000: the difference between two colours as people see it."""

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Real = NDArray[np.floating]

_POW25_7 = np.float32(25.0**7)


def ciede2000(lab_1: Float, lab_2: Float) -> Float:
    """Return the CIEDE2000 difference of CIELAB colours, with k_L = k_C = k_H = 1.

    Args:
        lab_1, lab_2: (..., 3) float32, same shape.

    Returns:
        (...) float32, 0 for equal colours; about 1 is just noticeable.

    Formula: Sharma, Wu and Dalal, Color Research and Application 30(1), 2005, equations 2 to 22; names as there.
    """
    L1, a1, b1 = np.moveaxis(np.asarray(lab_1, np.float32), -1, 0)
    L2, a2, b2 = np.moveaxis(np.asarray(lab_2, np.float32), -1, 0)
    a1, a2 = _stretch_a(a1, b1, a2, b2)
    C1, C2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1), np.arctan2(b2, a2)

    dh = np.where(C1 * C2 == 0, 0, _wrap(h2 - h1))
    dL, dC, dH = L2 - L1, C2 - C1, 2 * np.sqrt(C1 * C2) * np.sin(dh / 2)
    L_mean, C_mean = (L1 + L2) / 2, (C1 + C2) / 2
    h_mean = np.where(C1 * C2 == 0, h1 + h2, h1 + dh / 2)

    S_L, S_C, S_H = _weights(L_mean, C_mean, h_mean)
    L, C, H = dL / S_L, dC / S_C, dH / S_H
    squared = L * L + C * C + H * H + _rotation(C_mean, h_mean) * C * H
    return np.sqrt(np.maximum(squared, 0)).astype(np.float32)


def _wrap(angle_rad: Real) -> Real:
    """Bring a difference of two angles in (-pi, pi] back into that range."""
    return np.where(
        angle_rad > np.pi, angle_rad - 2 * np.pi, np.where(angle_rad < -np.pi, angle_rad + 2 * np.pi, angle_rad)
    )


def _stretch_a(a1: Real, b1: Real, a2: Real, b2: Real) -> tuple[Real, Real]:
    C7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1 + 0.5 * (1 - np.sqrt(C7 / (C7 + _POW25_7)))
    return a1 * stretch, a2 * stretch


def _weights(L_mean: Real, C_mean: Real, h_mean: Real) -> tuple[Real, Real, Real]:
    T = (
        1
        - 0.17 * np.cos(h_mean - np.radians(np.float32(30)))
        + 0.24 * np.cos(2 * h_mean)
        + 0.32 * np.cos(3 * h_mean + np.radians(np.float32(6)))
        - 0.20 * np.cos(4 * h_mean - np.radians(np.float32(63)))
    )
    away = (L_mean - 50) ** 2
    return 1 + 0.015 * away / np.sqrt(20 + away), 1 + 0.045 * C_mean, 1 + 0.015 * C_mean * T


def _rotation(C_mean: Real, h_mean: Real) -> Real:
    h_deg = np.degrees(h_mean) % np.float32(360)
    d_theta = 30 * np.exp(-(((h_deg - 275) / 25) ** 2))
    C7 = C_mean**7
    return -np.sin(np.radians(2 * d_theta)) * 2 * np.sqrt(C7 / (C7 + _POW25_7))
