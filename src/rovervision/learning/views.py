"""Views of a tile that ought to have the same code: what a rover's camera, light and aim change of one scene."""

import math

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional as F

_EYE = (0.299, 0.587, 0.114)
"""Weights of gamma-compressed red, green and blue in luma (ITU-R BT.601)."""
_ASPECT_MAX = 1.2
"""A view is at most so much wider or higher than the tile's own proportions."""


class ViewConfig(BaseModel):
    """How far a view may differ from the tile. 0, or 1 for ratios, leaves that change out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    area_min: float = Field(default=0.3, gt=0, le=1)
    """Smallest share of the tile's area that a view shows."""
    flip: bool = True
    tint_max: float = Field(default=1.25, ge=1, le=3)
    """White balance: red and blue are scaled by random factors in 1/tint_max..tint_max, green by the cube roots."""
    gain_max: float = Field(default=1.3, ge=1, le=3)
    gamma_max: float = Field(default=1.3, ge=1, le=3)
    contrast_max: float = Field(default=1.4, ge=1, le=3)
    """Differences from the view's mean are scaled by a random factor in 1/contrast_max..contrast_max."""
    saturation_max: float = Field(default=1.4, ge=1, le=3)
    """Differences from gray are scaled by a random factor in 1/saturation_max..saturation_max."""
    gray_frac: float = Field(default=0.2, ge=0, le=1)
    """Share of the views that are gray."""
    blur_frac: float = Field(default=0.4, ge=0, le=1)
    """Share of the views that are blurred: mixed, by a random part, with their means over 3 x 3 pixels."""
    noise: float = Field(default=0.03, ge=0, le=0.5)
    """Highest standard deviation of noise, of the range 0..1."""


def make_views(unit: Tensor, config: ViewConfig, rng: np.random.Generator) -> Tensor:
    """Return one random view of each image. (N, 3, P, P) sRGB in 0..1, in and out."""
    x = cut_out(unit, config.area_min, config.flip, rng)
    x = change_light(x, config, rng)
    x = change_color(x, config, rng)
    return disturb(x, config, rng).clamp(0, 1)


def cut_out(unit: Tensor, area_min: float, flip: bool, rng: np.random.Generator) -> Tensor:
    """Enlarge a random rectangle of each image to the full side, mirror half of them. (N, 3, P, P) in and out."""
    n = len(unit)
    if area_min == 1 and not flip:
        return unit
    side, aspect = np.sqrt(rng.uniform(area_min, 1, n)), _ASPECT_MAX ** rng.uniform(-1, 1, n)
    size = np.minimum(np.stack([side * aspect, side / aspect], axis=1), 1) if area_min < 1 else np.ones((n, 2))
    theta = np.zeros((n, 2, 3), np.float32)
    theta[:, 0, 0] = size[:, 0] * np.where(flip & (rng.random(n) < 0.5), -1.0, 1.0)
    theta[:, 1, 1] = size[:, 1]
    theta[:, :, 2] = rng.uniform(-1, 1, (n, 2)) * (1 - size)
    grid = F.affine_grid(torch.from_numpy(theta).to(unit.device), list(unit.shape), align_corners=False)
    return F.grid_sample(unit, grid, mode="bilinear", padding_mode="border", align_corners=False)


def change_light(x: Tensor, config: ViewConfig, rng: np.random.Generator) -> Tensor:
    """Imitate another white balance, exposure and contrast. (N, 3, P, P), not yet cut to 0..1."""
    tint = math.log(config.tint_max)
    balance = torch.cat([_drawn(x, rng, -part * tint, part * tint) for part in (1, 1 / 3, 1)], dim=1)
    x = (x * balance.exp()).clamp(0, 1) ** _ratio(x, rng, config.gamma_max) * _ratio(x, rng, config.gain_max)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * _ratio(x, rng, config.contrast_max)


def change_color(x: Tensor, config: ViewConfig, rng: np.random.Generator) -> Tensor:
    """Imitate other colour filters: more or less saturated, or gray. (N, 3, P, P) in and out."""
    gray = (x * torch.tensor(_EYE, device=x.device).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    saturation = _ratio(x, rng, config.saturation_max) * (_drawn(x, rng, 0, 1) >= config.gray_frac)
    return gray + (x - gray) * saturation


def disturb(x: Tensor, config: ViewConfig, rng: np.random.Generator) -> Tensor:
    """Imitate defocus, compression and noise. (N, 3, P, P) in and out."""
    if config.blur_frac:
        means = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        x = torch.lerp(x, means, _drawn(x, rng, 0, 1) * (_drawn(x, rng, 0, 1) < config.blur_frac))
    if config.noise:
        noise = torch.from_numpy(rng.standard_normal(tuple(x.shape), dtype=np.float32)).to(x.device)
        x = x + noise * _drawn(x, rng, 0, config.noise)
    return x


def _drawn(x: Tensor, rng: np.random.Generator, low: float, high: float) -> Tensor:
    """Return one random number for each image, (N, 1, 1, 1)."""
    return torch.from_numpy(rng.uniform(low, high, (len(x), 1, 1, 1)).astype(np.float32)).to(x.device)


def _ratio(x: Tensor, rng: np.random.Generator, most: float) -> Tensor:
    """Return one random factor in 1/most..most for each image, (N, 1, 1, 1)."""
    return _drawn(x, rng, -math.log(most), math.log(most)).exp()
