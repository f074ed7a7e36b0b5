"""Colours and axes that the figures share."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from rovervision.imaging.montage import contact_sheet

INK, MUTED, GRID = "#2b2320", "#7a6f69", "#e6e0dc"
METHOD_COLORS = {"generated": "#b5462a", "training tiles": "#3f6f8f", "Gaussian of pixels": "#8c817a"}


def draw_sheet(axis: Axes, tiles: NDArray[np.uint8], columns: int) -> None:
    """Fill axes with tiles, row by row."""
    gap_px = max(1, tiles.shape[1] // 16)
    axis.imshow(contact_sheet(tiles, columns, gap_px), interpolation="bicubic")
    draw_bare(axis)


def draw_bare(axis: Axes) -> None:
    """Take ticks and frame from an image's axes."""
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)


def draw_plain(axis: Axes) -> None:
    """Leave a chart its bottom line and its labels."""
    axis.set_axisbelow(True)
    axis.tick_params(colors=INK, length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_color("#cfc6c0")
