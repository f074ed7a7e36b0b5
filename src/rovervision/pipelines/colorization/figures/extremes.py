"""The frames that a colorizer does worst and best on."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from rovervision.imaging.chart_style import INK, draw_bare
from rovervision.imaging.color import lab_to_rgb
from rovervision.imaging.montage import contact_sheet
from rovervision.imaging.tiles import TileStore
from rovervision.learning.colorizing import load_colorizer
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.pipelines.colorization.figures.style import ROLE_COLORS, describe_frame
from rovervision.pipelines.colorization.predicting import Prediction, predict_tile
from rovervision.pipelines.colorization.scoreboard import name_colorizer
from rovervision.pipelines.colorization.selecting import scored_rows

_COLUMNS = 5
_SCENE = ["rover", "camera", "sol", "label"]


def draw_extremes(tiles: TileStore, colorizer: Weights, scores: pd.DataFrame, config: ColorizationConfig) -> Figure:
    """Draw input, prediction and truth of the scenes with the largest and the smallest error.

    Frames of one camera, sol and label count as a scene, of which the most extreme is drawn: else a burst of near
    copies would fill the sheet. Where there are fewer than twice `extremes` scenes, each half takes half of them.
    """
    own = scores[scores["method"] == colorizer.header["model"]["kind"]]
    ranked = own.sort_values("ciede2000", ascending=False, kind="stable")
    worst, best = (frames.drop_duplicates(_SCENE) for frames in (ranked, ranked[::-1]))
    count = max(1, min(config.figures.extremes, len(worst) // 2))
    count -= count % _COLUMNS if count > _COLUMNS else 0  # whole lines
    rows = scored_rows(tiles.index, config.scoring)
    first = dict(zip(tiles.index["frame_id"].iloc[rows[::-1]], rows[::-1].tolist(), strict=True))
    lines = -(-count // _COLUMNS)
    figure = Figure(figsize=(16, 2 * (1.34 * lines + 0.5) + 0.5), layout="constrained", facecolor="white")
    title = f"{name_colorizer(colorizer.header)}: input, prediction and truth of the worst and the best scenes"
    figure.suptitle(title, fontsize=15, color=INK)
    model = load_colorizer(colorizer)
    halves = np.array(figure.subfigures(2, 1), object)
    for part, name, frames in zip(halves, ("worst", "best"), (worst[:count], best[:count]), strict=True):
        part.suptitle(f"The {name} {count}, by mean CIEDE2000", fontsize=13, color=INK, ha="left", x=0.008)
        chosen = [first[frame_id] for frame_id in frames["frame_id"]]
        _draw_sheet(part, frames, [predict_tile(tiles, row, model, colorizer) for row in chosen], lines)
    return figure


def _draw_sheet(part: SubFigure, frames: pd.DataFrame, predictions: list[Prediction], lines: int) -> None:
    axes = part.subplots(lines, _COLUMNS, squeeze=False).ravel()
    for axis in axes:
        draw_bare(axis)
    for axis, (_, frame), prediction in zip(axes, frames.iterrows(), predictions, strict=False):
        _draw_frame(axis, frame, prediction)


def _draw_frame(axis: Axes, frame: pd.Series, prediction: Prediction) -> None:
    gray = lab_to_rgb(prediction.lab * np.array([1, 0, 0], np.float32))
    strip = contact_sheet([gray, prediction.pixels, lab_to_rgb(prediction.lab)], columns=3, gap_px=2)
    axis.imshow(strip, interpolation="bilinear")
    axis.set_title(
        f"{frame['ciede2000']:.1f}", loc="left", fontsize=10, color=ROLE_COLORS["model"], weight="bold", pad=3
    )
    axis.set_title(describe_frame(frame["camera"], frame["sol"]), loc="right", fontsize=9, color=INK, pad=3)
