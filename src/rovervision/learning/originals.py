"""The two networks of the Curiosity and Perseverance original, written anew after their description, as baselines.

Encoder: four 4 × 4 convolutions of stride 2, then two of dilation 2. Decoder: four transposed 4 × 4 convolutions of
stride 2; each answer is joined by the encoder's map of its size, the last one by the input. Batch normalisation and
ReLU after each but the last convolution. Lightness goes in unscaled, 0 to 100.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rovervision.learning.colorizer import Colorizer, pad_to_multiple

ENCODER = (32, 64, 128, 256)
REGRESSION_DECODER = (128, 64, 32, 32)
MARGINAL_DECODER = (384, 448, 480, 511)
"""Channels of the transposed convolutions; joined with the encoder's maps and the input each has 512."""
BIN_OFFSET, BINS = 127, 256
"""Bin i of a or b stands for the value i - 127."""
_HALVINGS = 16
"""Height and width must be multiples of this."""


class OriginalNetwork(nn.Module):
    """The encoder and decoder that both originals share. (N, 1, H, W), multiples of 16, to (N, channels_out, H, W)."""

    def __init__(self, decoder: Sequence[int], channels_out: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            _normed(nn.Conv2d(one, two, 4, 2, 1), two) for one, two in zip((1, *ENCODER), ENCODER, strict=False)
        )
        deep = ENCODER[-1]
        self.middle = nn.Sequential(*(_normed(nn.Conv2d(deep, deep, 4, padding=3, dilation=2), deep) for _ in range(2)))
        ins = (deep, *(channels + skip for channels, skip in zip(decoder, ENCODER[-2::-1], strict=False)))
        self.up = nn.ModuleList(
            _normed(nn.ConvTranspose2d(one, two, 4, 2, 1), two) for one, two in zip(ins, decoder, strict=True)
        )
        self.last = nn.Conv2d(decoder[-1] + 1, channels_out, 3, padding=1)

    def forward(self, lightness: Tensor) -> Tensor:
        """Return the last convolution's maps."""
        maps, x = [lightness], lightness
        for layer in self.down:
            x = layer(x)
            maps.append(x)
        x = self.middle(x)
        for layer, skip in zip(self.up, maps[-2::-1], strict=True):
            x = torch.cat([layer(x), skip], dim=1)
        return self.last(x)


class RegressionColorizer(Colorizer):
    """The original's regression: a and b by mean squared error. Its tables are zeros."""

    stride_px = 1

    def __init__(self, tables: Tensor) -> None:
        super().__init__(torch.zeros_like(tables))
        self.net = OriginalNetwork(REGRESSION_DECODER, 2)

    def correction(self, lightness: Tensor) -> Tensor:
        """Return ab at full resolution, any size. (N, 1, H, W) to (N, 2, H, W)."""
        return whole_sizes(self.net, lightness).float()

    def loss(self, lightness: Tensor, camera: Tensor, ab: Tensor, fold: Tensor | None = None) -> Tensor:
        """Return the mean squared error."""
        return F.mse_loss(self.correction(lightness), ab)


class MarginalColorizer(Colorizer):
    """The original's classification: 256 classes of a and 256 of b, each on its own, by arg-max. Tables are zeros."""

    stride_px = 1

    def __init__(self, tables: Tensor) -> None:
        super().__init__(torch.zeros_like(tables))
        self.net = OriginalNetwork(MARGINAL_DECODER, 2 * BINS)

    def logits(self, lightness: Tensor) -> Tensor:
        """Return logits of the values of a and b. (N, 1, H, W) to (N, 256, 2, H, W)."""
        return whole_sizes(self.net, lightness).float().unflatten(1, (2, BINS)).transpose(1, 2)

    def correction(self, lightness: Tensor) -> Tensor:
        """Return the likeliest a and the likeliest b, any size. (N, 1, H, W) to (N, 2, H, W)."""
        return self.logits(lightness).argmax(dim=1).to(torch.float32) - BIN_OFFSET

    def loss(self, lightness: Tensor, camera: Tensor, ab: Tensor, fold: Tensor | None = None) -> Tensor:
        """Return the sum of both cross-entropies."""
        classes = (ab.round() + BIN_OFFSET).clamp(0, BINS - 1).long()
        return 2 * F.cross_entropy(self.logits(lightness), classes)


def whole_sizes(net: nn.Module, lightness: Tensor) -> Tensor:
    """Return the network's answer for any size: the last row and column are repeated, and the rest cut off again."""
    height, width = lightness.shape[2:]
    return net(pad_to_multiple(lightness, _HALVINGS))[:, :, :height, :width]


def _normed(layer: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(channels), nn.ReLU())
