"""The kinds of encoder: one configuration, one way to build them, one form of weights."""

from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from rovervision.imaging.descriptors import HandcraftedConfig, PixelsConfig
from rovervision.learning.positive_pairs import PairingConfig

Kind = Literal[
    "pixels", "handcrafted", "random", "autoencoder", "unpooling_autoencoder", "vgg_autoencoder",
    "variational_autoencoder", "contrastive", "pretrained",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
Split = Literal["train", "val", "test"]


class Encoder(Protocol):
    """Images to codes."""

    dim: int
    """Numbers in a code."""

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return a code for each image; alone or among others, an image has the same.

        Args:
            pixels: (N, P, P, 3) uint8 sRGB, P a multiple of 8; a gray image has R = G = B.

        Returns:
            (N, dim) float32, finite.
        """
        ...


class AutoencoderConfig(BaseModel):
    """What the kinds of autoencoder are told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_px: int = Field(default=32, ge=16, le=256, multiple_of=8)
    """Images are brought to this side."""
    code_dim: int = Field(default=64, ge=2, le=4096)
    """Numbers in a code, of the plain and the variational autoencoder."""
    imagenet: bool = False
    """The VGG-16 autoencoder starts from torchvision's ImageNet weights."""


class ContrastiveConfig(BaseModel):
    """The network that learns which views belong together; also of the kind `random`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Literal["s", "m"] = "s"
    """s: for processors; m: for a GPU."""
    input_px: int = Field(default=48, ge=16, le=256, multiple_of=8)
    """Images are brought to this side."""
    temperature: float = Field(default=0.2, gt=0, le=5)


class PretrainedConfig(BaseModel):
    """A network that others trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["resnet18", "dinov2_vits14"] = "resnet18"
    """resnet18: torchvision's, from ImageNet. dinov2_vits14: of timm, where that is installed."""


class EncoderConfig(BaseModel):
    """Which encoder; each kind that can be told something has a section of its own, read for that kind only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "contrastive"
    fuse_with: Literal["pixels", "handcrafted"] | None = None
    """Put the normalised codes of this encoder behind those of the kind."""
    fuse_share: float = Field(default=0.5, ge=0, le=1)
    """How much of a distance comes from the encoder that is put behind."""
    splits: tuple[Split, ...] = ("train", "val", "test")
    """Splits whose tiles are trained on. Labels are not, so all may be."""
    monitor_frac: float = Field(default=0.1, ge=0.0, lt=0.5)
    """Share of the groups that is not trained on but watched."""
    pixels: PixelsConfig = PixelsConfig()
    handcrafted: HandcraftedConfig = HandcraftedConfig()
    autoencoder: AutoencoderConfig = AutoencoderConfig()
    contrastive: ContrastiveConfig = ContrastiveConfig()
    pairing: PairingConfig = PairingConfig()
    pretrained: PretrainedConfig = PretrainedConfig()


def is_trained(kind: str) -> bool:
    """Tell whether an encoder of this kind learns from tiles over epochs."""
    return kind not in ("pixels", "handcrafted", "random", "pretrained")
