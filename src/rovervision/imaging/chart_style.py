"""Colours and axes that the figures of all pipelines share."""

from matplotlib.axes import Axes

INK, MUTED, FAINT = "#2b2320", "#7a6f69", "#e6e0dc"
"""Of words; of words that matter less; of grid lines."""
ACCENT = "#b5462a"
"""Of what a chart is about."""


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
