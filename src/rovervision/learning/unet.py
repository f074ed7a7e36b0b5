"""A small U-Net whose layers never look at the rest of the batch."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def start_at_zero(layer: nn.Module) -> None:
    """Set all parameters to zero: at first the layer adds nothing to what it is added to."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with group normalisation, added to what came in. (N, C_in, H, W) to (N, C_out, H, W).

    Args:
        channels_in, channels_out: of the maps.
        depth_drop: in so many of the training steps an image does without the convolutions (stochastic depth, Huang et
            al., ECCV 2016).
        groups: of the normalisation, at most.
    """

    def __init__(self, channels_in: int, channels_out: int, depth_drop: float = 0.0, groups: int = 8) -> None:
        super().__init__()
        self.depth_drop = depth_drop
        self.norm_1 = _norm(channels_in, groups)
        self.conv_1 = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm_2 = _norm(channels_out, groups)
        self.conv_2 = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.skip = nn.Conv2d(channels_in, channels_out, 1) if channels_in != channels_out else nn.Identity()
        start_at_zero(self.conv_2)

    def forward(self, x: Tensor) -> Tensor:
        """Return a feature map of the same height and width."""
        h = self.conv_1(F.silu(self.norm_1(x)))
        h = self.conv_2(F.silu(self.norm_2(h)))
        if self.training and self.depth_drop:
            kept = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.depth_drop
            h = h * (kept / (1 - self.depth_drop))
        return self.skip(x) + h


class Decoder(nn.Module):
    """The way up from the deepest features, which also speak for the whole image.

    Args:
        widths: channels of the maps that come in, fine to deep.
        blocks: residual blocks per level.
        dropout: share of the deepest channels, and of the whole-image features, that a training step does without.
        depth_drop: see `ResidualBlock`.
        every_level: the whole-image features come from all maps that come in, and not from the deepest alone.
        clues: how many further numbers there are about the whole image.
    """

    def __init__(
        self,
        widths: Sequence[int],
        blocks: int,
        dropout: float,
        depth_drop: float = 0.0,
        every_level: bool = False,
        clues: int = 0,
    ) -> None:
        super().__init__()
        width = widths[-1]
        pooled = 2 * (sum(widths) if every_level else width) + clues
        self.every_level = every_level
        self.context = nn.Sequential(nn.Linear(pooled, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.gate = nn.Linear(width, width)
        self.drop, self.drop_channels = nn.Dropout(dropout), nn.Dropout2d(dropout)
        start_at_zero(self.gate)
        self.up = nn.ModuleList()
        for skip_width in reversed(widths[:-1]):
            self.up.append(stack_blocks(width + skip_width, skip_width, blocks, depth_drop))
            width = skip_width
        self.channels_out, self.context_size = widths[0], widths[-1]

    def forward(self, maps: Sequence[Tensor], clues: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return (N, widths[0], H, W) features of the finest map's size and (N, widths[-1]) of the whole image."""
        pooled = [part for each in (maps if self.every_level else maps[-1:]) for part in mean_and_spread(each)]
        whole = self.drop(self.context(torch.cat(pooled if clues is None else [*pooled, clues], dim=1)))
        x = self.drop_channels(maps[-1]) + self.gate(whole)[:, :, None, None]
        for stack, skip in zip(self.up, reversed(maps[:-1]), strict=True):
            x = F.interpolate(x, size=skip.shape[2:], mode="nearest")
            x = stack(torch.cat([x, skip], dim=1))
        return x, whole


class UNet(nn.Module):
    """Encoder and decoder with skip connections. Arguments: channels of the input map, then those of `Decoder`.

    Each level but the first halves height and width.
    """

    def __init__(
        self,
        channels_in: int,
        widths: Sequence[int],
        blocks: int,
        dropout: float,
        depth_drop: float = 0.0,
        every_level: bool = False,
        clues: int = 0,
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels_in, widths[0], 3, padding=1)
        self.down = nn.ModuleList()
        for width, next_width in zip([widths[0], *widths], widths, strict=False):
            self.down.append(stack_blocks(width, next_width, blocks, depth_drop))
        self.decoder = Decoder(widths, blocks, dropout, depth_drop, every_level, clues)
        self.channels_out, self.context_size = self.decoder.channels_out, self.decoder.context_size

    def forward(self, x: Tensor, clues: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return (N, widths[0], H, W) features and (N, widths[-1]) of the whole image. H and W of 1 or more."""
        x = self.stem(x)
        maps: list[Tensor] = []
        for level, stack in enumerate(self.down):
            if level:
                x = F.avg_pool2d(x, 2, ceil_mode=True)
            x = stack(x)
            maps.append(x)
        features, whole = self.decoder(maps, clues)
        return features, whole


def mean_and_spread(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each channel over the map. (N, C, H, W) to (N, C) twice."""
    return x.mean(dim=(2, 3)), torch.sqrt(x.var(dim=(2, 3), unbiased=False) + 1e-6)


def stack_blocks(channels_in: int, channels_out: int, blocks: int, depth_drop: float = 0.0) -> nn.Sequential:
    """Return so many residual blocks in a row; the first changes the number of channels."""
    first = ResidualBlock(channels_in, channels_out, depth_drop)
    return nn.Sequential(first, *(ResidualBlock(channels_out, channels_out, depth_drop) for _ in range(blocks - 1)))


def _norm(channels: int, groups: int) -> nn.GroupNorm:
    """At least two channels a group: a map of a single pixel must still have something to compare."""
    return nn.GroupNorm(min(groups, channels // 2), channels)
