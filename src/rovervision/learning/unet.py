"""A small U-Net whose layers never look at the rest of the batch."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def start_at_zero(layer: nn.Module) -> None:
    """Set all parameters to zero: at first the layer adds nothing to what it is added to."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with group normalisation, added to what came in. (N, C_in, H, W) to (N, C_out, H, W)."""

    def __init__(self, channels_in: int, channels_out: int, groups: int = 8) -> None:
        super().__init__()
        self.norm_1 = _norm(channels_in, groups)
        self.conv_1 = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm_2 = _norm(channels_out, groups)
        self.conv_2 = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.skip = nn.Conv2d(channels_in, channels_out, 1) if channels_in != channels_out else nn.Identity()
        start_at_zero(self.conv_2)

    def forward(self, x: Tensor) -> Tensor:
        """Return a feature map of the same height and width."""
        h = self.conv_1(F.silu(self.norm_1(x)))
        return self.skip(x) + self.conv_2(F.silu(self.norm_2(h)))


class UNet(nn.Module):
    """Encoder and decoder with skip connections; the deepest features also speak for the whole image.

    Args:
        channels_in: channels of the input map.
        widths: channels of each level; each level halves height and width.
        blocks: residual blocks per level and side.
        dropout: share of the deepest channels, and of the whole-image features, that a training step does without.
    """

    def __init__(self, channels_in: int, widths: tuple[int, ...], blocks: int, dropout: float) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels_in, widths[0], 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        width = widths[0]
        for next_width in widths:
            self.down.append(_stack(width, next_width, blocks))
            width = next_width
        self.context = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.gate = nn.Linear(width, width)
        self.drop, self.drop_channels = nn.Dropout(dropout), nn.Dropout2d(dropout)
        start_at_zero(self.gate)
        for skip_width in reversed(widths[:-1]):
            self.up.append(_stack(width + skip_width, skip_width, blocks))
            width = skip_width
        self.channels_out, self.context_size = widths[0], widths[-1]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, widths[0], H, W) features and (N, widths[-1]) of the whole image. H and W of 1 or more."""
        x = self.stem(x)
        skips: list[Tensor] = []
        for level, stack in enumerate(self.down):
            if level:
                x = F.avg_pool2d(x, 2, ceil_mode=True)
            x = stack(x)
            skips.append(x)
        mean = x.mean(dim=(2, 3))
        spread = torch.sqrt(x.var(dim=(2, 3), unbiased=False) + 1e-6)
        whole = self.drop(self.context(torch.cat([mean, spread], dim=1)))
        x = self.drop_channels(x) + self.gate(whole)[:, :, None, None]
        for stack, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            x = F.interpolate(x, size=skip.shape[2:], mode="nearest")
            x = stack(torch.cat([x, skip], dim=1))
        return x, whole


def _stack(channels_in: int, channels_out: int, blocks: int) -> nn.Sequential:
    first = ResidualBlock(channels_in, channels_out)
    return nn.Sequential(first, *(ResidualBlock(channels_out, channels_out) for _ in range(blocks - 1)))


def _norm(channels: int, groups: int) -> nn.GroupNorm:
    """At least two channels a group: a map of a single pixel must still have something to compare."""
    return nn.GroupNorm(min(groups, channels // 2), channels)
