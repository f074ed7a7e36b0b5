"""Denoisers small enough for tests, one whose answers are known, and tiles to learn from."""

import numpy as np
import torch
from torch import Tensor

from rovervision.learning.denoiser import CHANGES, Conditions, NetworkConfig
from rovervision.learning.edm import EdmConfig, EdmDenoiser
from rovervision.learning.exported_denoiser import DenoiserConfig, build_denoiser
from rovervision.learning.training import seeded

CONDITIONS = Conditions(("curiosity/mahli", "curiosity/mastcam_left"), ("ground", "sky", "wheel"))
NETWORK = NetworkConfig(widths=(8, 16), blocks=1, attention_px=(4,), dropout=0.0)
EDM = DenoiserConfig(schedule="edm", tile_px=8, network=NETWORK)
DDPM = EDM.model_copy(update={"schedule": "ddpm_1000"})


def denoiser(config: DenoiserConfig = EDM, seed: int = 0):
    """A denoiser with weights that are not those of a beginner: nothing in it is zero."""
    with seeded(seed):
        model = build_denoiser(config, CONDITIONS)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.15)
    return model.eval()


def told(count: int, camera: int = 1, class_: int = 2) -> Tensor:
    condition = torch.zeros(count, 2 + CHANGES)
    condition[:, 0], condition[:, 1] = camera, class_
    return condition


class GaussianDenoiser(EdmDenoiser):
    """The exact denoiser of pixels that are independent, of one mean and one standard deviation."""

    def __init__(self, mean: float, std: float) -> None:
        super().__init__(EdmConfig(sigma_data=std), NETWORK, CONDITIONS, 8)
        self.mean, self.std, self.asked = mean, std, 0

    def predict(self, noisy: Tensor, clock: Tensor, condition: Tensor, guidance: float = 1.0) -> Tensor:
        self.asked += 1
        sigma = (4 * clock).exp().view(-1, 1, 1, 1)
        total = (sigma**2 + self.std**2).sqrt()
        right = (noisy * total * self.std**2 + self.mean * sigma**2) / total**2
        return (right - (self.std / total) ** 2 * noisy * total) * total / (sigma * self.std)


def tiles(count: int = 24, tile_px: int = 8) -> np.ndarray:
    """Ochre ground below a pale sky, the horizon anywhere."""
    rng = np.random.default_rng(0)
    pixels = np.empty((count, tile_px, tile_px, 3), np.uint8)
    for tile in pixels:
        horizon = rng.integers(1, tile_px - 1)
        tile[:horizon], tile[horizon:] = (200, 170, 140), (130, 80, 50)
    return np.clip(pixels + rng.integers(-8, 8, pixels.shape), 0, 255).astype(np.uint8)
