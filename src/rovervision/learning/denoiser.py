"""Denoisers: a U-Net that is told the noise level, the camera and the class, and what every kind of them can do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

CHANGES: Final = 4
"""Numbers that tell how a training tile was changed: mirrored, log2 of its enlargement, shift right, shift down."""

_NAME_STD: Final = 0.5
"""Spread of the first vectors of names: enough to tell them apart from the first step on."""


class NetworkConfig(BaseModel):
    """The U-Net, in the words of diffusers' `UNet2DModel`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    widths: tuple[int, ...] = Field(default=(32, 64, 64), min_length=1)
    """Channels at full, half, quarter ... resolution; multiples of 8."""
    blocks: int = Field(default=2, ge=1, le=8)
    """Residual blocks per level on the way down; one more on the way up."""
    attention_px: tuple[int, ...] = (8,)
    """Sides of the levels that have self-attention."""
    dropout: float = Field(default=0.1, ge=0, lt=1)


@dataclass(frozen=True)
class Conditions:
    """What a denoiser can be told: names of cameras and of classes. Number 0 stands for any; names count from 1."""

    cameras: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def combinations(self) -> int:
        """How many pairs of camera and class there are, any included."""
        return (len(self.cameras) + 1) * (len(self.classes) + 1)

    def numbers(self, cameras: Sequence[str], classes: Sequence[str]) -> NDArray[np.int64]:
        """Return (N, 2) numbers of camera and class; unknown names are 0."""
        columns = [
            [known.index(name) + 1 if name in known else 0 for name in names]
            for known, names in ((self.cameras, cameras), (self.classes, classes))
        ]
        return np.array(columns, np.int64).reshape(2, -1).T

    def joint(self, numbers: Tensor) -> Tensor:
        """Return one number for each pair, as the exported model takes it. (..., 2) to (...) int64."""
        return numbers[..., 0].long() * (len(self.classes) + 1) + numbers[..., 1].long()

    def to_json(self) -> dict[str, list[str]]:
        """Return plain lists."""
        return {"cameras": list(self.cameras), "classes": list(self.classes)}

    @classmethod
    def from_json(cls, stored: dict[str, list[str]]) -> "Conditions":
        """Return what `to_json` wrote."""
        return cls(tuple(stored["cameras"]), tuple(stored["classes"]))


class ConditionEmbedding(nn.Module):
    """Camera + class + change of the tile, as one vector that is added to the noise level's.

    The change has no constant term: an unchanged tile, as all generated ones are, adds nothing. So augmentation cannot
    leak into samples (Karras et al., NeurIPS 2020 and 2022).
    """

    def __init__(self, conditions: Conditions, width: int) -> None:
        super().__init__()
        self.conditions = conditions
        self.camera = nn.Embedding(len(conditions.cameras) + 1, width)
        self.class_ = nn.Embedding(len(conditions.classes) + 1, width)
        self.change = nn.Linear(CHANGES, width, bias=False)
        for names in (self.camera, self.class_):
            nn.init.normal_(names.weight, std=_NAME_STD)
        nn.init.zeros_(self.change.weight)

    def forward(self, condition: Tensor) -> Tensor:
        """(N, 2 + CHANGES) numbers of camera and class, and change, to (N, width)."""
        camera, class_ = condition[:, 0].long(), condition[:, 1].long()
        return self.camera(camera) + self.class_(class_) + self.change(condition[:, 2:])

    def table(self) -> Tensor:
        """Return the vectors of all pairs for unchanged tiles, ordered by `Conditions.joint`. (pairs, width)."""
        pairs = self.camera.weight[:, None] + self.class_.weight[None]
        return pairs.reshape(self.conditions.combinations, -1)


class Denoiser(nn.Module, ABC):
    """What a training and a sampler need of a model; `edm` and `ddpm` say how the network is used.

    Images are (N, 3, P, P) in -1..1. Conditions are (N, 2 + CHANGES) float32.
    """

    forward_methods = ("loss",)
    """What Lightning Fabric has to run in the precision of the training."""

    def __init__(self, network: NetworkConfig, conditions: Conditions, tile_px: int) -> None:
        super().__init__()
        self.conditions, self.tile_px = conditions, tile_px
        self.unet = build_unet(network, tile_px, conditions.combinations)
        self.unet.class_embedding = ConditionEmbedding(conditions, network.widths[0] * 4)

    def predict(self, noisy: Tensor, clock: Tensor, condition: Tensor, guidance: float = 1.0) -> Tensor:
        """Return what the bare network says. clock: (N,), in the form that the schedule gives it.

        With guidance g, it is any + g (told - any), any being the answer without camera and class (Ho and Salimans,
        2021). 1 is the condition alone, and costs one evaluation instead of two.
        """
        if guidance == 1.0:
            return self.unet(noisy, clock, class_labels=condition, return_dict=False)[0]
        free = condition.clone()
        free[:, :2] = 0
        both = self.unet(noisy.repeat(2, 1, 1, 1), clock.repeat(2), torch.cat([condition, free]), return_dict=False)
        told, untold = both[0].chunk(2)
        return untold + guidance * (told - untold)

    def loss(self, clean: Tensor, level: Tensor, noise: Tensor, condition: Tensor) -> Tensor:
        """Return the mean weighted error. clean and noise (N, 3, P, P), level (N,), condition (N, 2 + CHANGES)."""
        return self.losses(clean, level, noise, condition).mean()

    @abstractmethod
    def losses(self, clean: Tensor, level: Tensor, noise: Tensor, condition: Tensor) -> Tensor:
        """Return the weighted error of each image. (N,)."""

    @abstractmethod
    def level_at(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the noise level below which this share of the training's levels lies. Shares in 0..1, exclusive."""


def build_unet(config: NetworkConfig, tile_px: int, n_classes: int | None) -> Any:
    """Return an untrained `UNet2DModel` whose time and class vectors scale and shift the normalised features."""
    from diffusers import UNet2DModel  # seconds that only a denoiser should cost

    sides = [tile_px >> level for level in range(len(config.widths))]
    attends = [side in config.attention_px for side in sides]
    return UNet2DModel(
        sample_size=tile_px,
        block_out_channels=config.widths,
        layers_per_block=config.blocks,
        down_block_types=tuple("AttnDownBlock2D" if each else "DownBlock2D" for each in attends),
        up_block_types=tuple("AttnUpBlock2D" if each else "UpBlock2D" for each in reversed(attends)),
        add_attention=attends[-1],
        attention_head_dim=min(32, *config.widths),
        norm_num_groups=int(np.gcd.reduce([32, *config.widths])),
        resnet_time_scale_shift="scale_shift",
        dropout=config.dropout,
        num_class_embeds=n_classes,
    )
