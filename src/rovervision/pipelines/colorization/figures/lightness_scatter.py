"""Colour against lightness, in truth and in prediction."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rovervision.imaging.chart_style import INK
from rovervision.imaging.color import fit_gamut, lab_to_rgb
from rovervision.pipelines.colorization.figures.style import DENSITY_COLORS

_BINS = 64
"""Cells on each side: four levels of red, green and blue are a cell, so that rounding draws no stripes."""


def draw_lightness_scatter(samples: pd.DataFrame) -> Figure:
    """Draw each colour channel against lightness as a density, truth above prediction, on one logarithmic scale.

    A function of lightness alone would give lines; what the truth has beside a line, lightness does not tell.
    """
    sides = {
        "truth": channels_of(samples, ("L", "a", "b")),
        "prediction": channels_of(samples, ("L", "predicted_a", "predicted_b")),
    }
    limits = {name: shared_limits([side[name] for side in sides.values()], name) for name in sides["truth"]}
    figure = Figure(figsize=(15.5, 6.9), layout="constrained", facecolor="white")
    axes = figure.subplots(2, len(limits), sharex=True, sharey="col")
    norm = LogNorm(1, densest(samples["L"].to_numpy(), sides, limits))
    for place, (side, channels) in enumerate(sides.items()):
        row = axes[place]
        for axis, (name, values) in zip(row, channels.items(), strict=True):
            drawn = _draw_density(axis, samples["L"].to_numpy(), values, limits[name], norm)
            axis.set_title(name if place == 0 else "", fontsize=12, color=INK)
        row[0].set_ylabel(side, fontsize=12, color=INK, labelpad=8)
    for axis in axes[1]:
        axis.set_xlabel("L", color=INK)
    figure.colorbar(drawn, ax=axes, label="pixels in a cell", fraction=0.02, pad=0.012)
    figure.suptitle("What lightness tells of colour, and what it does not", fontsize=14, color=INK)
    return figure


def channels_of(samples: pd.DataFrame, columns: tuple[str, str, str]) -> dict[str, NDArray[np.float32]]:
    """Return a, b (Lab units) and red, green, blue (0 to 255, as sRGB shows them) of the pixels."""
    lab = samples[list(columns)].to_numpy(np.float32)
    rgb = lab_to_rgb(fit_gamut(lab)).astype(np.float32)
    return {"a": lab[:, 1], "b": lab[:, 2], "red": rgb[:, 0], "green": rgb[:, 1], "blue": rgb[:, 2]}


def shared_limits(values: list[NDArray[np.float32]], name: str) -> tuple[float, float]:
    """Return the range of a channel that both rows show: 0 to 255, or what holds 99.9 % of the a or b of both."""
    if name not in ("a", "b"):
        return -0.5, 255.5
    low, high = np.quantile(np.concatenate(values), [0.0005, 0.9995])
    return float(min(low, 0.0)) - 2, float(max(high, 0.0)) + 2


def densest(
    lightness: NDArray[np.float32],
    sides: dict[str, dict[str, NDArray[np.float32]]],
    limits: dict[str, tuple[float, float]],
) -> float:
    """Return the largest number of pixels in any cell of the figure, at least 10."""
    counts = [
        _count(lightness, values, limits[name])[0].max() for side in sides.values() for name, values in side.items()
    ]
    return max(10.0, float(max(counts)))


def _count(
    lightness: NDArray[np.float32], values: NDArray[np.float32], limits: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    return np.histogram2d(lightness, values, _BINS, ((0.0, 100.0), limits))


def _draw_density(
    axis: Axes, lightness: NDArray[np.float32], values: NDArray[np.float32], limits: tuple[float, float], norm: LogNorm
) -> QuadMesh:
    counts, x, y = _count(lightness, values, limits)
    drawn = axis.pcolormesh(x, y, np.ma.masked_equal(counts.T, 0), cmap=DENSITY_COLORS, norm=norm)
    axis.tick_params(colors=INK, length=0)
    for spine in axis.spines.values():
        spine.set_color("#cfc6c0")
    return drawn
