"""Small tiles to learn from: soil that is ochre and hardware that is gray, at any lightness."""

import hashlib

import numpy as np
import pandas as pd

from rovervision.imaging.tiles import TileStore
from rovervision.learning.batches import AugmentationConfig
from rovervision.learning.colorizers import ModelConfig, ResidualConfig
from rovervision.learning.training import TrainingConfig
from rovervision.pipelines.colorization.config import ColorizationConfig, FiguresConfig, ScoringConfig
from rovervision.sources.frame import StoredFile
from rovervision.sources.regions import GROUND, HARDWARE

CONFIG = ColorizationConfig(
    model=ModelConfig(residual=ResidualConfig(widths=(8, 16), blocks=1)),
    training=TrainingConfig(epochs=2, batch_size=8),
    augmentation=AugmentationConfig(),
    scoring=ScoringConfig(split="test", bootstrap_draws=50),
    figures=FiguresConfig(panels=2, extremes=3, sampled_tiles=8, sampled_pixels=1000),
)


def example_tiles(frames: int = 24, tile_px: int = 16, spoil: tuple[str, ...] = ()) -> TileStore:
    """Two tiles a frame, one sol every two frames; the spoilt splits are filled with noise."""
    rng = np.random.default_rng(0)
    n = 2 * frames
    value = rng.uniform(40, 230, (n, tile_px, tile_px, 1))
    hardware = np.zeros((n, tile_px, tile_px), bool)
    hardware[::2, : tile_px // 2] = True
    color = np.where(hardware[..., None], 1.0, np.array([1.0, 0.75, 0.5]))
    pixels = (value * color).astype(np.uint8)
    sol = np.arange(n) // 4
    index = pd.DataFrame(
        {
            "tile_id": [f"t{i}" for i in range(n)],
            "frame_id": [f"f{i // 2}" for i in range(n)],
            "camera": np.where(np.arange(n) // 2 % 3 == 0, "mahli", "mastcam_left"),
            "sol": sol,
            "split": np.array(["train", "test", "train", "val"])[sol % 4],
            "group": [f"g{s}" for s in sol],
        }
    ).assign(rover="curiosity", taken_utc=None, sclk_s=np.nan, label=None, left_px=0, top_px=0, side_px=tile_px)
    index = index.assign(is_color=True, is_debayered=False, weight=1.0)
    noise = rng.integers(0, 256, pixels.shape, dtype=np.uint8)
    pixels[index["split"].isin(spoil)] = noise[index["split"].isin(spoil)]
    return TileStore(pixels, np.where(hardware, HARDWARE, GROUND).astype(np.uint8), index)


def stored(data: bytes) -> StoredFile:
    """A stored file that holds these bytes."""
    return StoredFile("key", "key", len(data), hashlib.sha256(data).hexdigest(), None, lambda: data)
