"""From noise to images: which levels a sampler stops at, and what it makes of the denoiser's answers there."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from rovervision.errors import RovervisionError
from rovervision.learning.ddpm import STEPS, DdpmDenoiser
from rovervision.learning.denoiser import Denoiser
from rovervision.learning.edm import EdmConfig, EdmDenoiser, sampling_levels

Look = Callable[[int, Tensor], None]
"""Called with the step and the images that the sampler expects there, to draw its path."""


class SamplerConfig(BaseModel):
    """How samples are made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["heun", "dpmsolver++", "euler", "ddim", "ddpm"] = "heun"
    """Of edm: heun (2 evaluations a step, 1 in the last), dpmsolver++ and euler (1). Of ddpm_1000: ddim, ddpm."""
    steps: int = Field(default=18, ge=1, le=1000)
    """Noise levels on the way down; dpmsolver++ gives good images from about 8 on."""
    guidance: float = Field(default=1.0, ge=0, le=20)
    """1: camera and class as they were learnt. Above: more like them and less various, at twice the work."""

    @property
    def evaluations(self) -> int:
        """How often the network is asked for each image."""
        passes = 1 if self.guidance == 1.0 else 2
        return (2 * self.steps - 1 if self.kind == "heun" else self.steps) * passes


def generators(seed: int, indices: Sequence[int]) -> list[torch.Generator]:
    """Return a source of noise for each image: seed and index alone decide it, on any device and in any batch."""
    words = [np.random.SeedSequence([seed, index]).generate_state(2, np.uint32) for index in indices]
    return [torch.Generator().manual_seed(int(high) << 31 ^ int(low)) for high, low in words]


@torch.no_grad()
def sample(
    model: Denoiser, condition: Tensor, sources: list[torch.Generator], config: SamplerConfig, look: Look | None = None
) -> Tensor:
    """Return (N, 3, P, P) images in -1..1, not yet clipped, on the model's device.

    Args:
        model: judged as it stands, so set it to `eval` first.
        condition: (N, 2 + CHANGES) float32.
        sources: one generator for each image.
        config: the sampler; one that does not fit the model's schedule raises RovervisionError.
        look: called at every step.
    """
    device = condition.device
    shape = (3, model.tile_px, model.tile_px)
    noise = torch.stack([torch.randn(shape, generator=source) for source in sources]).to(device)
    if isinstance(model, EdmDenoiser) and config.kind == "heun":
        return heun(model, noise, condition, config, look)
    return by_scheduler(model, noise, condition, sources, config, look)


def heun(model: EdmDenoiser, noise: Tensor, condition: Tensor, config: SamplerConfig, look: Look | None) -> Tensor:
    """Second-order steps without new noise: algorithm 1 of Karras et al. (2022) with S_churn = 0."""
    levels = sampling_levels(model.config, config.steps).tolist()
    x = noise * levels[0]

    def slope(x: Tensor, sigma: float, step: int) -> Tensor:
        clean = model(x, torch.full((len(x),), sigma, device=x.device), condition, config.guidance)
        if look is not None:
            look(step, clean)
        return (x - clean) / sigma

    for step in range(config.steps):
        sigma, lower = levels[step], levels[step + 1]
        first = slope(x, sigma, step)
        there = x + (lower - sigma) * first
        x = x + (lower - sigma) * (first + slope(there, lower, step)) / 2 if lower > 0 else there
    return x


def by_scheduler(
    model: Denoiser,
    noise: Tensor,
    condition: Tensor,
    sources: list[torch.Generator],
    config: SamplerConfig,
    look: Look | None,
) -> Tensor:
    """Follow one of diffusers' schedulers."""
    scheduler = open_scheduler(model, config)
    scheduler.set_timesteps(config.steps)
    x = noise * float(scheduler.init_noise_sigma)
    for step, clock in enumerate(scheduler.timesteps):
        told = torch.full((len(x),), float(clock), device=x.device)
        raw = model.predict(scheduler.scale_model_input(x, clock), told, condition, config.guidance)
        given = {"generator": sources} if config.kind == "ddpm" else {}
        moved = scheduler.step(raw, clock, x, **given)
        if look is not None and isinstance(model, EdmDenoiser):
            look(step, scheduler.precondition_outputs(x, raw, scheduler.sigmas[step].to(x.device)))
        elif look is not None:
            look(step, moved.pred_original_sample)
        x = moved.prev_sample
    return x


def open_scheduler(model: Denoiser, config: SamplerConfig) -> Any:
    """Return the scheduler of diffusers that samples from this model; for heun, which it lacks, dpmsolver++.

    Raises RovervisionError where the sampler belongs to the other schedule.
    """
    import diffusers

    if isinstance(model, DdpmDenoiser) and config.kind in ("ddim", "ddpm"):
        scheduler = diffusers.DDIMScheduler if config.kind == "ddim" else diffusers.DDPMScheduler
        return scheduler(num_train_timesteps=STEPS)
    if isinstance(model, EdmDenoiser) and config.kind in ("heun", "dpmsolver++", "euler"):
        levels = edm_levels(model.config)
        if config.kind == "euler":
            return diffusers.EDMEulerScheduler(**levels)
        return diffusers.EDMDPMSolverMultistepScheduler(**levels, solver_order=2)
    is_edm = isinstance(model, EdmDenoiser)
    mine, others = ("edm", "heun, dpmsolver++ or euler") if is_edm else ("ddpm_1000", "ddim or ddpm")
    raise RovervisionError(
        f"The sampler {config.kind} does not fit a denoiser of the schedule {mine}. "
        f"Set diffusion.sampler.kind to {others}."
    )


def edm_levels(config: EdmConfig) -> dict[str, float]:
    """Return the noise levels under the names that diffusers' schedulers of EDM take."""
    return config.model_dump(include={"sigma_min", "sigma_max", "sigma_data", "rho"})
