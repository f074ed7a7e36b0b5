"""A page for each cluster, and pages of what is rare and what is alike: tiles in order, with what is known of each."""

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
    note_page,
    resized,
    shortened,
    thumbnails,
)
from rovervision.pipelines.clustering.figures.members import farthest, nearest, titles_of, where_and_when

_SIDE_PX, _COLUMNS, _HEAD_PX, _CAPTION_PX = 92, 12, 30, 34
_STEP_PX = _SIDE_PX + GAP_PX
_WIDTH_PX = 2 * MARGIN_PX + _COLUMNS * _STEP_PX - GAP_PX


def draw_cluster_sheets(
    tiles: TileStore, tile_clusters: pd.DataFrame, cluster_table: pd.DataFrame, config: ClusteringConfig
) -> dict[str, Figure]:
    """Draw a page for each cluster: its nearest members, and half as many of the farthest. File name → figure."""
    titles = titles_of(cluster_table)
    pages = {}
    for row in cluster_table.to_dict("records"):
        cluster = int(row["cluster"])
        members = tile_clusters[tile_clusters["cluster"] == cluster]
        near = nearest(members, config.figures.sheet_tiles)
        far = farthest(members[~members.index.isin(near)], config.figures.sheet_tiles // 2)
        below = where_and_when(row).replace("\n", " · ") + _labels(row)
        name = f"cluster_{cluster:02d}.png" if cluster >= 0 else "outliers.png"
        pages[name] = _page(tiles, titles[cluster], below, {"nearest to the centre": near, "farthest from it": far})
    return pages


def _labels(row: dict[str, object]) -> str:
    known = row.get("top_labels")
    return f" · {shortened(str(known), 90)}" if isinstance(known, str) and known else ""


def _page(tiles: TileStore, title: str, below: str, blocks: dict[str, np.ndarray]) -> Figure:
    blocks = {head: rows for head, rows in blocks.items() if len(rows)}
    heights = [_HEAD_PX + -(-len(rows) // _COLUMNS) * _STEP_PX for rows in blocks.values()]
    board = Board(_WIDTH_PX, TITLE_PX + sum(heights) + 16)
    board.title(shortened(title, 100), below)
    top = TITLE_PX
    for (head, rows), height in zip(blocks.items(), heights, strict=True):
        board.write(MARGIN_PX, top + 6, head, color=MUTED)
        board.put_sheet(thumbnails(tiles.pixels, rows, _SIDE_PX), _COLUMNS, MARGIN_PX, top + _HEAD_PX - 4)
        top += height
    return board.drawn()


def draw_outliers(tiles: TileStore, tile_outliers: pd.DataFrame) -> Figure:
    """Draw the tiles that are like no other, strangest first, each with its distance, camera and sol."""
    title = "Like no other"
    if not len(tile_outliers):
        return note_page(title, "No outliers were asked for (clustering.figures.outliers).")
    rows = row_numbers(tiles, tile_outliers["tile_id"])
    lines = -(-len(rows) // _COLUMNS)
    board = Board(_WIDTH_PX, TITLE_PX + lines * (_STEP_PX + _CAPTION_PX) + 16)
    board.title(title, "strangest first; the number is the distance to the fifth nearest tile, from 0 to 2")
    _captioned(board, thumbnails(tiles.pixels, rows, _SIDE_PX), tile_outliers, TITLE_PX)
    return board.drawn()


def draw_similar(tiles: TileStore, similar_images: pd.DataFrame, query_pictures: dict[str, np.ndarray]) -> Figure:
    """Draw each image that was asked about, and behind it the nearest frames with distance, camera and sol."""
    if not len(similar_images):
        return note_page("What is alike", "There is nothing to ask about.")
    groups = list(similar_images.groupby("query", sort=False))
    lines = [-(-len(found) // (_COLUMNS - 2)) for _, found in groups]
    board = Board(_WIDTH_PX, TITLE_PX + sum(_row_px(n) for n in lines) + 16)
    board.title("What is alike", "left: the image asked about; behind it the nearest frames, nearest first")
    top = TITLE_PX
    for (query, found), n_lines in zip(groups, lines, strict=True):
        board.put(resized(query_pictures[str(query)], _SIDE_PX), MARGIN_PX, top)
        board.write(MARGIN_PX, top + _STEP_PX, _wrapped(str(query)), fontsize=7, color=MUTED)
        pictures = thumbnails(tiles.pixels, row_numbers(tiles, found["tile_id"]), _SIDE_PX)
        _captioned(board, pictures, found, top, skipped=2)
        top += _row_px(n_lines)
    return board.drawn()


def _row_px(lines: int) -> int:
    return lines * (_STEP_PX + _CAPTION_PX) + 10


def _wrapped(name: str) -> str:
    """Return a long file name in lines of 26 characters, three at most."""
    return "\n".join(shortened(name, 78)[start : start + 26] for start in range(0, min(len(name), 78), 26))


def _captioned(board: Board, pictures: list[np.ndarray], table: pd.DataFrame, top: int, skipped: int = 0) -> None:
    """Place pictures line by line behind `skipped` empty columns; below each its distance, camera and sol."""
    columns = _COLUMNS - skipped
    for number, (picture, row) in enumerate(zip(pictures, table.to_dict("records"), strict=True)):
        line, column = divmod(number, columns)
        left = MARGIN_PX + (skipped + column) * _STEP_PX
        over = top + line * (_STEP_PX + _CAPTION_PX)
        board.put(picture, left, over)
        sol = "" if pd.isna(row["sol"]) else f" · sol {int(row['sol'])}"
        text = f"{row['distance']:.2f}{sol}\n{shortened(str(row['camera']).replace('_', ' '), 16)}"
        board.write(left, over + _SIDE_PX + 4, text, fontsize=7, color=MUTED, linespacing=1.25)


def row_numbers(tiles: TileStore, tile_ids: pd.Series) -> np.ndarray:
    """Return the rows of the tiles with these ids, in their order."""
    return pd.Index(tiles.index["tile_id"].astype(str)).get_indexer(tile_ids.astype(str))
