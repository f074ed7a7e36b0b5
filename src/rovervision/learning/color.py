"""The colour mathematics of `imaging.color` and `imaging.color_difference`, in torch, for batches on any device."""

import torch
from torch import Tensor

_RGB_TO_XYZN = torch.tensor(  # sRGB primaries to XYZ over the D65 white, as in imaging.color
    [
        [0.412453 / 0.95047, 0.357580 / 0.95047, 0.180423 / 0.95047],
        [0.212671, 0.715160, 0.072169],
        [0.019334 / 1.08883, 0.119193 / 1.08883, 0.950227 / 1.08883],
    ]
)
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27  # CIE 15:2004


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Return CIELAB (D65) of sRGB. (N, 3, H, W) float in 0..1 to (N, 3, H, W): L in 0..100, a, b in Lab units."""
    x, y, z = _f(torch.einsum("ij,njhw->nihw", _RGB_TO_XYZN.to(rgb), srgb_to_linear(rgb))).unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def srgb_to_linear(rgb: Tensor) -> Tensor:
    """Return linear light of gamma-encoded sRGB (IEC 61966-2-1), both in 0..1."""
    return torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp(min=0) + 0.055) / 1.055) ** 2.4)


def linear_to_lightness(luminance: Tensor) -> Tensor:
    """Return CIE L in 0..100 of linear light relative to white, in 0..1."""
    return 116 * _f(luminance) - 16


def _f(relative: Tensor) -> Tensor:
    return torch.where(relative > _EPSILON, relative.clamp(min=1e-8) ** (1 / 3), (_KAPPA * relative + 16) / 116)


def perceived_ab_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Return CIEDE2000 between colours of equal lightness, smoothed at zero, for training.

    Sharma, Wu and Dalal 2005, equations 4 to 22, without the rotation term, which only matters for saturated blues,
    and with the hue weight taken at the true hue. Chroma weights are taken at the mean of both colours, as in the
    formula: taken at the true colour alone they would reward pale predictions.

    Args:
        predicted, true: (N, 2, H, W) in Lab units.

    Returns:
        (N, H, W), not negative, with a finite gradient everywhere.
    """
    C7 = ((_norm(predicted) + _norm(true)) / 2) ** 7
    stretch = 1 + 0.5 * (1 - torch.sqrt(C7 / (C7 + 25.0**7) + 1e-9))
    (a1, b1), (a2, b2) = predicted.unbind(1), true.unbind(1)
    a1, a2 = a1 * stretch, a2 * stretch
    C1, C2 = torch.sqrt(a1 * a1 + b1 * b1 + _TINY), torch.sqrt(a2 * a2 + b2 * b2 + _TINY)
    C_mean, hue = (C1 + C2) / 2, torch.atan2(b2, a2)
    T = (
        1
        - 0.17 * torch.cos(hue - 0.5236)
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue + 0.1047)
        - 0.20 * torch.cos(4 * hue - 1.0996)
    )
    chroma_step = (C1 - C2) / (1 + 0.045 * C_mean)
    hue_step_squared = ((a1 - a2) ** 2 + (b1 - b2) ** 2 - (C1 - C2) ** 2).clamp(min=0)
    return torch.sqrt(chroma_step**2 + hue_step_squared / (1 + 0.015 * C_mean * T) ** 2 + 1e-4)


_TINY = 1e-6


def _norm(ab: Tensor) -> Tensor:
    return torch.sqrt((ab * ab).sum(dim=1) + _TINY)
