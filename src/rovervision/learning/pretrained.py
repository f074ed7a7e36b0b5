"""An encoder that has seen ImageNet, in the place of the U-Net's own: torchvision's ResNet-18."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights, VGG16_BN_Weights, resnet18  # type: ignore[import-untyped]
from torchvision.ops import FrozenBatchNorm2d  # type: ignore[import-untyped]

from rovervision.errors import RovervisionError
from rovervision.learning.unet import Decoder

EncoderName = Literal["none", "resnet18"]
EncoderWeights = Callable[[str], Mapping[str, Tensor]]
"""Name of an encoder → its ImageNet weights; asked only where a model wants them."""

ENCODER_ADDRESSES = {
    "resnet18": ResNet18_Weights.IMAGENET1K_V1.url,
    "vgg16_bn": VGG16_BN_Weights.IMAGENET1K_V1.url,
    "dinov2_vits14": "https://dl.fbaipublicfiles.com/dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth",
}
WITHOUT_ENCODER = (
    "choose a model that needs no such weights: colorization.model.residual.encoder=none, "
    "clustering.encoder.kind=contrastive, clustering.encoder.autoencoder.imagenet=false."
)
"""What to do where weights cannot be had."""


def no_encoder_weights(name: str) -> Mapping[str, Tensor]:
    """Raise RovervisionError: nobody said where an encoder's weights are to be had."""
    raise RovervisionError(
        f"The encoder {name} was asked for, but nobody said where its ImageNet weights lie. "
        f"Train it with kedro run, or {WITHOUT_ENCODER}"
    )


WIDTHS = (64, 128, 256, 512)
"""Channels of ResNet-18 at 1/4, 1/8, 1/16 and 1/32 of the resolution (He et al., CVPR 2016, table 1)."""


class ResNetUNet(nn.Module):
    """ResNet-18 as encoder, our decoder. Its batch normalisation is frozen: no output depends on batch mates.

    Args: those of `Decoder`, but for the widths.
    """

    def __init__(
        self, blocks: int, dropout: float, depth_drop: float = 0.0, every_level: bool = False, clues: int = 0
    ) -> None:
        super().__init__()
        net = resnet18(weights=None, norm_layer=FrozenBatchNorm2d)
        self.stem = nn.ModuleDict({"conv1": net.conv1, "bn1": net.bn1})
        self.layers = nn.ModuleList([net.layer1, net.layer2, net.layer3, net.layer4])
        self.decoder = Decoder(WIDTHS, blocks, dropout, depth_drop, every_level, clues)
        self.channels_out, self.context_size = self.decoder.channels_out, self.decoder.context_size

    def forward(self, lightness: Tensor, clues: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return (N, 64, H/4, W/4) features and (N, 512) of the whole image.

        Args:
            lightness: (N, 1, H, W) in 0..100, H and W multiples of 4. ImageNet's mean gray and spread are taken off.
            clues: (N, C) further numbers about the whole image.
        """
        x = ((lightness / 100 - 0.449) / 0.226).expand(-1, 3, -1, -1)
        x = torch.relu(self.stem["bn1"](self.stem["conv1"](x)))
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)
        maps: list[Tensor] = []
        for layer in self.layers:
            x = layer(x)
            maps.append(x)
        features, whole = self.decoder(maps, clues)
        return features, whole

    def take(self, weights: Mapping[str, Tensor]) -> None:
        """Set the encoder to torchvision's weights of ResNet-18. Raises RovervisionError where they are others."""
        named = {f"stem.{name}": tensor for name, tensor in weights.items() if name.startswith(("conv1.", "bn1."))}
        for name, tensor in weights.items():
            if name.startswith("layer"):
                named[f"layers.{int(name[5]) - 1}{name[6:]}"] = tensor
        named = {name: tensor for name, tensor in named.items() if not name.endswith("num_batches_tracked")}
        try:
            absent, foreign = self.load_state_dict(named, strict=False)
        except RuntimeError as error:
            raise RovervisionError(f"These are not torchvision's weights of ResNet-18: {error}") from error
        if foreign or any(not name.startswith("decoder.") for name in absent):
            raise RovervisionError(
                "These are not torchvision's weights of ResNet-18: layers are missing or too many. Download "
                f"{ENCODER_ADDRESSES['resnet18']}, or set colorization.model.residual.encoder=none."
            )
