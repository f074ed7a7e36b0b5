"""Pixels drawn from the scored tiles: truth, prediction, error and doubt; and whether doubt is as large as error."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from rovervision.imaging.montage import spread
from rovervision.imaging.tiles import TileStore
from rovervision.learning.colorizers import Colorizer
from rovervision.learning.colorizing import load_colorizer
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.pipelines.colorization.predicting import predict_tile
from rovervision.pipelines.colorization.regions import REGION_GROUPS, tile_masks
from rovervision.pipelines.colorization.selecting import scored_rows

SAMPLE_COLUMNS = ("L", "a", "b", "predicted_a", "predicted_b", "error", "doubt")
CALIBRATION_BINS = 10


def sample_predictions(tiles: TileStore, colorizer: Weights, config: ColorizationConfig, seed: int) -> pd.DataFrame:
    """Colour scored tiles once, and draw as many random pixels from each, for all figures of pixels.

    Which pixels depends on the seed and the tile's row alone. Memory holds a tile and what was drawn.

    Returns:
        columns tile (row in the tile index), region (sky, terrain, hardware or unknown), and float32: L, true a and b,
        predicted a and b, error and doubt (both CIEDE2000; doubt is NaN for kinds without).
    """
    rows = scored_rows(tiles.index, config.scoring)
    rows = rows[spread(len(rows), config.figures.sampled_tiles)]
    count = min(max(1, config.figures.sampled_pixels // len(rows)), tiles.tile_px**2)
    model = load_colorizer(colorizer)

    def draw(row: int) -> pd.DataFrame:
        picks = np.random.default_rng((seed, row)).choice(tiles.tile_px**2, count, replace=False)
        return draw_pixels(tiles, row, model, colorizer, config, picks)

    with ThreadPoolExecutor() as pool:
        return pd.concat(pool.map(draw, rows.tolist()), ignore_index=True)


def draw_pixels(
    tiles: TileStore, row: int, model: Colorizer, colorizer: Weights, config: ColorizationConfig, picks: np.ndarray
) -> pd.DataFrame:
    """Return the rows of `sample_predictions` for one tile; `picks` count pixels line by line."""
    prediction = predict_tile(tiles, row, model, colorizer)
    doubt = np.full_like(prediction.error, np.nan) if prediction.doubt is None else prediction.doubt
    values = np.concatenate([prediction.lab, prediction.ab, prediction.error[..., None], doubt[..., None]], axis=-1)
    region = np.full(len(picks), "unknown", object)
    for name, mask in tile_masks(tiles, row, config.scoring.label_regions).items():
        region[mask.reshape(-1)[picks]] = name
    chosen = values.reshape(-1, len(SAMPLE_COLUMNS))[picks].astype(np.float32)
    table = pd.DataFrame(chosen, columns=list(SAMPLE_COLUMNS))
    table.insert(0, "region", pd.Categorical(region, [*REGION_GROUPS, "unknown"]))
    table.insert(0, "tile", np.int32(row))
    return table


def calibrate_doubt(samples: pd.DataFrame) -> pd.DataFrame:
    """Return ten bins of equally many pixels, from the least doubted to the most; none where there is no doubt.

    Columns: bin (1 to 10), pixels, doubt_low, doubt_high, doubt_mean, error_mean. Calibrated doubt has doubt_mean equal
    to error_mean in every bin, for doubt promises the mean error.
    """
    doubted = samples.dropna(subset=["doubt"])
    order = np.argsort(doubted["doubt"].to_numpy(), kind="stable")
    parts = np.array_split(order, CALIBRATION_BINS) if len(order) >= CALIBRATION_BINS else []
    doubt, error = doubted["doubt"].to_numpy(np.float64), doubted["error"].to_numpy(np.float64)
    rows = [
        (number, len(part), doubt[part].min(), doubt[part].max(), doubt[part].mean(), error[part].mean())
        for number, part in enumerate(parts, start=1)
    ]
    return pd.DataFrame(rows, columns=["bin", "pixels", "doubt_low", "doubt_high", "doubt_mean", "error_mean"])
