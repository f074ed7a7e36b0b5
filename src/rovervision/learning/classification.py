"""Colour as one of the colours that occur: a distribution over joint ab bins, decoded by its annealed mean.

After Zhang, Isola and Efros, "Colorful Image Colorization", ECCV 2016: soft targets, rebalanced classes, annealed mean.
"""

from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from rovervision.imaging.color_bins import ColorBins, rebalancing_weights
from rovervision.learning.color import perceived_ab_error
from rovervision.learning.colorizer import COARSE, Colorizer
from rovervision.learning.residual import SIZES, Widths
from rovervision.learning.unet import UNet

NEIGHBOURS, SOFT_SIGMA = 5, 5.0
"""A true colour is shared out among so many nearest bins, by a Gaussian of this width in Lab units (section 2.2)."""


class ClassificationConfig(BaseModel):
    """How large the network is, how rare colours count, and how a colour is read from the distribution."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Literal["xs", "s", "m"] = "xs"
    widths: Widths | None = None
    """Channels at 1/4, 1/8, 1/16 ... of the image's resolution, multiples of 8; None: those of the size."""
    blocks: int | None = Field(default=None, ge=1, le=8)
    """Residual blocks per level and side; None: those of the size."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of the deepest features that a training step does without."""
    uniform_share: float = Field(default=0.5, ge=0, le=1)
    """Classes count inversely to their share, mixed with a uniform one by this much: 1 counts all pixels alike."""
    temperature: float = Field(default=0.38, gt=0, le=1)
    """The distribution is sharpened by this before its mean is taken: near 0 the likeliest colour, 1 the plain mean."""

    def shape(self) -> tuple[tuple[int, ...], int]:
        """Return channels of the levels and blocks per level."""
        widths, blocks = SIZES[self.size]
        return self.widths or widths, self.blocks or blocks


class ClassificationColorizer(Colorizer):
    """The U-Net of `residual` with a logit for each occupied ab bin; its tables are zeros.

    At first the logits are those of the bins' shares, so training starts from the mean colour.

    Args:
        tables: (1 + C, 101, 2), of which only the number counts.
        config: sizes and constants.
        bins: the colours that occur.
    """

    centers: Tensor
    weights: Tensor

    def __init__(self, tables: Tensor, config: ClassificationConfig, bins: ColorBins) -> None:
        super().__init__(torch.zeros_like(tables))
        self.temperature = config.temperature
        self.register_buffer("centers", torch.from_numpy(bins.centers))
        self.register_buffer("weights", torch.from_numpy(rebalancing_weights(bins, config.uniform_share)))
        widths, blocks = config.shape()
        self.unet = UNet(COARSE**2, widths, blocks, config.dropout)
        self.to_bins = nn.Conv2d(self.unet.channels_out, len(bins.centers), 1)
        self.of_image = nn.Linear(self.unet.context_size, len(bins.centers), bias=False)
        nn.init.zeros_(self.to_bins.weight)
        nn.init.zeros_(self.of_image.weight)
        self.to_bins.bias = nn.Parameter(torch.from_numpy(bins.shares).log())

    def logits(self, lightness: Tensor) -> Tensor:
        """Return a logit for each bin and cell. (N, 1, H, W) to (N, Q, H/4, W/4)."""
        features, whole = self.unet(F.pixel_unshuffle((lightness - 50) / 25, COARSE))
        return (self.to_bins(F.silu(features)) + self.of_image(whole)[:, :, None, None]).float()

    def correction(self, lightness: Tensor) -> Tensor:
        """Return the annealed mean of the colours. (N, 1, H, W) to (N, 2, H/4, W/4)."""
        return mean_color(self.logits(lightness), self.centers, self.temperature)

    def doubt(self, lightness: Tensor) -> Tensor:
        """Return the mean error that the distribution itself expects of the answer. (N, 1, H, W) to (N, 1, h, w)."""
        logits = self.logits(lightness)
        answer, shares = mean_color(logits, self.centers, self.temperature), logits.softmax(dim=1)
        expected = torch.zeros_like(shares[:, 0])
        for center, share in zip(self.centers, shares.unbind(1), strict=True):
            expected += share * perceived_ab_error(answer, center.view(1, 2, 1, 1).expand_as(answer))
        return expected[:, None]

    def loss(self, lightness: Tensor, camera: Tensor, ab: Tensor, fold: Tensor | None = None) -> Tensor:
        """Return the cross-entropy to the softly encoded colour, with rare colours counting more."""
        index, share = soft_encoding(ab, self.centers)
        logs = self.logits(lightness).log_softmax(dim=1).gather(1, index)
        return -(self.weights[index[:, 0]] * (share * logs).sum(dim=1)).mean()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Take the number of bins from weights with another one: it follows from what they learnt from."""
        centers = state_dict.get(f"{prefix}centers")
        if centers is not None and len(centers) != len(self.centers):
            self.centers, self.weights = torch.empty_like(centers), centers.new_empty(len(centers))
            self.to_bins = nn.Conv2d(self.unet.channels_out, len(centers), 1, device=centers.device)
            self.of_image = nn.Linear(self.unet.context_size, len(centers), bias=False, device=centers.device)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def mean_color(logits: Tensor, centers: Tensor, temperature: float) -> Tensor:
    """Return the annealed mean (equation 5): the mean colour after sharpening. (N, Q, h, w) to (N, 2, h, w)."""
    return torch.einsum("nqhw,qc->nchw", (logits / temperature).softmax(dim=1), centers)


def soft_encoding(ab: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """Return the nearest bins of each colour, nearest first, and its share in each.

    (N, 2, h, w) to (N, K, h, w) int64 and float32 of sum 1 over K, K = `NEIGHBOURS` or all bins where there are fewer.
    """
    difference = ab[:, None] - centers[None, :, :, None, None]
    squared, index = difference.square().sum(dim=2).topk(min(NEIGHBOURS, len(centers)), dim=1, largest=False)
    nearness = torch.exp(-(squared - squared[:, :1]) / (2 * SOFT_SIGMA**2))
    return index, nearness / nearness.sum(dim=1, keepdim=True)
