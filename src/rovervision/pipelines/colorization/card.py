"""The card of a trained colorizer, for people who find it in a registry."""

from typing import Final

import pandas as pd

from rovervision.imaging.tiles import TileStore
from rovervision.learning.model_card import describe_data, describe_use, is_synthetic, model_card
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig

COLUMNS: Final = {
    "method": "method",
    "role": "role",
    "ciede2000_mean": "mean error",
    "ciede2000_low": "low",
    "ciede2000_high": "high",
    "ciede2000_p90": "90th percentile",
    "ratio_to_table": "ratio to table",
    "chroma_ratio": "chroma",
}
"""Columns of the score table that the card shows, and what they are called there."""

LIMITS: Final = (
    "Colours are those that the archives publish, stretched image by image. They are no measurement: take no mineral "
    "from them.",
    "Many colours fit one gray image. The answer lies near their mean, so rare and vivid things (hardware, calibration "
    "targets) come out too dull or in the colour of soil.",
    "Cameras that are not in the table above get the starting colours of all cameras together.",
    "The expected error that comes with each pixel tells doubt that the model knows of. For a scene like no other that "
    "it saw, it may be far too small.",
)

SYNTHETIC_LIMIT: Final = (
    "Every image that it learnt from was rendered by a program: nothing here tells how it does on images of Mars."
)


def describe_colorizer(
    colorizer: Weights, tiles: TileStore, frames: pd.DataFrame, table: pd.DataFrame, config: ColorizationConfig
) -> str:
    """Return the card of a colorizer as Markdown.

    Args:
        colorizer: The finished weights.
        tiles: The tiles that it learnt from and was scored on.
        frames: The frames that they were cut from, with source and credit.
        table: The score table, with baselines and oracles.
        config: Says which split was scored.
    """
    header = colorizer.header
    kind, trained_on = str(header["model"]["kind"]), header["trained_on"]
    facts = {
        "kind": kind,
        "parameters": sum(tensor.numel() for name, tensor in colorizer.tensors.items() if not name.endswith("tables")),
        "input": f"{header['input']}; trained on tiles of {header['tile_px']} px",
        "output": "a and b of CIELAB, and the error to be expected",
        "trained": f"epochs: {header['epochs']}; on {trained_on['tiles']} tiles of {trained_on['frames']} frames; "
        f"weights of epoch {header['best_epoch']} were kept",
    }
    shown = table[[name for name in COLUMNS if name in table]].rename(columns=COLUMNS)
    n_frames = int(table["frames"].max()) if len(table) else 0
    return model_card(
        title=f"Colorizer of Mars rover images: {kind}",
        purpose="Tells which colour a gray rover image most likely has, for people who look at such images.",
        facts=facts,
        data=describe_data(tiles, frames, str(header["recipe"])),
        scores=shown,
        about_scores=f"CIEDE2000 on {n_frames} frames of the split `{config.scoring.split}`: 0 is perfect, 1 just "
        "noticeable; low and high bound the mean (95 %, over sols). Chroma: predicted by true. Oracles know the truth.",
        limits=[*LIMITS, *([SYNTHETIC_LIMIT] if is_synthetic(tiles, frames) else [])],
        licence=describe_use(tiles, frames),
    )
