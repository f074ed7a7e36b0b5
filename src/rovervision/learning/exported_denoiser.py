"""A denoiser at rest, and as a pipeline of diffusers, which its users load without this package."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import nn

from rovervision.learning.ddpm import DdpmDenoiser
from rovervision.learning.denoiser import ConditionEmbedding, Conditions, Denoiser, NetworkConfig, build_unet
from rovervision.learning.edm import EdmConfig, EdmDenoiser
from rovervision.learning.samplers import SamplerConfig, open_scheduler
from rovervision.learning.weights import Weights


@dataclass(frozen=True)
class DenoiserExport:
    """A denoiser for others: its weights, and the text that goes with it."""

    weights: Weights
    card: str
    """The model card, Markdown."""


class DenoiserConfig(BaseModel):
    """Which denoiser."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schedule: Literal["edm", "ddpm_1000"] = "edm"
    """edm, or the schedule of the original, which needs the samplers ddim or ddpm."""
    tile_px: int = Field(default=32, ge=8, le=256)
    """Side of what it makes; every level of the network halves it."""
    network: NetworkConfig = NetworkConfig()
    edm: EdmConfig = EdmConfig()

    @model_validator(mode="after")
    def _sides_are_whole(self) -> "DenoiserConfig":
        halvings = 2 ** (len(self.network.widths) - 1)
        if self.tile_px % halvings:
            raise ValueError(f"tile_px must be a multiple of {halvings} for {len(self.network.widths)} widths")
        if any(width % 8 or width < 8 for width in self.network.widths):
            raise ValueError("network.widths must be multiples of 8")
        return self


def build_denoiser(config: DenoiserConfig, conditions: Conditions) -> Denoiser:
    """Return an untrained denoiser; torch's generator decides its first weights."""
    if config.schedule == "edm":
        return EdmDenoiser(config.edm, config.network, conditions, config.tile_px)
    return DdpmDenoiser(config.network, conditions, config.tile_px)


def open_denoiser(weights: Weights, device: str | torch.device = "cpu") -> Denoiser:
    """Return a trained denoiser, ready to sample, from weights whose header holds `denoiser` and `conditions`."""
    config = DenoiserConfig.model_validate(weights.header["denoiser"])
    model = build_denoiser(config, Conditions.from_json(weights.header["conditions"]))
    model.load_state_dict(weights.tensors)
    return model.to(device).eval().requires_grad_(False)


def export_pipeline(weights: Weights) -> Any:
    """Return a stock pipeline of diffusers, which `save_pretrained` writes and `from_pretrained` loads.

    Its class labels are the numbers of `Conditions.joint`; 0 is any camera and class. It has no guidance.
    """
    from diffusers import ConsistencyModelPipeline  # of the stock ones, that which conditions, scales and steps

    model = open_denoiser(weights)
    config = DenoiserConfig.model_validate(weights.header["denoiser"])
    unet = build_unet(config.network, config.tile_px, model.conditions.combinations)
    embedding = model.unet.class_embedding
    assert isinstance(embedding, ConditionEmbedding)
    state = {name: t for name, t in model.unet.state_dict().items() if not name.startswith("class_embedding.")}
    unet.load_state_dict(state | {"class_embedding.weight": embedding.table()})
    kind: Literal["dpmsolver++", "ddim"] = "dpmsolver++" if config.schedule == "edm" else "ddim"
    return ConsistencyModelPipeline(unet.eval(), open_scheduler(model, SamplerConfig(kind=kind)))


def count_parameters(model: nn.Module) -> int:
    """Return how many numbers training may change."""
    return sum(parameter.numel() for parameter in model.parameters())
