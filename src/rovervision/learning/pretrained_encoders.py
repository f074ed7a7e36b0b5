"""Encoders that others trained on photographs of the Earth: EfficientNet-Lite0, ResNet-18; DINOv2 by way of timm."""

from importlib import import_module
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torchvision.models import resnet18  # type: ignore[import-untyped]

from rovervision.errors import RovervisionError
from rovervision.learning.efficientnet_lite import EfficientNetLite0, published_names
from rovervision.learning.pretrained import EncoderWeights

_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, as torchvision's and DINOv2's documentation state."""
_PATCH_PX = {"efficientnet_lite0": 8, "resnet18": 8, "dinov2_vits14": 14}


class PretrainedConfig(BaseModel):
    """A network that others trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["efficientnet_lite0", "resnet18", "dinov2_vits14"] = "efficientnet_lite0"
    """efficientnet_lite0: from ImageNet, its weights in a package of their own (extra `imagenet`). resnet18:
    torchvision's, from ImageNet. dinov2_vits14: of timm, where that is installed."""
    input_px: int = Field(default=128, ge=32, le=512, multiple_of=8)
    """Images are brought to this side, or to the nearest that the network takes."""

    @property
    def side_px(self) -> int:
        """The side that the network takes."""
        patch = _PATCH_PX[self.name]
        return round(self.input_px / patch) * patch


class LiteFeatures(nn.Module):
    """EfficientNet-Lite0's maps at 1/16 and 1/32 of the resolution, each averaged over the image."""

    dim = sum(EfficientNetLite0.widths[2:])

    def __init__(self) -> None:
        super().__init__()
        self.net = EfficientNetLite0().to(memory_format=torch.channels_last)

    def forward(self, unit: Tensor) -> Tensor:
        """Return features. (N, 3, P, P) sRGB in 0..1 to (N, dim)."""
        return torch.cat([each.mean(dim=(2, 3)) for each in self.net(unit)[2:]], dim=1)


class PretrainedNetwork(nn.Module):
    """Images to the features before the network's last layer. Their number is `dim`."""

    mean: Tensor
    spread: Tensor

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        self.name, self.input_px = config.name, config.side_px
        self.net, self.dim = _build(config.name, self.input_px)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(_SPREAD).view(1, 3, 1, 1), persistent=False)

    def forward(self, unit: Tensor) -> Tensor:
        """Return features. (N, 3, side_px, side_px) sRGB in 0..1 to (N, dim)."""
        return self.net(unit if isinstance(self.net, LiteFeatures) else (unit - self.mean) / self.spread)

    def take_weights(self, weights: EncoderWeights) -> None:
        """Set the network to the weights of its name. Raises RovervisionError where they are missing or others."""
        found = dict(weights(self.name))
        if self.name == "efficientnet_lite0":
            found = {f"net.{name}": tensor for name, tensor in published_names(found).items()}
        if self.name == "dinov2_vits14":
            found = import_module("timm.models.vision_transformer").checkpoint_filter_fn(found, self.net)
        wanted = self.net.state_dict()
        kept = {name: tensor for name, tensor in found.items() if name in wanted}
        try:
            self.net.load_state_dict(kept)
        except RuntimeError as error:
            raise RovervisionError(
                f"These are not the weights of {self.name}: layers are missing or of another size. Download them "
                "again, or set clustering.encoder.kind=contrastive."
            ) from error


def _build(name: str, input_px: int) -> tuple[nn.Module, int]:
    if name == "efficientnet_lite0":
        return LiteFeatures(), LiteFeatures.dim
    return _resnet18() if name == "resnet18" else _dinov2(input_px)


def _resnet18() -> tuple[nn.Module, int]:
    net = resnet18(weights=None)
    dim = net.fc.in_features
    net.fc = nn.Identity()
    return net, dim


def _dinov2(input_px: int) -> tuple[nn.Module, int]:
    try:
        timm = import_module("timm")
    except ImportError as error:
        raise RovervisionError(
            "The encoder dinov2_vits14 needs timm, which is not installed. Install it (pip install timm), or set "
            "clustering.encoder.pretrained.name=resnet18."
        ) from error
    net = timm.create_model("vit_small_patch14_dinov2", pretrained=False, num_classes=0, img_size=input_px)
    return net, int(net.num_features)
