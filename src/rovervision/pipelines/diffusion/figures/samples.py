"""Generated tiles: by class, and beside real ones."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import INK, MUTED, draw_bare
from rovervision.imaging.montage import spread
from rovervision.imaging.tiles import TileStore
from rovervision.pipelines.diffusion.config import DiffusionConfig
from rovervision.pipelines.diffusion.figures.style import draw_sheet
from rovervision.pipelines.diffusion.selecting import chosen_tiles, reference_rows, trained_rows


def draw_class_grid(tiles_generated: TileStore, config: DiffusionConfig) -> Figure:
    """Draw a row of generated tiles for each class that was asked for, the most frequent ones first."""
    columns = config.figures.side_tiles + config.figures.side_tiles // 2
    labels = tiles_generated.index["label"].fillna("any").astype(str)
    names = labels.value_counts().index[: config.figures.side_tiles]
    figure = Figure(figsize=(0.74 * columns + 1.6, 0.78 * len(names) + 1.2), layout="constrained", facecolor="white")
    axes = figure.subplots(len(names), 1, squeeze=False)[:, 0]
    for axis, name in zip(axes, names, strict=True):
        rows = np.flatnonzero(labels == name)
        shown = np.asarray(tiles_generated.pixels[rows[:columns]])
        empty = np.full((columns - len(shown), *shown.shape[1:]), 255, np.uint8)
        draw_sheet(axis, np.concatenate([shown, empty]), columns)
        axis.set_ylabel(f"{name}\n{len(rows)}", fontsize=9, color=INK, rotation=0, ha="right", va="center", labelpad=8)
    figure.suptitle("Generated tiles by class, and how many there are: no photographs", fontsize=12, color=INK)
    return figure


def draw_real_and_generated(tiles: TileStore, tiles_generated: TileStore, config: DiffusionConfig) -> Figure:
    """Draw as many generated tiles as real ones that the denoiser learnt from, both evenly taken."""
    side = config.figures.side_tiles
    train = trained_rows(tiles.index, config)[0]
    count = min(side * side, len(train), len(tiles_generated))
    rows = spread(len(train), count), spread(len(tiles_generated), count)
    real = chosen_tiles(tiles, np.random.default_rng(0).permutation(train[rows[0]]), config.denoiser.tile_px).pixels
    panels = {"real: training tiles": real, "generated": np.asarray(tiles_generated.pixels[rows[1]])}
    figure = Figure(figsize=(13.0, 6.9), layout="constrained", facecolor="white")
    for axis, (title, shown) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        draw_sheet(axis, shown, side)
        axis.set_title(title, fontsize=13, color=INK, pad=8)
    return figure


def draw_neighbours(
    tiles: TileStore, tiles_generated: TileStore, neighbours: pd.DataFrame, config: DiffusionConfig
) -> Figure:
    """Draw the closest pairs of a generated and a training tile, beside those of held-out tiles.

    A pair's number is its distance over the quantile of held-out tiles below which a tile counts as memorised.
    """
    side_px, count = config.denoiser.tile_px, config.figures.neighbours
    train = chosen_tiles(tiles, trained_rows(tiles.index, config)[0], side_px)
    held_out = chosen_tiles(tiles, reference_rows(tiles.index, config.scoring.reference, config), side_px)
    row_of = {tile_id: row for row, tile_id in enumerate(train.index["tile_id"])}
    distances = neighbours[neighbours["part"] == "held out"]["distance"]
    limit = max(float(distances.quantile(config.scoring.memory_quantile)), 1e-9)
    figure = Figure(figsize=(0.92 * count + 1.7, 5.6), layout="constrained", facecolor="white")
    axes = figure.subplots(4, count, squeeze=False)
    for part, pixels, pair in (("generated", tiles_generated.pixels, 0), ("held out", held_out.pixels, 2)):
        closest = neighbours[neighbours["part"] == part].nsmallest(count, "distance")
        for axis in axes[pair : pair + 2].flat:
            draw_bare(axis)
        for column, (_, each) in enumerate(closest.iterrows()):
            nearest = train.pixels[row_of[each["training_tile"]]]
            axes[pair, column].imshow(np.asarray(pixels[int(each["row"])]), interpolation="bicubic")
            axes[pair + 1, column].imshow(nearest, interpolation="bicubic")
            axes[pair + 1, column].set_xlabel(f"{each['distance'] / limit:.2f}", fontsize=9, color=MUTED)
    for row, name in enumerate(("generated", "nearest\ntraining tile", "held out\n(real)", "nearest\ntraining tile")):
        axes[row, 0].set_ylabel(name, fontsize=10, color=INK, rotation=0, ha="right", va="center", labelpad=8)
    figure.suptitle(
        "The closest pairs. Below 1: nearer than held-out real tiles are, but for "
        f"{100 * config.scoring.memory_quantile:g} %",
        fontsize=12, color=INK,
    )  # fmt: skip
    return figure
