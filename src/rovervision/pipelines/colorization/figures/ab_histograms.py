"""Which colours occur, in truth and in prediction."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LinearSegmentedColormap, LogNorm, to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rovervision.imaging.chart_style import INK, MUTED, draw_plain
from rovervision.imaging.color import fit_gamut, lab_to_rgb
from rovervision.pipelines.colorization.figures.style import ROLE_COLORS

COVER = LinearSegmentedColormap.from_list("cover", [(*to_rgb(INK), 0.1), (*to_rgb(INK), 1.0)])
"""From a breath of ink to ink: shades that hide no hue behind them."""

_STRIP_L = 65.0
"""Lightness at which colours are shown beside the axes."""


def draw_ab_histograms(samples: pd.DataFrame) -> Figure:
    """Draw how often each a, b occurs in truth and in prediction, and how often each a and each b.

    The planes share one logarithmic scale. Strips along the axes show the colours that the numbers stand for.
    """
    edges = ab_edges(samples)
    plane = float(np.clip(5.6 * np.ptp(edges[0]) / np.ptp(edges[1]), 2.2, 9.0))  # inches, so that cells are square
    figure = Figure(figsize=(2 * plane + 7.2, 7.0), layout="constrained", facecolor="white")
    axes: dict[str, Axes] = figure.subplot_mosaic(
        [["truth", "prediction", "a"], ["truth", "prediction", "b"]], width_ratios=[plane, plane, 5.0]
    )
    columns = {"truth": ("a", "b"), "prediction": ("predicted_a", "predicted_b")}
    shares = {name: share_of_cells(samples, *columns[name], edges) for name in columns}
    norm = LogNorm(min(share[share > 0].min() for share in shares.values()), max(s.max() for s in shares.values()))
    for name, share in shares.items():
        drawn = _draw_plane(axes[name], share, edges, norm)
        axes[name].set_title(name, fontsize=12, color=INK)
    bar = figure.colorbar(
        drawn, ax=[axes[name] for name in shares], location="bottom", fraction=0.03, aspect=40, pad=0.02
    )
    bar.set_label("share of pixels in a cell of 1 × 1", color=INK)
    for channel, channel_edges in zip("ab", edges, strict=True):
        _draw_marginal(axes[channel], samples, channel, channel_edges)
    figure.suptitle(f"Colours of {len(samples):,} pixels that nothing was learnt from", fontsize=14, color=INK)
    return figure


def ab_edges(samples: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the edges of cells one unit wide that hold 99.9 % of the true and the predicted a, and of the b."""
    limits = []
    for channel in "ab":
        both = samples[[channel, f"predicted_{channel}"]].to_numpy()
        low, high = np.quantile(both, [0.0005, 0.9995])
        limits.append(np.arange(np.floor(min(low, 0.0)) - 3, np.ceil(max(high, 0.0)) + 4, dtype=np.float64))
    return limits[0], limits[1]


def share_of_cells(
    samples: pd.DataFrame, a: str, b: str, edges: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return the share of all pixels in each cell, by a, then by b."""
    return np.histogram2d(samples[a], samples[b], edges)[0] / len(samples)


def shown_colors(a: NDArray[np.float64], b: NDArray[np.float64], lightness: float = _STRIP_L) -> NDArray[np.uint8]:
    """Return the sRGB colours of a and b at one lightness, as far as sRGB can show them. (...) to (..., 3)."""
    a, b = np.broadcast_arrays(a, b)
    return lab_to_rgb(fit_gamut(np.stack([np.full(a.shape, lightness), a, b], axis=-1).astype(np.float32)))


def _draw_plane(
    axis: Axes,
    share: NDArray[np.float64],
    edges: tuple[NDArray[np.float64], NDArray[np.float64]],
    norm: LogNorm,
) -> QuadMesh:
    """Draw how often colours occur, in ink of more or less cover, on the colours themselves."""
    _draw_backdrop(axis, edges)
    drawn = axis.pcolormesh(edges[0], edges[1], np.ma.masked_equal(share.T, 0), cmap=COVER, norm=norm)
    axis.set_xlabel("a   (green to red)", color=INK)
    axis.set_ylabel("b   (blue to yellow)", color=INK)
    axis.set_aspect("equal")
    axis.axhline(0, color=MUTED, lw=0.6)
    axis.axvline(0, color=MUTED, lw=0.6)
    axis.tick_params(colors=INK, length=0)
    return drawn


def _draw_backdrop(axis: Axes, edges: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    """Lay the colours themselves, pale, behind the plane."""
    a, b = np.meshgrid(*(np.linspace(edge[0], edge[-1], 160) for edge in edges))
    extent = (edges[0][0], edges[0][-1], edges[1][0], edges[1][-1])
    axis.imshow(shown_colors(a, b, 78.0), extent=extent, origin="lower", alpha=0.6, interpolation="bilinear")


def _draw_marginal(axis: Axes, samples: pd.DataFrame, channel: str, edges: NDArray[np.float64]) -> None:
    for column, color, name in (
        (channel, MUTED, "truth"),
        (f"predicted_{channel}", ROLE_COLORS["model"], "prediction"),
    ):
        share = 100 * np.histogram(samples[column], edges)[0] / len(samples)
        axis.stairs(
            share, edges, color=color, lw=1.8, label=name, fill=name == "truth", alpha=0.55 if name == "truth" else 1
        )
    values = np.linspace(edges[0], edges[-1], 200)
    a, b = (values, np.zeros(200)) if channel == "a" else (np.zeros(200), values)
    strip = axis.inset_axes((0, -0.055, 1, 0.055), transform=axis.transAxes)
    strip.imshow(shown_colors(a, b)[None], extent=(edges[0], edges[-1], 0, 1), aspect="auto")
    strip.set_axis_off()
    axis.tick_params(axis="x", pad=12)
    axis.set_xlim(edges[0], edges[-1])
    axis.set_ylim(bottom=0)
    axis.set_xlabel(channel)
    axis.set_ylabel("% of pixels in a step of 1")
    if channel == "a":
        axis.legend(frameon=False)
    draw_plain(axis)
