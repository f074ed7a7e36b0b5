"""The colorizer's card holds every method's row, and says so where only rendered images were seen."""

import pandas as pd
import torch

from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.card import SYNTHETIC_LIMIT, describe_colorizer
from tests.pipelines.colorization.examples import CONFIG, example_tiles

TABLE = pd.DataFrame(
    {
        "method": ["gray", "residual", "oracle_own_table"],
        "role": ["baseline", "model", "oracle"],
        "frames": [7, 7, 7],
        "ciede2000_mean": [15.5504, 2.4, 1.2837],
        "sampled": [1, 2, 3],
    }
)


def card(source: str) -> str:
    tiles = example_tiles()
    frames = tiles.index[["frame_id", "rover", "camera", "sol"]].drop_duplicates("frame_id")
    header = {
        "model": {"kind": "residual"}, "recipe": "84fb", "epochs": 3, "best_epoch": 2, "tile_px": 16,
        "input": "CIE L, 0..100", "trained_on": {"tiles": 40, "frames": 24},
    }  # fmt: skip
    weights = Weights({"tables": torch.zeros(1, 101, 2), "w": torch.zeros(4, 5)}, header)
    return describe_colorizer(weights, tiles, frames.assign(source=source, credit="NASA/JPL"), TABLE, CONFIG)


def test_the_card_shows_the_model_beside_its_baselines_and_bounds() -> None:
    told = card("msl_labelled")
    assert "| gray | baseline | 15.550 |" in told
    assert "| residual | model | 2.400 |" in told
    assert "| oracle_own_table | oracle | 1.284 |" in told
    assert "7 frames of the split `test`" in told
    assert "| parameters | 20 |" in told
    assert "epochs: 3; on 40 tiles of 24 frames; weights of epoch 2" in told
    assert "`84fb`" in told
    assert "NASA/JPL" in told


def test_only_a_model_of_rendered_images_is_said_to_know_nothing_of_mars() -> None:
    assert SYNTHETIC_LIMIT in card("synthetic")
    assert SYNTHETIC_LIMIT not in card("msl_labelled")
