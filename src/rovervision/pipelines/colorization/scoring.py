"""Scores: the colorizer beside its baselines and oracles, on frames that nothing was learnt from."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from rovervision.imaging.color_priors import ColorPriors, look_up
from rovervision.imaging.rank_correlation import rank_correlation
from rovervision.imaging.scores import bootstrap_interval, reference_colors, score_colors
from rovervision.imaging.tiles import TileStore
from rovervision.learning.colorizers import Colorizer, has_batch_statistics
from rovervision.learning.colorizing import load_colorizer
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig, ScoringConfig
from rovervision.pipelines.colorization.predicting import Prediction, camera_number, predict_tile, predict_together
from rovervision.pipelines.colorization.regions import tile_masks
from rovervision.pipelines.colorization.selecting import scored_rows

FRAME_COLUMNS = ("frame_id", "rover", "camera", "sol", "label")


def score_colorizer(
    tiles: TileStore, colorizer: Weights, color_priors: dict[str, dict[str, object]], config: ColorizationConfig
) -> pd.DataFrame:
    """Score every colour tile of the scored split with every method; one row per frame and method.

    A frame's score is the mean over its tiles. Columns: those of the frame, method, and the scores of
    `imaging.scores.score_colors`; for the colorizer also those of `score_doubt`.
    """
    rows = scored_rows(tiles.index, config.scoring)
    model, priors = load_colorizer(colorizer), ColorPriors.from_json(color_priors["as_they_come"])
    together = [] if not has_batch_statistics(model) else shuffled_batches(rows)
    live = {row: ab for batch in together for row, ab in predict_together(model, tiles, batch)}
    with ThreadPoolExecutor() as pool:
        scores = pool.map(
            lambda row: score_tile(tiles, int(row), model, colorizer, priors, config.scoring, live.get(int(row))), rows
        )
        table = pd.DataFrame([score for tile_scores in scores for score in tile_scores])
    values = [column for column in table.columns if column not in (*FRAME_COLUMNS, "method")]
    firsts = {column: "first" for column in FRAME_COLUMNS if column != "frame_id"}
    means = dict.fromkeys(values, "mean")
    return table.groupby(["frame_id", "method"], sort=False, as_index=False).agg(firsts | means)


def score_tile(
    tiles: TileStore,
    row: int,
    model: Colorizer,
    colorizer: Weights,
    priors: ColorPriors,
    config: ScoringConfig,
    live_ab: np.ndarray | None = None,
) -> list[dict[str, object]]:
    """Return one score row per method for one tile; `live_ab` is what the model says with live batch statistics."""
    about = {name: tiles.index[name].iloc[row] for name in FRAME_COLUMNS}
    camera, kind = f"{about['rover']}/{about['camera']}", str(colorizer.header["model"]["kind"])
    own = predict_tile(tiles, row, model, colorizer)
    masks = tile_masks(tiles, row, config.label_regions)
    methods = reference_colors(own.lab, priors, camera) | {kind: own.ab}
    if model.tables.any():
        table = model.tables[camera_number(camera, colorizer)].cpu().numpy()
        methods["starting_table"] = look_up(own.lab[..., 0], table)
    if live_ab is not None:
        methods[f"{kind}{AS_RUN}"] = live_ab
    scores = {name: score_colors(own.lab, ab, masks) for name, ab in methods.items()}
    scores[kind] |= score_doubt(own)
    return [about | {"method": name} | numbers for name, numbers in scores.items()]


def score_doubt(prediction: Prediction) -> dict[str, float]:
    """Return the mean doubt of a tile, and how well it ranks the errors of the tile's pixels (Spearman).

    Both are NaN for kinds that do not judge themselves.
    """
    if prediction.doubt is None:
        return {"doubt": float("nan"), "doubt_rank": float("nan")}
    rank = rank_correlation(prediction.doubt, prediction.error)
    return {"doubt": float(prediction.doubt.mean()), "doubt_rank": rank}


AS_RUN = "_as_run"
"""Ending of the method that the original is run by: batch normalisation by the batch at hand, of eight tiles."""
_AS_RUN_TILES = 8


def shuffled_batches(rows: np.ndarray) -> list[np.ndarray]:
    """Return the rows in batches of about the original's size, in an order that is random and always the same."""
    order = np.random.default_rng(0).permutation(rows)
    return np.array_split(order, max(1, len(order) // _AS_RUN_TILES))


def tabulate_scores(
    scores: pd.DataFrame, config: ColorizationConfig, seed: int
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the score table, one row per method from worst to best, and the model's figures for MLflow.

    Table columns: method, role, frames, mean with its 95 % interval over sols, median and 90th percentile of the
    frames' CIEDE2000, the mean's ratio to the lightness table, `doubt_rank_frames` (how well mean doubt
    ranks the frames' errors), and the means of all other scores.
    """
    rows = [summarize_method(name, part, config, seed) for name, part in scores.groupby("method", sort=False)]
    table = pd.DataFrame(rows)
    base = table.set_index("method").loc["lightness_table"]
    table.insert(4, "ratio_to_table", table["ciede2000_mean"] / base["ciede2000_mean"])
    table["p90_ratio_to_table"] = table["ciede2000_p90"] / base["ciede2000_p90"]
    floor = table.set_index("method").loc["oracle_own_table", "ciede2000_mean"]
    table["gap_closed"] = (base["ciede2000_mean"] - table["ciede2000_mean"]) / max(base["ciede2000_mean"] - floor, 1e-6)
    table = table.sort_values(["role", "ciede2000_mean"], ascending=[True, False], ignore_index=True)
    model = table[table["role"] == "model"].iloc[0]
    numbers = {str(name): float(value) for name, value in model.items() if name not in ("method", "role")}
    return table, {name: value for name, value in numbers.items() if np.isfinite(value)}


def summarize_method(method: object, scores: pd.DataFrame, config: ColorizationConfig, seed: int) -> dict[str, object]:
    """Return one row of the score table."""
    name = str(method)
    error = scores["ciede2000"].to_numpy(np.float64)
    sols = (scores["rover"].astype(str) + scores["sol"].astype(str)).to_numpy()
    low, high = bootstrap_interval(error, sols, config.scoring.bootstrap_draws, seed)
    own = (*FRAME_COLUMNS, "method", "ciede2000", "chroma", "predicted_chroma")
    others = [column for column in scores.columns if column not in own]
    role = "oracle" if name.startswith("oracle") else "model" if name == config.model.kind else "baseline"
    chroma = float(scores["chroma"].mean())
    doubted = scores.dropna(subset=["doubt"])
    return {
        "method": name,
        "role": role,
        "frames": len(scores),
        "ciede2000_mean": float(error.mean()),
        "ciede2000_low": low,
        "ciede2000_high": high,
        "ciede2000_median": float(np.median(error)),
        "ciede2000_p90": float(np.quantile(error, 0.9)),
        "chroma_ratio": float(scores["predicted_chroma"].mean()) / max(chroma, 1e-6),
        "doubt_rank_frames": rank_correlation(doubted["doubt"].to_numpy(), doubted["ciede2000"].to_numpy()),
    } | {column: float(scores[column].mean()) for column in others}
