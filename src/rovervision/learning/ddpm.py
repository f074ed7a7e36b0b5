"""The denoiser of the original: noise is predicted at one of 1,000 steps (Ho, Jain and Abbeel, NeurIPS 2020)."""

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rovervision.learning.denoiser import Conditions, Denoiser, NetworkConfig

STEPS: Final = 1000


class DdpmDenoiser(Denoiser):
    """Predicts the noise n in √ᾱ y + √(1 - ᾱ) n; ᾱ falls along the linear schedule of the paper."""

    alphas_cumprod: Tensor

    def __init__(self, network: NetworkConfig, conditions: Conditions, tile_px: int) -> None:
        super().__init__(network, conditions, tile_px)
        self.register_buffer("alphas_cumprod", schedule().alphas_cumprod.clone(), persistent=False)

    def losses(self, clean: Tensor, level: Tensor, noise: Tensor, condition: Tensor) -> Tensor:
        """Return the squared error of the predicted noise for each image; level: (N,) whole steps 0..999."""
        share = self.alphas_cumprod[level.long()].view(-1, 1, 1, 1)
        noisy = share.sqrt() * clean + (1 - share).sqrt() * noise
        return (self.predict(noisy, level, condition) - noise).square().mean(dim=(1, 2, 3))

    def level_at(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return steps: all are equally frequent."""
        return np.floor(np.asarray(share) * STEPS)


def schedule() -> Any:
    """Return diffusers' schedule of that paper."""
    from diffusers import DDPMScheduler

    return DDPMScheduler(num_train_timesteps=STEPS)


def noise_to_signal(step: Tensor) -> Tensor:
    """Return the level of a step as EDM counts it: the noise's standard deviation where the image's factor is one."""
    alphas = schedule().alphas_cumprod[step.long().cpu()].to(torch.float64)
    return ((1 - alphas) / alphas).sqrt()
