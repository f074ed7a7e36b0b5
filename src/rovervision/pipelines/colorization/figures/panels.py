"""Before and after, region by region."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from rovervision.imaging.chart_style import INK, MUTED, draw_bare
from rovervision.imaging.tiles import TileStore
from rovervision.learning.colorizing import load_colorizer
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.pipelines.colorization.figures.style import describe_frame
from rovervision.pipelines.colorization.predicting import Prediction, predict_tile
from rovervision.pipelines.colorization.regions import REGION_GROUPS, tile_masks
from rovervision.pipelines.colorization.scoreboard import name_colorizer
from rovervision.pipelines.colorization.selecting import scored_rows

ERROR_MAX = 10.0
"""Top of the maps' scale, in CIEDE2000; larger errors are drawn like it and the colour bar says so."""

SHARE_MIN = 0.1
"""A frame stands for a region that fills at least this share of one of its tiles."""

EVERYWHERE = "image"
"""The name of the region where no region is known."""


@dataclass(frozen=True)
class Pick:
    """A frame that stands for a region."""

    region: str
    rank: str
    """Such as `best`."""
    row: int
    """Of the tile that shows most of the region."""


def draw_panels(tiles: TileStore, colorizer: Weights, scores: pd.DataFrame, config: ColorizationConfig) -> Figure:
    """Draw gray input, prediction, truth, error and doubt for frames of each region, from the best to the worst."""
    picks = pick_frames(tiles, scores[scores["method"] == colorizer.header["model"]["kind"]], config)
    model = load_colorizer(colorizer)
    predictions = [predict_tile(tiles, pick.row, model, colorizer) for pick in picks]
    titles = ["lightness (input)", "predicted colour", "true colour", "error"]
    titles += ["expected error"] if predictions[0].doubt is not None else []
    figure = Figure(
        figsize=(1.74 * len(titles) + 1.15, 1.98 * len(picks) + 1.15), layout="constrained", facecolor="white"
    )
    grid = figure.add_gridspec(len(picks) + 1, len(titles), height_ratios=[1.0] * len(picks) + [0.07])
    axes = np.array([[figure.add_subplot(grid[y, x]) for x in range(len(titles))] for y in range(len(picks))])
    for row, pick, prediction in zip(axes, picks, predictions, strict=True):
        masks = tile_masks(tiles, pick.row, config.scoring.label_regions)
        mask = masks.get(pick.region, np.ones(prediction.error.shape, bool))
        drawn = _draw_row(row, prediction, np.asarray(tiles.pixels[pick.row]), mask)
        about = tiles.index.iloc[pick.row]
        where = describe_frame(about["camera"], about["sol"]).replace(", ", "\n")
        label = row[0].set_ylabel(f"{pick.region}\n{pick.rank}\n{where}", fontsize=10, color=INK, rotation=0)
        label.set(ha="right", va="center", linespacing=1.35)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=12, color=INK, pad=8)
    for axis in axes.flat:
        draw_bare(axis)
    bar = figure.colorbar(drawn, cax=figure.add_subplot(grid[-1, 3:]), extend="max", orientation="horizontal")
    bar.set_label("CIEDE2000", color=INK)
    figure.suptitle(f"{name_colorizer(colorizer.header)}: frames that nothing was learnt from", fontsize=14, color=INK)
    return figure


def _draw_row(axes: np.ndarray, prediction: Prediction, truth: np.ndarray, mask: np.ndarray) -> AxesImage:
    """Draw one frame; what the numbers below the maps are means of is outlined where it is not the whole tile."""
    axes[0].imshow(prediction.lab[..., 0], cmap="gray", vmin=0, vmax=100, interpolation="bicubic")
    axes[1].imshow(prediction.pixels, interpolation="bicubic")
    axes[2].imshow(truth, interpolation="bicubic")
    drawn = _draw_map(axes[3], prediction.error, mask, "mean")
    if prediction.doubt is not None:
        _draw_map(axes[4], prediction.doubt, mask, "mean")
    return drawn


def _draw_map(axis: Axes, values: np.ndarray, mask: np.ndarray, word: str) -> AxesImage:
    drawn = axis.imshow(values, cmap="magma", vmin=0, vmax=ERROR_MAX, interpolation="nearest")
    if not mask.all():
        axis.contour(mask, levels=[0.5], colors="white", linewidths=0.8)
    axis.set_xlabel(f"{word} {values[mask].mean():.1f}", fontsize=9.5, color=MUTED, labelpad=3)
    return drawn


def pick_frames(tiles: TileStore, own: pd.DataFrame, config: ColorizationConfig) -> list[Pick]:
    """Return frames spread evenly from the best to the worst of each region; of all frames where no region is known."""
    rows = scored_rows(tiles.index, config.scoring)
    largest = largest_shares(tiles, rows, config.scoring.label_regions)
    picks: list[Pick] = []
    for region in REGION_GROUPS:
        known = own[own["frame_id"].isin(largest.index[largest[region] >= SHARE_MIN])]
        ranked = known.dropna(subset=[f"ciede2000_{region}"]).sort_values(f"ciede2000_{region}", kind="stable")
        picks += _spread_picks(region, [int(largest.at[name, f"{region}_row"]) for name in ranked["frame_id"]], config)
    if picks:
        return picks
    first = pd.Series(rows[::-1], index=tiles.index["frame_id"].iloc[rows[::-1]].to_numpy()).to_dict()
    ranked = own.sort_values("ciede2000", kind="stable")
    return _spread_picks(EVERYWHERE, [int(first[name]) for name in ranked["frame_id"]], config)


def _spread_picks(region: str, rows: list[int], config: ColorizationConfig) -> list[Pick]:
    places = np.unique(np.linspace(0, len(rows) - 1, min(config.figures.panels, len(rows))).round().astype(int))
    return [Pick(region, _rank(number, len(places)), rows[place]) for number, place in enumerate(places.tolist())]


def _rank(number: int, count: int) -> str:
    """Return what the picks of a region are called, from the best to the worst."""
    if count == 1:
        return "the only one"
    names = {0: "best", (count - 1) / 2: "median", count - 1: "worst"}
    return names.get(number, f"{round(100 * number / (count - 1))} % are better")


def largest_shares(tiles: TileStore, rows: np.ndarray, label_regions: Mapping[str, str]) -> pd.DataFrame:
    """Return each frame's largest share of each region among its tiles, and the `<region>_row` of that tile."""
    shares = [{name: mask.mean() for name, mask in tile_masks(tiles, row, label_regions).items()} for row in rows]
    table = pd.DataFrame(shares).assign(row=rows, frame_id=tiles.index["frame_id"].iloc[rows].to_numpy())
    parts: dict[str, pd.Series] = {}
    for region in REGION_GROUPS:
        best = table.sort_values(region, ascending=False, kind="stable").drop_duplicates("frame_id")
        best = best.set_index("frame_id")
        parts |= {region: best[region], f"{region}_row": best["row"]}
    return pd.DataFrame(parts)
