"""Small tiles to learn from, and a configuration that learns from them in a second."""

import numpy as np
import pandas as pd

from rovervision.imaging.tiles import TileStore
from rovervision.learning.denoiser import NetworkConfig
from rovervision.learning.denoiser_batches import ChangesConfig
from rovervision.learning.exported_denoiser import DenoiserConfig
from rovervision.learning.judge import JudgeConfig
from rovervision.learning.samplers import SamplerConfig
from rovervision.learning.training import TrainingConfig
from rovervision.pipelines.diffusion.config import (
    ApplyConfig,
    DiffusionConfig,
    FiguresConfig,
    GenerationConfig,
    ScoringConfig,
)

CONFIG = DiffusionConfig(
    denoiser=DenoiserConfig(tile_px=16, network=NetworkConfig(widths=(8, 16), blocks=1, attention_px=())),
    training=TrainingConfig(epochs=2, batch_size=8, learning_rate=2e-3),
    changes=ChangesConfig(),
    sampler=SamplerConfig(kind="dpmsolver++", steps=4),
    generation=GenerationConfig(count=12, batch_size=5),
    scoring=ScoringConfig(reference="test", judge=JudgeConfig(dim=6), neighbours=3),
    figures=FiguresConfig(side_tiles=3, paths=2, neighbours=3, levels=3, loss_tiles=6),
    apply=ApplyConfig(count=3),
)
NO_CLUSTERS = pd.DataFrame()


def changed(**sections: dict[str, object]) -> DiffusionConfig:
    """CONFIG with some fields of some sections replaced."""
    given = CONFIG.model_dump()
    for name, fields in sections.items():
        given[name] = {**given[name], **fields} if isinstance(fields, dict) else fields
    return DiffusionConfig.model_validate(given)


def example_tiles(frames: int = 40, tile_px: int = 32, spoil: tuple[str, ...] = ()) -> TileStore:
    """Two tiles a frame, one sol every two frames; wheels are dark and gray, ground is ochre."""
    rng = np.random.default_rng(0)
    n = 2 * frames
    region = np.where(np.arange(n) % 4 == 0, "hardware", "ground")
    color = np.where((region == "hardware")[:, None], [60.0, 60, 60], [170.0, 120, 80])
    value = rng.uniform(0.7, 1.3, (n, tile_px, tile_px, 1))
    pixels = np.clip(value * color[:, None, None], 0, 255).astype(np.uint8)
    sol = np.arange(n) // 4
    split = np.array(["train", "test", "train", "train", "val"])[sol % 5]
    index = pd.DataFrame(
        {
            "tile_id": [f"t{i}" for i in range(n)],
            "frame_id": [f"f{i // 2}" for i in range(n)],
            "camera": np.where(np.arange(n) // 2 % 3 == 0, "mahli", "mastcam_left"),
            "sol": sol,
            "split": split,
            "group": [f"g{s}" for s in sol],
            "region": region,
        }
    ).assign(rover="curiosity", taken_utc=None, sclk_s=np.nan, label=None, left_px=0, top_px=0, side_px=tile_px)
    index = index.assign(is_color=True, is_debayered=False, weight=1.0)
    spoilt = index["split"].isin(spoil).to_numpy()
    pixels[spoilt] = rng.integers(0, 256, pixels.shape, dtype=np.uint8)[spoilt]
    return TileStore(pixels, np.zeros(pixels.shape[:3], np.uint8), index)
