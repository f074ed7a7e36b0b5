"""Colours and names that the figures share."""

from rovervision.imaging.chart_style import ACCENT

ROLE_COLORS = {"baseline": "#8c817a", "model": ACCENT, "oracle": "#3f6f8f"}
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


def describe_frame(camera: object, sol: object) -> str:
    """Return a frame's camera and sol for people: `mastcam left, sol 1204`."""
    name = str(camera).replace("_", " ")
    return name if sol is None or sol != sol else f"{name}, sol {int(float(str(sol)))}"  # noqa: PLR0124
