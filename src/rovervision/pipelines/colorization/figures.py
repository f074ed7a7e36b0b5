"""The figures of colorization. Every function returns a figure of its own and touches no global state."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rovervision.imaging.color import fit_gamut, lab_to_rgb, rgb_to_lab
from rovervision.imaging.color_difference import ciede2000
from rovervision.imaging.tiles import TileStore
from rovervision.learning.colorizing import load_colorizer
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.pipelines.colorization.scoring import camera_number, predict_ab

ERROR_MAX = 15.0
"""Top of the error maps' scale, in CIEDE2000; larger errors are drawn like it and the colour bar says so."""

INK, MUTED = "#2b2320", "#7a6f69"
ROLE_COLORS = {"baseline": "#8c817a", "model": "#b5462a", "oracle": "#3f6f8f"}
METHOD_NAMES = {
    "gray": "gray (no colour)",
    "global_mean": "one mean colour",
    "lightness_table": "table by lightness",
    "camera_table": "table by lightness and camera",
    "starting_table": "balanced table that the model starts from",
    "oracle_table_and_tint": "table + the image's true tint",
    "oracle_own_table": "the image's own table",
    "oracle_quarter_resolution": "true colour at 1/4 resolution",
}


def draw_panels(tiles: TileStore, colorizer: Weights, scores: pd.DataFrame, config: ColorizationConfig) -> Figure:
    """Draw gray input, prediction, truth and error for frames spread evenly from the best to the worst scored."""
    kind = str(colorizer.header["model"]["kind"])
    own = scores[scores["method"] == kind].sort_values("ciede2000", ignore_index=True)
    picks = own.iloc[np.linspace(0, len(own) - 1, min(config.panels, len(own))).round().astype(int)]
    model = load_colorizer(colorizer)
    figure = Figure(figsize=(11.4, 2.75 * len(picks) + 0.9), layout="constrained", facecolor="white")
    axes = figure.subplots(len(picks), 4, squeeze=False)
    for row, (_, frame) in zip(axes, picks.iterrows(), strict=True):
        tile = np.asarray(tiles.pixels[int(np.flatnonzero(tiles.index["frame_id"] == frame["frame_id"])[0])])
        lab = rgb_to_lab(tile)
        number = camera_number(f"{frame['rover']}/{frame['camera']}", colorizer)
        predicted = fit_gamut(np.concatenate([lab[..., :1], predict_ab(model, lab[..., 0], number)], axis=-1))
        error = ciede2000(lab, predicted)
        row[0].imshow(lab[..., 0], cmap="gray", vmin=0, vmax=100, interpolation="bicubic")
        row[1].imshow(lab_to_rgb(predicted), interpolation="bicubic")
        row[2].imshow(tile, interpolation="bicubic")
        drawn = row[3].imshow(error, cmap="magma", vmin=0, vmax=ERROR_MAX, interpolation="nearest")
        sol = "" if pd.isna(frame["sol"]) else f"sol {int(frame['sol'])}"
        row[0].set_ylabel(f"{frame['camera']}\n{sol}", fontsize=10, color=INK)
        row[3].set_xlabel(f"mean {error.mean():.1f}", fontsize=10, color=INK)
    for axis, title in zip(axes[0], ("lightness (input)", "predicted colour", "true colour", "error"), strict=True):
        axis.set_title(title, fontsize=12, color=INK, pad=8)
    for axis in axes.flat:
        _bare(axis)
    bar = figure.colorbar(drawn, ax=axes[:, 3], extend="max", shrink=min(1.0, 2.4 / len(picks)), pad=0.03)
    bar.set_label("CIEDE2000", color=INK)
    figure.suptitle("Colour of frames that nothing was learnt from, best to worst", fontsize=14, color=INK)
    return figure


def draw_learning_curves(checkpoint: Weights) -> Figure:
    """Draw the loss on the training tiles and on the watched ones, and the epoch that was kept."""
    history = checkpoint.header["history"]
    figure = Figure(figsize=(8.4, 4.6), layout="constrained", facecolor="white")
    axis = figure.subplots()
    styles = {"train_loss": ("training tiles", MUTED), "monitor_loss": ("watched tiles (not trained on)", "#b5462a")}
    for name, (label, color) in styles.items():
        points = history.get(name, [])
        axis.plot(
            [p["step"] for p in points],
            [p["value"] for p in points],
            color=color,
            lw=2,
            marker="o",
            ms=3.5,
            label=label,
        )
    if checkpoint.header["best_epoch"]:
        best = checkpoint.header["best_epoch"], checkpoint.header["best_loss"]
        axis.plot(*best, "o", ms=11, mfc="none", mec="#b5462a", mew=1.8, label=f"kept: epoch {best[0]}")
    axis.set_xlabel("epoch")
    axis.set_ylabel("perceived colour error (CIEDE2000 metric)")
    axis.set_title("Learning to colour", loc="left", fontsize=13, color=INK)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(axis="y", color="#e6e0dc")
    axis.legend(frameon=False)
    _plain(axis)
    return figure


def draw_scores(table: pd.DataFrame, config: ColorizationConfig) -> Figure:
    """Draw mean CIEDE2000 of every method with its 95 % interval, baselines above, oracles below."""
    order = {"baseline": 0, "model": 1, "oracle": 2}
    rows = table.sort_values(["role", "ciede2000_mean"], key=lambda c: c.map(order) if c.name == "role" else -c)
    figure = Figure(figsize=(9.6, 0.52 * len(rows) + 1.7), layout="constrained", facecolor="white")
    axis = figure.subplots()
    for y, row in enumerate(rows.itertuples()):
        color = ROLE_COLORS[str(row.role)]
        axis.plot(
            [row.ciede2000_low, row.ciede2000_high], [y, y], color=color, lw=3, alpha=0.45, solid_capstyle="round"
        )
        axis.plot(row.ciede2000_mean, y, "o", ms=8, color=color)
        axis.plot(row.ciede2000_median, y, "|", ms=11, mew=2, color=color)
        axis.annotate(
            f"{row.ciede2000_mean:.2f}", (row.ciede2000_high, y), xytext=(8, 0), textcoords="offset points",
            va="center", fontsize=10, color=INK,
        )  # fmt: skip
    axis.set_yticks(range(len(rows)), [METHOD_NAMES.get(name, f"{name} (this model)") for name in rows["method"]])
    for label, role in zip(axis.get_yticklabels(), rows["role"], strict=True):
        label.set_color(ROLE_COLORS[role])
    axis.invert_yaxis()
    axis.set_xlim(left=0, right=float(rows["ciede2000_high"].max()) * 1.1)
    axis.set_xlabel("CIEDE2000 per frame: mean (dot, 95 % interval over sols) and median (bar); smaller is better")
    axis.set_title(
        f"How far from true colour: {int(rows['frames'].iloc[0])} frames of the {config.scoring.split} split",
        loc="left", fontsize=13, color=INK,
    )  # fmt: skip
    axis.grid(axis="x", color="#e6e0dc")
    _plain(axis)
    return figure


def _bare(axis: Axes) -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)


def _plain(axis: Axes) -> None:
    axis.set_axisbelow(True)
    axis.tick_params(colors=INK, length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_color("#cfc6c0")
