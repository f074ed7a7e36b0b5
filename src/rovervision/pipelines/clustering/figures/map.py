"""The map: tiles at the places of their codes, alike ones near one another."""

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import INK, MUTED
from rovervision.imaging.montage import framed, pinned, spaced
from rovervision.imaging.tiles import TileStore
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.figures.boards import MARGIN_PX, TITLE_PX, Board, shortened
from rovervision.pipelines.clustering.figures.members import counted, titles_of
from rovervision.pipelines.clustering.figures.palette import as_rgb, cluster_colors, color_of
from rovervision.pipelines.clustering.names import MAP_NAMES, encoder_name

_SIDE_PX, _LEGEND_PX, _BORDER_PX, _LINE_PX = 1280, 360, 3, 27


def draw_map(
    tiles: TileStore,
    tile_map: pd.DataFrame,
    tile_clusters: pd.DataFrame,
    cluster_table: pd.DataFrame,
    config: ClusteringConfig,
) -> Figure:
    """Draw every tile as a dot of its cluster's colour, and as many of them as pictures as do not cover each other."""
    thumb = config.figures.map_thumbnail_px
    colors = cluster_colors(int(cluster_table["cluster"].max()) + 1)
    clusters = tile_clusters["cluster"].to_numpy()
    places = tile_map[["x", "y"]].to_numpy(np.float64)
    width, height = (round((_SIDE_PX - 2 * thumb) * extent) + 2 * thumb for extent in places.max(axis=0))
    centers = np.stack([places[:, 0], places[:, 1].max() - places[:, 1]], axis=1) * (_SIDE_PX - 2 * thumb) + thumb
    shown = spaced(centers, float(thumb))
    pictures = [
        framed(np.asarray(tiles.pixels[row]), thumb, _BORDER_PX, as_rgb(color_of(int(clusters[row]), colors)))
        for row in shown
    ]
    lines = len(cluster_table) * _LINE_PX + 40
    board = Board(width + _LEGEND_PX + 2 * MARGIN_PX, TITLE_PX + max(height, lines))
    board.title(
        "A map of the tiles: what looks alike lies near",
        f"{counted(len(tiles), 'tile')}, {len(shown)} of them as pictures, the others as dots; "
        f"{MAP_NAMES[config.reduction.kind]} of {encoder_name(config.encoder)} codes",
    )
    _dots(board, centers, clusters, colors)
    above = pinned(pictures, centers[shown], height, width)
    area = board.pixels[TITLE_PX : TITLE_PX + height, MARGIN_PX : MARGIN_PX + width]
    area[above[..., 3] > 0] = above[above[..., 3] > 0][:, :3]
    _numbers(board, centers, clusters)
    _legend(board, cluster_table, colors, MARGIN_PX + width + 24)
    return board.drawn()


def _dots(board: Board, centers: np.ndarray, clusters: np.ndarray, colors: list[str]) -> None:
    for (x, y), cluster in zip(centers.round().astype(int), clusters, strict=True):
        top, left = TITLE_PX + y - 2, MARGIN_PX + x - 2
        board.pixels[max(top, 0) : top + 4, max(left, 0) : left + 4] = as_rgb(color_of(int(cluster), colors))


def _numbers(board: Board, centers: np.ndarray, clusters: np.ndarray) -> None:
    """Write each cluster's number at the member that is nearest to the median of its places."""
    halo = [patheffects.withStroke(linewidth=3.5, foreground="white")]
    for cluster in np.unique(clusters[clusters >= 0]):
        own = centers[clusters == cluster]
        x, y = own[np.abs(own - np.median(own, axis=0)).sum(axis=1).argmin()]
        board.write(
            MARGIN_PX + x, TITLE_PX + y, str(cluster), ha="center", va="center", fontsize=15, weight="bold",
            color=INK, path_effects=halo,
        )  # fmt: skip


def _legend(board: Board, cluster_table: pd.DataFrame, colors: list[str], left: int) -> None:
    titles = titles_of(cluster_table)
    for line, row in enumerate(cluster_table.to_dict("records")):
        cluster, top = int(row["cluster"]), TITLE_PX + line * _LINE_PX
        board.put(np.full((16, 16, 3), as_rgb(color_of(cluster, colors)), np.uint8), left, top)
        board.write(left + 24, top + 8, shortened(titles[cluster], 40), va="center", fontsize=9)
        board.write(left + _LEGEND_PX - 24, top + 8, f"{int(row['n_tiles']):,}", va="center", ha="right", color=MUTED)
