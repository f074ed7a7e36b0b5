"""The project's own kind: tables by lightness, corrected by a network at a quarter of the resolution."""

from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from rovervision.learning.color import perceived_ab_error
from rovervision.learning.colorizer import COARSE, Colorizer
from rovervision.learning.pretrained import EncoderName, EncoderWeights, PretrainedUNet
from rovervision.learning.unet import UNet, start_at_zero

SIZES: dict[str, tuple[tuple[int, ...], int]] = {
    "xs": ((24, 48, 96), 1),
    "s": ((48, 96, 160), 1),
    "m": ((96, 192, 384), 2),
}
"""Size → channels of the levels and blocks per level: 0.33, 1.1 and 9.5 million parameters."""

Widths = Annotated[tuple[Annotated[int, Field(ge=8, le=1024, multiple_of=8)], ...], Field(min_length=1, max_length=6)]


class ResidualConfig(BaseModel):
    """How large the network is, where it starts, and how it is kept from learning scenes by heart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Literal["xs", "s", "m"] = "xs"
    """xs and s are for processors, m for a GPU."""
    widths: Widths | None = None
    """Channels at 1/4, 1/8, 1/16 ... of the image's resolution, multiples of 8; None: those of the size."""
    blocks: int | None = Field(default=None, ge=1, le=8)
    """Residual blocks per level and side; None: those of the size."""
    encoder: EncoderName = "none"
    """An encoder that has seen ImageNet, in the place of the network's own; widths then play no part."""
    encoder_frozen: bool = True
    """Such an encoder stays as it came, and only what stands on it learns."""
    camera_share: float = Field(default=1.0, ge=0, le=1)
    """How far a camera's starting table stands from the one of all cameras (0) to its own (1)."""
    trust: float = Field(default=1.0, gt=0, le=1)
    """In use, the network's correction counts by this much: networks are surer than they should be of scenes unlike
    those that they learnt from."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of the deepest features that a training step does without, against learning scenes by heart."""
    depth_drop: float = Field(default=0.0, ge=0, lt=1)
    """Share of the training steps in which an image does without a block's convolutions."""
    tint_levels: bool = False
    """The tint is told by the features of every level, and not of the deepest alone."""
    tint_histogram: bool = False
    """The tint is also told by the share of pixels at each lightness."""
    mirror: bool = False
    """In use, average with what the mirror image gives: twice the work."""
    members: int = Field(default=1, ge=1, le=16)
    """So many networks, whose corrections are averaged: so many times the work."""
    member_frac: float = Field(default=1.0, ge=0.3, le=1)
    """Share of the training groups that a member learns from; each does without others."""

    def shape(self) -> tuple[tuple[int, ...], int]:
        """Return channels of the levels and blocks per level."""
        widths, blocks = SIZES[self.size]
        return self.widths or widths, self.blocks or blocks


HISTOGRAM_BINS = 20


