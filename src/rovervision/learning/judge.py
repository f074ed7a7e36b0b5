"""The judge of generated tiles: an encoder and the main axes of its codes, both learnt from training tiles alone."""

import logging
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from rovervision.imaging.montage import spread
from rovervision.learning.code_metric import MetricConfig
from rovervision.learning.code_space import CodeSpace, fit_space
from rovervision.learning.contrastive import ContrastiveConfig
from rovervision.learning.contrastive_batches import PairBatches
from rovervision.learning.encoders import Encoder, EncoderConfig, build_network, open_encoder
from rovervision.learning.positive_pairs import find_companions
from rovervision.learning.training import TrainingConfig, fit, open_fabric, seeded
from rovervision.learning.views import ViewConfig
from rovervision.learning.weights import Weights

logger = logging.getLogger(__name__)


class JudgeConfig(BaseModel):
    """In which features generated tiles are compared with real ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["handcrafted", "pixels", "contrastive"] = "handcrafted"
    """handcrafted: gradients and colours, nothing to learn. contrastive: a small network that learns to find two cuts
    of one tile, colours and all."""
    dim: int = Field(default=48, ge=1, le=512)
    """Main axes of the codes that are kept; each has the same share in no distance, but counts as it varies."""
    epochs: int = Field(default=8, ge=1)
    """Of the contrastive network."""
    epoch_tiles: int = Field(default=4000, ge=2)
    """Tiles in each."""
    batch_size: int = Field(default=128, ge=2)
    """Tiles in a step: a view is sought among twice as many."""


@dataclass(frozen=True)
class Judge:
    """Turns tiles into places whose Euclidean distances tell how unlike they look."""

    encoder: Encoder
    space: CodeSpace
    scale: float
    """Places are divided by this, so that those of the training tiles vary by one in each direction on average."""

    def places(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, P, P, 3) uint8 to (N, d) float32."""
        return self.space.project(self.encoder.embed(pixels)) / np.float32(self.scale)


def train_judge(pixels: NDArray[np.uint8], index: pd.DataFrame, config: JudgeConfig, seed: int, device: str) -> Weights:
    """Return a judge's weights, learnt from these tiles and no other.

    Args:
        pixels: (N, P, P, 3) uint8: the training tiles, at the side of the generated ones.
        index: their N rows of the tile index, which tell which show the same.
        config: the kind.
        seed: decides weights and batches.
        device: where it is trained.
    """
    encoder = EncoderConfig(
        kind=config.kind, fuse_with=None, metric=MetricConfig(kind="plain"), splits=("train",),
        contrastive=ContrastiveConfig(input_px=max(16, pixels.shape[1] // 8 * 8)),
    )  # fmt: skip
    tensors = _train_network(pixels, index, encoder, config, seed, device) if config.kind == "contrastive" else {}
    trained = Weights(tensors, {"encoder": encoder.model_dump(mode="json")})
    codes = open_encoder(trained).embed(pixels)
    space = fit_space(codes, min(config.dim, len(codes) - 1), normalize=False, seed=seed)
    scale = float(np.sqrt(space.project(codes).var(axis=0).mean()))
    found = {"space.mean": torch.from_numpy(space.mean), "space.components": torch.from_numpy(space.components)}
    return Weights(tensors | found, trained.header | {"scale": scale, "tiles": len(pixels)})


def open_judge(weights: Weights) -> Judge:
    """Return the judge of these weights."""
    space = weights.group("space")
    places = CodeSpace(space["mean"].numpy(), space["components"].numpy(), normalize=False)
    return Judge(open_encoder(weights), places, float(weights.header["scale"]))


def _train_network(
    pixels: NDArray[np.uint8], index: pd.DataFrame, encoder: EncoderConfig, config: JudgeConfig, seed: int, device: str
) -> dict[str, torch.Tensor]:
    with seeded(seed):
        network = build_network(encoder)
    # Colour, light and sharpness stay as they are: a judge has to see where they are wrong.
    views = ViewConfig(
        tint_max=1, gain_max=1, gamma_max=1, contrast_max=1, saturation_max=1, gray_frac=0, blur_frac=0, noise=0
    )
    rows = np.arange(len(pixels))
    given = (pixels, rows, config.batch_size, encoder.contrastive.input_px, views, seed)
    companions = find_companions(index, encoder.pairing)
    batches = PairBatches(*given, companions, 0.0, epoch_tiles=config.epoch_tiles)
    some = spread(len(rows), config.batch_size)
    watched = PairBatches(pixels, some, *given[2:], companions, 0.0, fixed=True)
    training = TrainingConfig(epochs=config.epochs, batch_size=config.batch_size, learning_rate=3e-3, keep="last")
    logger.info("training the judge of generated tiles on %d tiles", len(pixels))
    fabric = open_fabric(device, "32-true")
    *_, (last, _) = fit(network, lambda net, batch: net.loss(*batch), batches, watched, training, fabric, seed)
    return {f"network.{name}": tensor.cpu() for name, tensor in last.group("best").items()}
