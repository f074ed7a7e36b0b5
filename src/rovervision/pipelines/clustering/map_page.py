"""The interactive map: one HTML file that needs no network, with a picture of every tile in it."""

import base64
import json
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from plotly.offline import get_plotlyjs

from rovervision.imaging.montage import contact_sheet, spread
from rovervision.imaging.tiles import TileStore
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.figures.boards import thumbnails
from rovervision.pipelines.clustering.figures.members import titles_of
from rovervision.pipelines.clustering.figures.palette import OUTLIER_COLOR, cluster_colors, color_of
from rovervision.pipelines.clustering.labels import known_labels
from rovervision.pipelines.clustering.map_template import TEMPLATE
from rovervision.pipelines.clustering.names import MAP_NAMES, encoder_name

SHEET_COLUMNS: Final = 32
"""Pictures in a row of a sheet, and rows of a full one: few large images load faster than thousands, and phones
refuse those of more than about 16 megapixels."""

_QUALITY: Final = 70
"""Of WebP, which is smaller than JPEG where pictures are this small."""
UNKNOWN: Final = "not known"


def write_map_page(
    tiles: TileStore,
    tile_map: pd.DataFrame,
    tile_clusters: pd.DataFrame,
    cluster_table: pd.DataFrame,
    config: ClusteringConfig,
) -> str:
    """Return the page: a dot for each tile, coloured by cluster, camera, sol or label, its picture where one points.

    Plotly's library, the pictures and the numbers stand in the page itself.
    """
    rows = spread(len(tiles), config.figures.page_tiles)
    side_px = config.figures.page_thumbnail_px
    data = {
        "x": tile_map["x"].to_numpy()[rows].round(4).tolist(),
        "y": tile_map["y"].to_numpy()[rows].round(4).tolist(),
        "frame": tile_clusters["frame_id"].astype(str).to_numpy()[rows].tolist(),
        "sol": [None if pd.isna(sol) else int(sol) for sol in tile_clusters["sol"].to_numpy()[rows]],
        "groups": _groups(tiles, tile_clusters, cluster_table, config, rows),
        "side": side_px,
        "columns": SHEET_COLUMNS,
        "sheets": sprite_sheets(tiles.pixels, rows, side_px),
        "about": f"{len(rows):,} tiles · {MAP_NAMES[config.reduction.kind]} of {encoder_name(config.encoder)} codes",
    }
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")  # no name may end the script
    return TEMPLATE.replace("@@PLOTLY@@", get_plotlyjs()).replace("@@DATA@@", text)


def sprite_sheets(pixels: np.ndarray, rows: np.ndarray, side_px: int) -> list[str]:
    """Return the tiles at these rows as data addresses of WebP sheets of `SHEET_COLUMNS`² pictures, without gaps."""
    full = SHEET_COLUMNS**2
    return [
        _data_address(contact_sheet(thumbnails(pixels, rows[top : top + full], side_px), SHEET_COLUMNS, gap_px=0))
        for top in range(0, len(rows), full)
    ]


def _data_address(picture: np.ndarray) -> str:
    _, packed = cv2.imencode(".webp", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    return "data:image/webp;base64," + base64.b64encode(packed.tobytes()).decode()


def _groups(
    tiles: TileStore,
    tile_clusters: pd.DataFrame,
    cluster_table: pd.DataFrame,
    config: ClusteringConfig,
    rows: np.ndarray,
) -> dict[str, Any]:
    """Return the ways to colour: heading → names, colours, and the number of each tile's name."""
    titles = titles_of(cluster_table)
    colors = cluster_colors(max(titles) + 1)
    order = list(titles)
    numbers = {cluster: number for number, cluster in enumerate(order)}
    cameras = (tile_clusters["rover"].astype(str) + " " + tile_clusters["camera"].astype(str)).str.replace("_", " ")
    groups: dict[str, Any] = {
        "cluster": {
            "names": [titles[cluster] for cluster in order],
            "colors": [color_of(cluster, colors) for cluster in order],
            "of": [numbers[int(cluster)] for cluster in tile_clusters["cluster"].to_numpy()[rows]],
        },
        "camera": _grouped(cameras, rows),
    }
    labels = known_labels(tiles.index, config.scoring)
    return groups if labels is None else groups | {"label": _grouped(labels, rows)}


def _grouped(values: pd.Series, rows: np.ndarray) -> dict[str, Any]:
    """Return names by how often they occur, each with a colour; what is not known is gray and last."""
    named = values.astype("object").where(values.notna(), UNKNOWN).astype(str)
    counts = named.value_counts()
    names = [name for name in counts.index if name != UNKNOWN]
    colors = cluster_colors(len(names))
    if UNKNOWN in counts:
        names, colors = [*names, UNKNOWN], [*colors, OUTLIER_COLOR]
    numbers = {name: number for number, name in enumerate(names)}
    return {"names": names, "colors": colors, "of": [numbers[name] for name in named.to_numpy()[rows]]}
