"""Colorizers: lightness in, the two colour channels of CIELAB out."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from rovervision.imaging.color_priors import ColorPriors
from rovervision.learning.unet import UNet, start_at_zero

COARSE = 4
"""The network works at a quarter of the resolution: true ab at that resolution is only 0.8 CIEDE2000 away on MSL."""


class ModelConfig(BaseModel):
    """Which colorizer, and how large."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["residual"] = "residual"
    widths: tuple[Annotated[int, Field(ge=8, le=1024, multiple_of=8)], ...] = Field(default=(24, 48, 96), min_length=1)
    """Channels at 1/4, 1/8, 1/16 ... of the image's resolution; multiples of 8."""
    blocks: int = Field(default=1, ge=1, le=8)
    camera_share: float = Field(default=1.0, ge=0, le=1)
    """How far a camera's starting table stands from the one of all cameras (0) to its own (1)."""
    trust: float = Field(default=1.0, gt=0, le=1)
    """In use, the network's correction counts by this much: networks are surer than they should be of scenes unlike
    those that they learnt from."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of the deepest features that a training step does without, against learning scenes by heart."""


class ResidualColorizer(nn.Module):
    """Colour as a lookup by lightness, plus a tint of the whole image, plus what the surroundings tell.

    The last layers start at zero, so training starts from the lookup table and can only move away from it for a
    reason. Normalisation is per image: an output never depends on its batch mates.

    Cameras differ in white balance and in what they are pointed at, so each camera that was learnt from has a table of
    its own to start from; camera 0 stands for any other. The network itself never knows the camera: told, it learns
    that MAHLI means hardware, and paints the soil that MAHLI sees later gray.

    Args:
        tables: (1 + C, 101, 2) mean a and b for lightness 0, 1, ... 100: global first, then of each camera.
        config: sizes.
    """

    tables: Tensor
    forward_methods = ("coarse",)
    """Methods beside `forward` that training calls, for Fabric to wrap."""

    def __init__(self, tables: Tensor, config: ModelConfig) -> None:
        super().__init__()
        self.trust = config.trust
        self.register_buffer("tables", tables.to(torch.float32).clone())
        self.unet = UNet(COARSE**2, config.widths, config.blocks, config.dropout)
        self.to_ab = nn.Conv2d(self.unet.channels_out, 2, 1)
        self.to_tint = nn.Linear(self.unet.context_size, 2)
        for layer in (self.to_ab, self.to_tint):
            start_at_zero(layer)

    def forward(self, lightness: Tensor, camera: Tensor | None = None) -> Tensor:
        """Return ab at the lightness's own resolution.

        Args:
            lightness: (N, 1, H, W) in 0..100.
            camera: (N,) int64 camera numbers; None for any camera.

        Returns:
            (N, 2, H, W) in Lab units.
        """
        height, width = lightness.shape[2:]
        correction = self.correction(pad_to_multiple(lightness, COARSE))
        enlarged = F.interpolate(correction, scale_factor=COARSE, mode="bilinear", align_corners=False)
        return self.look_up(lightness, camera) + enlarged[:, :, :height, :width]

    def coarse(self, lightness: Tensor, camera: Tensor | None = None) -> Tensor:
        """Return ab at a quarter of the resolution. (N, 1, H, W), H and W multiples of 4, to (N, 2, H/4, W/4)."""
        return F.avg_pool2d(self.look_up(lightness, camera), COARSE) + self.correction(lightness)

    def look_up(self, lightness: Tensor, camera: Tensor | None = None) -> Tensor:
        """Return the table's ab, interpolated between whole lightnesses. (N, 1, H, W) to (N, 2, H, W)."""
        which = any_camera(lightness) if camera is None else camera
        position = lightness[:, 0].clamp(0, 100)
        low = position.floor().clamp(max=99).long()
        share = (position - low)[..., None]
        rows = which[:, None, None]
        ab = self.tables[rows, low] * (1 - share) + self.tables[rows, low + 1] * share
        return ab.permute(0, 3, 1, 2)

    def correction(self, lightness: Tensor) -> Tensor:
        """Return what is added to the table at a quarter of the resolution. (N, 1, H, W) to (N, 2, H/4, W/4)."""
        features, whole = self.unet(F.pixel_unshuffle((lightness - 50) / 25, COARSE))
        scale = 10 if self.training else 10 * self.trust
        return scale * (self.to_ab(F.silu(features)) + self.to_tint(whole)[:, :, None, None])


def any_camera(lightness: Tensor) -> Tensor:
    """Return camera 0 for each image of a batch. (N, ...) to (N,) int64."""
    return torch.zeros(len(lightness), dtype=torch.int64, device=lightness.device)


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column until height and width are multiples. (N, C, H, W)."""
    height, width = x.shape[2:]
    return F.pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")


def stack_tables(priors: ColorPriors, camera_share: float) -> tuple[Tensor, tuple[str, ...]]:
    """Return the tables that a colorizer starts from, (1 + C, 101, 2), and the C cameras' names in that order.

    A camera that nobody could name has no table of its own.
    """
    names = tuple(name for name in priors.by_camera if "unknown" not in name.split("/"))
    own = (camera_share * priors.by_camera[name] + (1 - camera_share) * priors.lookup for name in names)
    return torch.from_numpy(np.stack([priors.lookup, *own]).astype(np.float32)), names


def number_cameras(names: Sequence[str], known: Sequence[str]) -> Tensor:
    """Return camera numbers: 1 for the first known camera, and so on; 0 for one that is not known. (N,) int64."""
    numbers = {name: number for number, name in enumerate(known, start=1)}
    return torch.tensor([numbers.get(name, 0) for name in names], dtype=torch.int64)


def build_colorizer(tables: Tensor, config: ModelConfig) -> ResidualColorizer:
    """Return an untrained colorizer. Its weights come from torch's generator: see `training.seeded`."""
    return ResidualColorizer(tables, config)
