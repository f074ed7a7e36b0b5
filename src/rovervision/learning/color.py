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
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp(min=0) + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("ij,njhw->nihw", _RGB_TO_XYZN.to(rgb), linear)
    f = torch.where(xyz > _EPSILON, xyz.clamp(min=1e-8) ** (1 / 3), (_KAPPA * xyz + 16) / 116)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def perceived_ab_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Return how far predicted ab is from the truth, in the metric of CIEDE2000 at the true colour.

    At equal lightness CIEDE2000 measures a chroma and a hue step, each over a weight that grows with chroma, after
    stretching a near gray (Sharma et al. 2005, equations 4, 15, 16). Taking those weights at the true colour makes it
    smooth everywhere, and equal to CIEDE2000 to first order for all but saturated blues.

    Args:
        predicted, true: (N, 2, H, W) in Lab units.

    Returns:
        (N, H, W), not negative, with a finite gradient everywhere.
    """
    a, b = true.unbind(1)
    chroma = torch.sqrt(a * a + b * b + 1e-6)
    C7 = chroma**7
    stretch = 1 + 0.5 * (1 - torch.sqrt(C7 / (C7 + 25.0**7)))
    a = a * stretch
    chroma = torch.sqrt(a * a + b * b + 1e-6)
    da, db = (predicted[:, 0] - true[:, 0]) * stretch, predicted[:, 1] - true[:, 1]
    toward, across = (da * a + db * b) / chroma, (db * a - da * b) / chroma
    hue = torch.atan2(b, a)
    T = (
        1
        - 0.17 * torch.cos(hue - 0.5236)
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue + 0.1047)
        - 0.20 * torch.cos(4 * hue - 1.0996)
    )
    chroma_step, hue_step = toward / (1 + 0.045 * chroma), across / (1 + 0.015 * chroma * T)
    return torch.sqrt(chroma_step**2 + hue_step**2 + 1e-4)
