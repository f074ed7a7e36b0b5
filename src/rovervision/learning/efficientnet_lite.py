"""EfficientNet-Lite0 as maps of features at 1/4 to 1/32 of the resolution.

The shape is that of table 1 of Tan and Le, "EfficientNet" (ICML 2019), without squeeze-and-excitation and with ReLU6,
as its authors published it for phones. Convolutions of stride 2 pad as TensorFlow does: the weights come
from there.
"""

from collections.abc import Mapping
from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import FrozenBatchNorm2d  # type: ignore[import-untyped]

STEM: Final = 32
STAGES: Final = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
"""Of each stage: expansion, channels, blocks, stride of the first block, side of the kernel."""
MAP_STAGES: Final = {1: 24, 2: 40, 4: 112, 6: 320}
"""Stage → channels of the maps that are handed on: the last ones at 1/4, 1/8, 1/16 and 1/32 of the resolution."""


class LiteBlock(nn.Module):
    """Expand, convolve each channel, project; added to what came in where the shape allows.

    Its layers are named as in the published weights. (N, C_in, H, W) to (N, C_out, H/stride, W/stride).
    """

    def __init__(self, channels_in: int, channels_out: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        middle = channels_in * expansion
        self.stride, self.kernel, self.is_added = stride, kernel, stride == 1 and channels_in == channels_out
        if expansion > 1:
            self.expand_conv = nn.Conv2d(channels_in, middle, 1, bias=False)
            self.bn0 = _norm(middle)
        self.depthwise_conv = nn.Conv2d(middle, middle, kernel, stride, groups=middle, bias=False)
        self.bn1 = _norm(middle)
        self.project_conv = nn.Conv2d(middle, channels_out, 1, bias=False)
        self.bn2 = _norm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's map."""
        h = F.relu6(self.bn0(self.expand_conv(x))) if hasattr(self, "expand_conv") else x
        h = F.relu6(self.bn1(self.depthwise_conv(pad_as_tensorflow(h, self.kernel, self.stride))))
        h = self.bn2(self.project_conv(h))
        return x + h if self.is_added else h


class EfficientNetLite0(nn.Module):
    """The network without its classifier, batch normalisation frozen: no output depends on batch mates."""

    widths = tuple(MAP_STAGES.values())

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = nn.Conv2d(3, STEM, 3, 2, bias=False)
        self.bn0 = _norm(STEM)
        blocks: list[LiteBlock] = []
        channels, self.map_blocks = STEM, []
        for stage, (expansion, width, count, stride, kernel) in enumerate(STAGES):
            for number in range(count):
                blocks.append(LiteBlock(channels, width, expansion, stride if number == 0 else 1, kernel))
                channels = width
            if stage in MAP_STAGES:
                self.map_blocks.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)

    def forward(self, unit: Tensor) -> list[Tensor]:
        """Return maps of `widths` channels, fine to deep. (N, 3, H, W) sRGB in 0..1.

        Values of 0 to 255 less 127, divided by 128, are what the weights were trained on.
        """
        x = (255 * unit - 127) / 128
        x = F.relu6(self.bn0(self.conv_stem(pad_as_tensorflow(x, 3, 2))))
        maps = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.map_blocks:
                maps.append(x)
        return maps

    def take(self, weights: Mapping[str, Tensor]) -> None:
        """Set the weights to the published ones."""
        self.load_state_dict(published_names(weights))


def published_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the published weights under the names of `EfficientNetLite0`, without those of the classifier."""
    named = {".".join(part.lstrip("_") for part in name.split(".")): tensor for name, tensor in weights.items()}
    return {
        name: tensor
        for name, tensor in named.items()
        if not name.startswith(("conv_head", "bn1.", "fc")) and not name.endswith("num_batches_tracked")
    }


def pad_as_tensorflow(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad so that a convolution gives ceil(H / stride) x ceil(W / stride), the odd pixel at the bottom and right."""
    (top, bottom), (left, right) = (_around(side, kernel, stride) for side in x.shape[2:])
    return F.pad(x, (left, right, top, bottom))


def _around(side: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def _norm(channels: int) -> nn.Module:
    return FrozenBatchNorm2d(channels, eps=1e-3)
