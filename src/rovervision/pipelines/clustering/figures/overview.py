"""All clusters on one page: of each its middle tile, the members nearest to the centre and the farthest."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import MUTED
from rovervision.imaging.tiles import TileStore
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.figures.boards import (
    GAP_PX,
    MARGIN_PX,
    TITLE_PX,
    Board,
    resized,
    shortened,
    thumbnails,
)
from rovervision.pipelines.clustering.figures.members import counted, farthest, nearest, where_and_when
from rovervision.pipelines.clustering.figures.palette import as_rgb, cluster_colors, color_of, ink_on
from rovervision.pipelines.clustering.names import encoder_name

_SIDE_PX, _ROW_PX, _MEDOID_PX, _NAMES_PX, _BLOCK_PX, _HEAD_PX = 66, 78, 74, 356, 26, 24


def draw_overview(
    tiles: TileStore, tile_clusters: pd.DataFrame, cluster_table: pd.DataFrame, config: ClusteringConfig
) -> Figure:
    """Draw a row for each cluster, the largest first: number, name, medoid, nearest and farthest members."""
    wanted = config.figures
    lefts = _lefts(wanted.nearest, wanted.farthest)
    board = Board(lefts[-1] + MARGIN_PX, TITLE_PX + _HEAD_PX + _ROW_PX * len(cluster_table) + 12)
    board.title(
        "What the clusters hold",
        f"{counted(len(tiles), 'tile')} in {counted(int((cluster_table['cluster'] >= 0).sum()), 'cluster')}, "
        f"by {encoder_name(config.encoder)} codes; near means near to the centre of the cluster",
    )
    heads = ("medoid", "nearest", "farthest") if wanted.farthest else ("medoid", "nearest")
    for left, head in zip(lefts, heads, strict=False):
        board.write(left, TITLE_PX + 2, head, color=MUTED)
    colors = cluster_colors(int(cluster_table["cluster"].max()) + 1)
    for line, row in enumerate(cluster_table.to_dict("records")):
        top = TITLE_PX + _HEAD_PX + line * _ROW_PX
        _name(board, row, color_of(int(row["cluster"]), colors), top)
        members = tile_clusters[tile_clusters["cluster"] == row["cluster"]]
        board.put(resized(np.asarray(tiles.pixels[int(row["medoid_row"])]), _MEDOID_PX), lefts[0], top)
        board.put_sheet(thumbnails(tiles.pixels, nearest(members, wanted.nearest), _SIDE_PX), 99, lefts[1], top + 4)
        board.put_sheet(thumbnails(tiles.pixels, farthest(members, wanted.farthest), _SIDE_PX), 99, lefts[2], top + 4)
    return board.drawn()


def _lefts(n_nearest: int, n_farthest: int) -> list[int]:
    """Return where medoid, nearest and farthest begin, and where the row ends."""
    step = _SIDE_PX + GAP_PX
    first = MARGIN_PX + _NAMES_PX
    second = first + _MEDOID_PX + _BLOCK_PX
    third = second + n_nearest * step + _BLOCK_PX
    return [first, second, third, third + n_farthest * step]


def _name(board: Board, row: dict[str, object], color: str, top: int) -> None:
    side = 34
    number = int(str(row["cluster"]))
    board.put(np.full((side, side, 3), as_rgb(color), np.uint8), MARGIN_PX, top + 8)
    board.write(
        MARGIN_PX + side / 2, top + 8 + side / 2, str(number) if number >= 0 else "–",
        color=ink_on(color), va="center", ha="center", fontsize=11,
    )  # fmt: skip
    board.write(MARGIN_PX + side + 12, top + 6, shortened(str(row["name"]), 40), fontsize=10)
    board.write(MARGIN_PX + side + 12, top + 28, where_and_when(row), fontsize=8, color=MUTED, linespacing=1.4)
