"""Colorizers: lightness in, the two colour channels of CIELAB out."""

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from rovervision.learning.unet import UNet, start_at_zero

COARSE = 4
"""The network works at a quarter of the resolution: true ab at that resolution is only 0.8 CIEDE2000 away on MSL."""


class ModelConfig(BaseModel):
    """Which colorizer, and how large."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["residual"] = "residual"
    widths: tuple[int, ...] = Field(default=(32, 64, 128), min_length=1)
    """Channels at 1/4, 1/8, 1/16 ... of the image's resolution; multiples of 8."""
    blocks: int = Field(default=1, ge=1, le=8)


class ResidualColorizer(nn.Module):
    """Colour as a lookup by lightness, plus a tint of the whole image, plus what the surroundings tell.

    The last layers start at zero, so training starts from the lookup table and can only move away from it for a
    reason. Normalisation is per image: an output never depends on its batch mates.

    Args:
        lookup: (101, 2) mean a and b for lightness 0, 1, ... 100.
        config: sizes.
    """

    lookup: Tensor

    def __init__(self, lookup: Tensor, config: ModelConfig) -> None:
        super().__init__()
        self.register_buffer("lookup", lookup.to(torch.float32).clone())
        self.unet = UNet(COARSE**2 + 2, config.widths, config.blocks)
        self.to_ab = nn.Conv2d(self.unet.channels_out, 2, 1)
        self.to_tint = nn.Linear(self.unet.context_size, 2)
        for layer in (self.to_ab, self.to_tint):
            start_at_zero(layer)

    def forward(self, lightness: Tensor) -> Tensor:
        """Return ab at the lightness's own resolution. (N, 1, H, W) in 0..100 to (N, 2, H, W) in Lab units."""
        height, width = lightness.shape[2:]
        padded = pad_to_multiple(lightness, COARSE)
        correction = F.interpolate(self.correction(padded), scale_factor=COARSE, mode="bilinear", align_corners=False)
        return self.look_up(lightness) + correction[:, :, :height, :width]

    def coarse(self, lightness: Tensor) -> Tensor:
        """Return ab at a quarter of the resolution. (N, 1, H, W), H and W multiples of 4, to (N, 2, H/4, W/4)."""
        return F.avg_pool2d(self.look_up(lightness), COARSE) + self.correction(lightness)

    def look_up(self, lightness: Tensor) -> Tensor:
        """Return the table's ab, interpolated between whole lightnesses. (N, 1, H, W) to (N, 2, H, W)."""
        position = lightness[:, 0].clamp(0, 100)
        low = position.floor().clamp(max=99).long()
        share = (position - low)[..., None]
        ab = self.lookup[low] * (1 - share) + self.lookup[low + 1] * share
        return ab.permute(0, 3, 1, 2)

    def correction(self, lightness: Tensor) -> Tensor:
        """Return what is added to the table at a quarter of the resolution. (N, 1, H, W) to (N, 2, H/4, W/4)."""
        scaled = F.pixel_unshuffle((lightness - 50) / 25, COARSE)
        prior = F.avg_pool2d(self.look_up(lightness), COARSE) / 20
        features, whole = self.unet(torch.cat([scaled, prior], dim=1))
        return 10 * (self.to_ab(F.silu(features)) + self.to_tint(whole)[:, :, None, None])


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column until height and width are multiples. (N, C, H, W)."""
    height, width = x.shape[2:]
    return F.pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")


def build_colorizer(lookup: Tensor, config: ModelConfig) -> ResidualColorizer:
    """Return an untrained colorizer. Its weights come from torch's generator: see `training.seeded`."""
    return ResidualColorizer(lookup, config)
