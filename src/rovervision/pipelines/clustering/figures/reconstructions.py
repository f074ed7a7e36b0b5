"""What an autoencoder's codes hold: tiles as it gives them back, and what lies between two of them."""

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import MUTED
from rovervision.imaging.tiles import TileStore
from rovervision.learning.encoders import OpenEncoder, open_encoder
from rovervision.learning.weights import Weights
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.pipelines.clustering.figures.boards import GAP_PX, MARGIN_PX, TITLE_PX, Board, note_page, resized

_SIDE_PX, _HEAD_PX = 92, 28
_STEP_PX = _SIDE_PX + GAP_PX


def draw_reconstructions(
    tiles: TileStore, encoder: Weights, cluster_table: pd.DataFrame, config: ClusteringConfig
) -> Figure:
    """Draw medoids of the largest clusters as they are and as the autoencoder gives them back, and the ways between.

    For encoders that cannot turn codes into images, the page says so.
    """
    opened, title = open_encoder(encoder), "What the codes hold"
    if not opened.can_decode:
        kind = str(opened.config.kind)
        return note_page(
            title, f"Encoders of the kind {kind} cannot turn codes back into images; autoencoders can (encoder.kind)."
        )
    largest = cluster_table[cluster_table["cluster"] >= 0].nlargest(config.figures.reconstructed, "n_tiles")
    given = np.stack([np.asarray(tiles.pixels[int(row)]) for row in largest["medoid_row"]])
    back = opened.reconstruct(given)
    between = interpolated(opened, given, config.figures.interpolation_steps)
    columns = max(len(given), config.figures.interpolation_steps)
    head = TITLE_PX + 2 * (_HEAD_PX + _STEP_PX) + 8
    board = Board(max(2 * MARGIN_PX + columns * _STEP_PX, 760), head + _HEAD_PX + len(between) * _STEP_PX + 12)
    error = np.abs(_like(given, back).astype(float) - back).mean()
    board.title(title, f"{opened.config.kind.replace('_', ' ')}: mean error of these {error:.0f} of 255")
    for top, name, pictures in (
        (TITLE_PX, "middle tiles of the largest clusters", given),
        (TITLE_PX + _HEAD_PX + _STEP_PX, "as the encoder gives them back", back),
    ):
        board.write(MARGIN_PX, top + 6, name, color=MUTED)
        board.put_sheet(_enlarged(pictures), len(given), MARGIN_PX, top + _HEAD_PX)
    board.write(MARGIN_PX, head + 6, "from one code to the next in equal steps, its ends included", color=MUTED)
    for line, pictures in enumerate(between):
        board.put_sheet(_enlarged(pictures), len(pictures), MARGIN_PX, head + _HEAD_PX + line * _STEP_PX)
    return board.drawn()


def interpolated(encoder: OpenEncoder, tiles: np.ndarray, steps: int) -> list[np.ndarray]:
    """Return for each pair of consecutive tiles the images of codes on the straight way between theirs."""
    latents = encoder.latents(tiles)
    ways = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    return [encoder.decode((1 - ways) * one + ways * other) for one, other in pairwise(latents)]


def _enlarged(pictures: np.ndarray) -> list[np.ndarray]:
    return [resized(picture, _SIDE_PX) for picture in pictures]


def _like(pictures: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return pictures at the side of others."""
    return np.stack([resized(picture, other.shape[1]) for picture in pictures])
