"""Colours and sheets that the figures share."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from rovervision.imaging.chart_style import ACCENT, draw_bare
from rovervision.imaging.montage import contact_sheet

METHOD_COLORS = {"generated": ACCENT, "training tiles": "#3f6f8f", "Gaussian of pixels": "#8c817a"}


def draw_sheet(axis: Axes, tiles: NDArray[np.uint8], columns: int) -> None:
    """Fill axes with tiles, row by row."""
    gap_px = max(1, tiles.shape[1] // 16)
    axis.imshow(contact_sheet(tiles, columns, gap_px), interpolation="bicubic")
    draw_bare(axis)
