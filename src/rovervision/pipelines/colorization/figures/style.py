"""Colours, names and axes that the figures share."""

from matplotlib.axes import Axes

INK, MUTED, GRID = "#2b2320", "#7a6f69", "#e6e0dc"
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

DENSITY_COLORS = "magma_r"
"""Even in lightness; the densest is dark, and what is empty is left white."""


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


def describe_frame(camera: object, sol: object) -> str:
    """Return a frame's camera and sol for people: `mastcam left, sol 1204`."""
    name = str(camera).replace("_", " ")
    return name if sol is None or sol != sol else f"{name}, sol {int(float(str(sol)))}"  # noqa: PLR0124
