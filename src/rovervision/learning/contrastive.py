"""A small network that learns which views belong together: contrastive learning after SimCLR (Chen et al., ICML 2020).

Of all views in a batch, a view has to find the one of the same tile or of its companion. Views of the same sequence
besides may show the same thing, so they are neither sought nor avoided.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from rovervision.learning.shared_batches import AllRows

_WIDTHS = {"s": (32, 64, 128, 256), "m": (64, 128, 256, 512)}
_BLOCKS = {"s": 1, "m": 2}
_MEAN, _SPREAD = (0.5, 0.42, 0.35), 0.25
"""What is about taken off and divided by, so that inputs are of the size of 1: Mars is brown."""


class ContrastiveConfig(BaseModel):
    """The network that learns which views belong together; also of the kind `random`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Literal["s", "m"] = "s"
    """s: 1.3 million parameters, for processors; m: 11 million, for a GPU."""
    input_px: int = Field(default=32, ge=16, le=256, multiple_of=8)
    """Images are brought to this side."""
    head_dim: int = Field(default=128, ge=8, le=2048)
    """Numbers by which views are compared in training; the code lies before them."""
    temperature: float = Field(default=0.2, gt=0, le=5)
    """Likeness is divided by this; less: the nearest wrong views count more."""
    spare_sequence: bool = True
    """Views of the same sequence are not told apart."""


class _Block(nn.Module):
    """Two 3x3 convolutions, added to what came in (He et al., CVPR 2016)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(*normed(channels_in, channels_out, stride), nn.ReLU())
        self.second = normed(channels_out, channels_out, 1)
        self.skip = (
            nn.Identity()
            if stride == 1
            else nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True),
                nn.Conv2d(channels_in, channels_out, 1, bias=False),
                nn.BatchNorm2d(channels_out),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return maps of half the side, where the stride is 2."""
        return F.relu(self.second(self.first(x)) + self.skip(x))


class ContrastiveNetwork(nn.Module):
    """Images to codes, with a head that only training uses.

    Batch normalisation looks at the batch in training alone; in use, an image has the same code among any others.
    """

    mean: Tensor
    forward_methods = ("loss",)

    def __init__(self, config: ContrastiveConfig) -> None:
        super().__init__()
        widths = _WIDTHS[config.size]
        self.temperature, self.spare_sequence, self.dim = config.temperature, config.spare_sequence, widths[-1]
        self.stem = nn.Sequential(*normed(3, widths[0], 2), nn.ReLU())
        self.blocks = nn.Sequential(
            *(block for ends in pairwise(widths) for block in _stage(*ends, _BLOCKS[config.size]))
        )
        self.head = nn.Sequential(
            nn.Linear(self.dim, self.dim), nn.BatchNorm1d(self.dim), nn.ReLU(), nn.Linear(self.dim, config.head_dim)
        )
        self.all_rows = AllRows()
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))

    def forward(self, unit: Tensor) -> Tensor:
        """Return codes. (N, 3, P, P) sRGB in 0..1 to (N, dim)."""
        return self.blocks(self.stem((unit - self.mean) / _SPREAD)).mean(dim=(2, 3))

    def loss(self, one: Tensor, other: Tensor, sequence_one: Tensor, sequence_other: Tensor) -> Tensor:
        """Return how hard views are to find among all of the batch, a scalar.

        Args:
            one, other: (N, 3, P, P) views; row i of both belong together.
            sequence_one, sequence_other: (N,) int64 the sequence of each.
        """
        heads = F.normalize(self.head(self(torch.cat([one, other]))).float(), dim=1)
        both = torch.cat([self.all_rows(each) for each in heads.chunk(2)])
        if not self.spare_sequence:
            return find_each_other(both, self.temperature, None)
        sequences = torch.cat([self.all_rows(each) for each in (sequence_one, sequence_other)])
        return find_each_other(both, self.temperature, sequences)


def find_each_other(heads: Tensor, temperature: float, sequences: Tensor | None) -> Tensor:
    """Return the cross-entropy of finding row i + N/2 by row i, and the reverse, among all other rows.

    (N, D) of length one. Other rows of the same sequence, (N,), are left out; None leaves out none.
    """
    half = len(heads) // 2
    partner = (torch.arange(len(heads), device=heads.device) + half) % len(heads)
    is_out = torch.eye(len(heads), dtype=torch.bool, device=heads.device)
    if sequences is not None:
        is_out = is_out | (sequences[:, None] == sequences[None, :])
        is_out[torch.arange(len(heads), device=heads.device), partner] = False
    likeness = (heads @ heads.T / temperature).masked_fill(is_out, float("-inf"))
    return F.cross_entropy(likeness, partner)


def normed(channels_in: int, channels_out: int, stride: int) -> nn.Sequential:
    """Return a 3x3 convolution with batch normalisation."""
    conv = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(channels_out))


def _stage(channels_in: int, channels_out: int, blocks: int) -> Sequence[nn.Module]:
    return [_Block(channels_in, channels_out, 2), *(_Block(channels_out, channels_out, 1) for _ in range(blocks - 1))]
