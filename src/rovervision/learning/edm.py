"""Denoisers after Karras, Aittala, Aila and Laine, "Elucidating the design space" (NeurIPS 2022), called EDM."""

from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from rovervision.learning.denoiser import Conditions, Denoiser, NetworkConfig


class EdmConfig(BaseModel):
    """Noise levels, as standard deviations of noise on pixels in -1..1. Defaults: table 1 of the paper."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigma_data: float = Field(default=0.5, gt=0)
    """Standard deviation of the pixels, as the preconditioning takes it."""
    log_mean: float = -1.2
    """Mean of the natural logarithm of the levels that are trained on; it is normal."""
    log_std: float = Field(default=1.2, gt=0)
    """Its standard deviation."""
    sigma_min: float = Field(default=0.002, gt=0)
    """Lowest level that the sampler stops at, before zero."""
    sigma_max: float = Field(default=80.0, gt=0)
    """Level that the sampler starts from."""
    rho: float = Field(default=7.0, gt=0)
    """How much closer together the sampler's levels stand toward the end."""


class EdmDenoiser(Denoiser):
    """D(x; σ) = c_skip x + c_out F(c_in x; c_noise), with the four factors of table 1 of the paper.

    They give the network inputs and targets of variance one, and weigh its errors least where they matter least.
    """

    def __init__(self, config: EdmConfig, network: NetworkConfig, conditions: Conditions, tile_px: int) -> None:
        super().__init__(network, conditions, tile_px)
        self.config = config
        torch.nn.init.zeros_(self.unet.conv_out.weight)  # untrained, D is the best linear denoiser of white data
        torch.nn.init.zeros_(self.unet.conv_out.bias)

    def forward(self, noisy: Tensor, sigma: Tensor, condition: Tensor, guidance: float = 1.0) -> Tensor:
        """Return the expected clean images. noisy (N, 3, P, P), sigma (N,) > 0."""
        wide, data = sigma.view(-1, 1, 1, 1), self.config.sigma_data
        total = (wide**2 + data**2).sqrt()
        raw = self.predict(noisy / total, sigma.log() / 4, condition, guidance)
        return (data / total) ** 2 * noisy + wide * data / total * raw

    def losses(self, clean: Tensor, level: Tensor, noise: Tensor, condition: Tensor) -> Tensor:
        """Return λ(σ) |D(y + σ n; σ) - y|², λ = (σ² + σ_data²) / (σ σ_data)², for each image, as a mean over pixels."""
        data = self.config.sigma_data
        error = self(clean + level.view(-1, 1, 1, 1) * noise, level, condition) - clean
        return (level**2 + data**2) / (level * data) ** 2 * error.square().mean(dim=(1, 2, 3))

    def level_at(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return quantiles of the log-normal distribution of levels."""
        normal = NormalDist(self.config.log_mean, self.config.log_std)
        return np.exp([normal.inv_cdf(float(each)) for each in share])


def sampling_levels(config: EdmConfig, steps: int) -> Tensor:
    """Return `steps` falling noise levels and a zero: equation 5 of the paper. (steps + 1,) float64."""
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    high, low = config.sigma_max ** (1 / config.rho), config.sigma_min ** (1 / config.rho)
    return torch.cat([(high + ramp * (low - high)) ** config.rho, torch.zeros(1, dtype=torch.float64)])
