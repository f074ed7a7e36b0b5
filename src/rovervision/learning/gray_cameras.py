"""How other cameras would have seen a tile in gray: their spectrum, lens and compression, drawn at random.

Gray engineering cameras measure no CIE lightness: those of Spirit, Opportunity and Curiosity see about 600 to 800 nm.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from rovervision.learning.color import linear_to_lightness, srgb_to_linear

LUMINANCE = (0.212671, 0.715160, 0.072169)
"""Weights of linear red, green and blue in CIE Y, as in `imaging.color`."""
_BLOCK_PX = 8


def mix_spectrum(unit: Tensor, spectral_max: float, rng: np.random.Generator) -> Tensor:
    """Return the lightness of a random positive mix of linear red, green and blue instead of luminance.

    (N, 3, P, P) sRGB in 0..1 to (N, 1, P, P) in 0..100. The mix lies on the way from luminance to one drawn evenly of
    all mixes, by a random share of up to `spectral_max`. Grays keep their lightness, since weights have the sum 1.
    """
    share = spectral_max * rng.random((len(unit), 1))
    mix = (1 - share) * np.array(LUMINANCE) + share * rng.dirichlet(np.ones(3), len(unit))
    weights = torch.from_numpy(mix.astype(np.float32)).to(unit.device)
    return linear_to_lightness(torch.einsum("nc,nchw->nhw", weights, srgb_to_linear(unit)))[:, None]


def vignette(lightness: Tensor, vignette_max: float, rng: np.random.Generator) -> Tensor:
    """Darken away from a random optical axis, with the square of the distance. (N, 1, P, P) in 0..100, in and out.

    A tile may be any part of an image, so the axis is anywhere in the tile. Lightness half a diagonal away is lowered
    by a random share of up to `vignette_max`.
    """
    n, side = len(lightness), lightness.shape[-1]
    place = torch.linspace(-1, 1, side, device=lightness.device)
    axis = torch.from_numpy(rng.uniform(-1, 1, (2, n, 1, 1)).astype(np.float32)).to(lightness.device)
    share = torch.from_numpy((vignette_max * rng.random((n, 1, 1))).astype(np.float32)).to(lightness.device)
    squared = ((place[None, :, None] - axis[0]) ** 2 + (place[None, None, :] - axis[1]) ** 2) / 2
    return lightness * (1 - share * squared).clamp(min=0)[:, None]


def blur(lightness: Tensor, blur_max_px: float, rng: np.random.Generator) -> Tensor:
    """Blur each tile with a Gaussian of random width. (N, 1, P, P) in and out."""
    n = len(lightness)
    reach = min(math.ceil(2.5 * blur_max_px), lightness.shape[-1] - 1)
    sigma = torch.from_numpy((blur_max_px * rng.random((n, 1))).astype(np.float32)).clamp(min=1e-3)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).to(lightness.device)
    together = F.pad(lightness.transpose(0, 1), (reach,) * 4, mode="reflect")
    together = F.conv2d(together, kernel[:, None, :, None], groups=n)
    return F.conv2d(together, kernel[:, None, None, :], groups=n).transpose(0, 1)


def compress_blocks(lightness: Tensor, blocks_max: float, rng: np.random.Generator) -> Tensor:
    """Round the cosine coefficients of 8 x 8 blocks, finer frequencies more coarsely.

    (N, 1, P, P) in 0..100, in and out. Steps grow from a random one of up to `blocks_max` with the sum of both
    frequencies, much as JPEG's example table of luminance does (ITU-T T.81, annex K). Rows and columns beyond the last
    whole block stay as they are.
    """
    n, _, height, width = lightness.shape
    rows, columns = height // _BLOCK_PX, width // _BLOCK_PX
    inside = lightness[:, 0, : rows * _BLOCK_PX, : columns * _BLOCK_PX]
    cells = inside.reshape(n, rows, _BLOCK_PX, columns, _BLOCK_PX)
    dct = _cosines().to(lightness.device)
    coefficients = torch.einsum("ki,nricj,lj->nrkcl", dct, cells, dct)
    finest = torch.from_numpy((blocks_max * rng.random((n, 1, 1, 1, 1))).astype(np.float32)).to(lightness.device)
    order = torch.arange(_BLOCK_PX, device=lightness.device)
    step = (finest * (1 + order.view(1, 1, -1, 1, 1) + order) / 2).clamp(min=1e-6)
    restored = torch.einsum("ki,nrkcl,lj->nricj", dct, (coefficients / step).round() * step, dct)
    result = lightness.clone()
    result[:, 0, : rows * _BLOCK_PX, : columns * _BLOCK_PX] = restored.reshape(inside.shape)
    return result.clamp(0, 100)


def _cosines() -> Tensor:
    """Return the orthonormal type-II cosine transform of 8 values, (8, 8)."""
    place = torch.arange(_BLOCK_PX, dtype=torch.float32)
    matrix = torch.cos(torch.pi * (place[None] + 0.5) * place[:, None] / _BLOCK_PX) * math.sqrt(2 / _BLOCK_PX)
    matrix[0] /= math.sqrt(2)
    return matrix