class ResidualColorizer(Colorizer):
    """Colour as a lookup by lightness, plus a tint of the whole image, plus what the surroundings tell.

    The last layers start at zero, so training starts from the lookup table and can only move away from it for a
    reason. Normalisation is per image: an output never depends on its batch mates.

    Cameras differ in white balance and in what they are pointed at, so each camera that was learnt from has a table of
    its own to start from; camera 0 stands for any other. The network itself never knows the camera: told, it learns
    that MAHLI means hardware, and paints the soil that MAHLI sees later gray.

    Beside the colours, a small head learns what error to expect (`doubt`), from features that it cannot change.

    Args:
        tables: (1 + C, 101, 2) mean a and b for lightness 0, 1, ... 100: global first, then of each camera.
        config: sizes.
    """

    side_heads = ("to_doubt",)

    def __init__(self, tables: Tensor, config: ResidualConfig) -> None:
        super().__init__(tables)
        self.trust, self.mirror, self.has_histogram = config.trust, config.mirror, config.tint_histogram
        (widths, blocks), clues = config.shape(), HISTOGRAM_BINS * config.tint_histogram
        options = (blocks, config.dropout, config.depth_drop, config.tint_levels, clues)
        self.unet: UNet | PretrainedUNet
        if config.encoder == "none":
            self.unet = UNet(COARSE**2, widths, *options)
        else:
            self.unet = PretrainedUNet(config.encoder, config.encoder_frozen, *options)
        self.encoder = config.encoder
        self.to_ab = nn.Conv2d(self.unet.channels_out, 2, 1)
        self.to_tint = nn.Linear(self.unet.context_size, 2)
        for layer in (self.to_ab, self.to_tint):
            start_at_zero(layer)
        self.to_doubt = DoubtHead(self.unet.channels_out, self.unet.context_size)

    def correction(self, lightness: Tensor) -> Tensor:
        """Return what is added to the table at a quarter of the resolution. (N, 1, H, W) to (N, 2, H/4, W/4)."""
        return self._averaged(lightness)[0]

    def doubt(self, lightness: Tensor) -> Tensor:
        """Return the expected error of each cell, in units of CIEDE2000. (N, 1, H, W) to (N, 1, H/4, W/4)."""
        return self._averaged(lightness)[1]

    def loss(self, lightness: Tensor, camera: Tensor, ab: Tensor, fold: Tensor | None = None) -> Tensor:
        """Return the mean perceived error of coarse ab. Its gradient also teaches `doubt` what error to expect."""
        correction, doubt = self._seen(lightness)
        predicted = F.avg_pool2d(self.look_up(lightness, camera), COARSE) + correction
        error = perceived_ab_error(predicted, ab)
        lesson = expectation_loss(doubt[:, 0], error.detach())
        return error.mean() + (lesson - lesson.detach())

    def take_encoder(self, weights: EncoderWeights) -> None:
        """Set the encoder to its ImageNet weights, where the configuration asks for one."""
        if isinstance(self.unet, PretrainedUNet):
            self.unet.take(weights(self.encoder))

    def _averaged(self, lightness: Tensor) -> tuple[Tensor, Tensor]:
        correction, doubt = self._seen(lightness)
        if not self.mirror or self.training:
            return correction, doubt
        other, other_doubt = self._seen(lightness.flip(3))
        return (correction + other.flip(3)) / 2, (doubt + other_doubt.flip(3)) / 2

    def _seen(self, lightness: Tensor) -> tuple[Tensor, Tensor]:
        """Return correction and doubt from one look."""
        clues = lightness_histogram(lightness) if self.has_histogram else None
        is_own = isinstance(self.unet, UNet)
        features, whole = self.unet(F.pixel_unshuffle((lightness - 50) / 25, COARSE) if is_own else lightness, clues)
        scale = 10 if self.training else 10 * self.trust
        lit = F.silu(features)
        correction = scale * (self.to_ab(lit) + self.to_tint(whole)[:, :, None, None]).float()
        return correction, self.to_doubt(lit.detach(), whole.detach())


class DoubtHead(nn.Module):
    """Features of cells and of the whole image to the error to expect, at first 3 everywhere."""

    def __init__(self, channels: int, context_size: int, hidden: int = 16) -> None:
        super().__init__()
        self.of_cells, self.of_image = nn.Conv2d(channels, hidden, 1), nn.Linear(context_size, hidden)
        self.out = nn.Conv2d(hidden, 1, 1)
        nn.init.zeros_(self.out.weight)
        self.out.bias = nn.Parameter(torch.tensor([2.95]))  # softplus(2.95) = 3

    def forward(self, features: Tensor, whole: Tensor) -> Tensor:
        """Return (N, 1, h, w), positive. (N, C, h, w) and (N, context)."""
        mixed = F.silu(self.of_cells(features) + self.of_image(whole)[:, :, None, None])
        return F.softplus(self.out(mixed).float()) + 0.05


def expectation_loss(expected: Tensor, seen: Tensor) -> Tensor:
    """Return a loss that is lowest where `expected` is the mean of what is seen, whatever its scale; both positive.

    The negative log-likelihood of an exponential distribution, log m + x / m, which is proper for the mean.
    """
    return (torch.log(expected) + seen / expected).mean()


def lightness_histogram(lightness: Tensor) -> Tensor:
    """Return how many of the pixels lie at each lightness, in soft bins, times their number: 1 where evenly spread.

    (N, 1, H, W) in 0..100 to (N, `HISTOGRAM_BINS`). Each pixel counts for the two nearest centres, by nearness.
    """
    centers = torch.linspace(0, 100, HISTOGRAM_BINS, device=lightness.device)
    away = (lightness.flatten(1)[:, None, :] - centers[None, :, None]).abs() / (100 / (HISTOGRAM_BINS - 1))
    return HISTOGRAM_BINS * (1 - away).clamp(min=0).mean(dim=2)
