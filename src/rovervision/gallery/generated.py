"""The fourth room: tiles that no rover has taken, beside real ones and the nearest that they were learnt from."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rovervision.gallery.pictures import Picture, sheet, square
from rovervision.gallery.scores import Column, ScoreTable, score_table
from rovervision.imaging.montage import spread
from rovervision.imaging.tiles import TileStore

GENERATED, HELD_OUT, FLOOR = "generated", "held out", "training tiles"
"""As `diffusion_neighbours` and `diffusion_score_table` call them."""
_SIDE_TILES, _TILE_PX = 6, 88
_PAIRS, _PAIR_PX = 6, 160

COLUMNS = (
    Column("frechet", "Fréchet", "Distance between the distributions of features; real tiles are the floor.", "lower"),
    Column("frechet_ratio", "ratio", "Fréchet distance over that of real tiles.", "lower"),
    Column("kernel", "kernel", "Kernel distance between the same features.", "lower", 3),
    Column("precision", "precision", "Share of the tiles that lie among real ones.", "higher"),
    Column("recall", "recall", "Share of real tiles that lie among these.", "higher"),
    Column("spectrum", "spectrum", "Distance between the power spectra.", "lower"),
    Column("memorised_share", "memorised", "Share of tiles nearer to a training tile than held-out ones are.", "lower"),
)
NAMES = {GENERATED: "generated", FLOOR: "real tiles (the floor)", "Gaussian of pixels": "a Gaussian of pixels"}


@dataclass(frozen=True)
class Pair:
    """A generated tile and the tile nearest to it of those that were learnt from."""

    generated: Picture
    nearest: Picture
    distance: float
    """Over the median distance of held-out real tiles: below 1 is nearer than those are."""


@dataclass(frozen=True)
class Generated:
    """All of the room."""

    real: Picture
    generated: Picture
    n_tiles: int
    pairs: list[Pair]
    scores: ScoreTable | None


def generated_room(
    tiles: TileStore, generated: TileStore, neighbours: pd.DataFrame | None, table: pd.DataFrame | None
) -> Generated:
    """Return the room. Real tiles are colour tiles of the training split, reduced to the generated ones' side."""
    learnt = tiles.index
    rows = np.flatnonzero(
        learnt["is_color"].to_numpy(bool)
        & ~learnt["is_debayered"].to_numpy(bool)
        & (learnt["split"] == "train").to_numpy()
    )
    count = min(_SIDE_TILES**2, len(generated), len(rows))
    real = np.random.default_rng(0).permutation(rows[spread(len(rows), count)])
    made = spread(len(generated), count)
    return Generated(
        real=_wall([square(np.asarray(tiles.pixels[row]), generated.tile_px) for row in real], "real tiles"),
        generated=_wall([np.asarray(generated.pixels[row]) for row in made], "generated tiles, no photographs"),
        n_tiles=len(generated),
        pairs=[] if neighbours is None else pairs_of(tiles, generated, neighbours),
        scores=None if table is None else scores_of(table),
    )


def _wall(tiles: list[np.ndarray], what: str) -> Picture:
    return sheet(tiles, _SIDE_TILES, _TILE_PX, f"{len(tiles)} {what}.")


def pairs_of(tiles: TileStore, generated: TileStore, neighbours: pd.DataFrame) -> list[Pair]:
    """Return generated tiles from the nearest to a training tile to the farthest, each with that tile."""
    own = neighbours[neighbours["part"] == GENERATED].sort_values("distance", kind="stable")
    own = own[(own["row"] < len(generated)).to_numpy()]
    scale = max(float(neighbours.loc[neighbours["part"] == HELD_OUT, "distance"].median()), 1e-9)
    row_of = pd.Series(range(len(tiles)), index=tiles.index["tile_id"].astype(str)).to_dict()
    pairs = []
    for each in own.iloc[spread(len(own), _PAIRS)].to_dict("records"):
        real = square(np.asarray(tiles.pixels[row_of[str(each["training_tile"])]]), generated.tile_px)
        made = np.asarray(generated.pixels[int(each["row"])])
        pairs.append(
            Pair(
                Picture(square(made, _PAIR_PX), "A generated tile, no photograph."),
                Picture(square(real, _PAIR_PX), "The nearest tile that it was learnt from."),
                float(each["distance"]) / scale,
            )
        )
    return pairs


def scores_of(table: pd.DataFrame) -> ScoreTable:
    """Return the generated tiles beside a simple generator and the floor, against the first reference."""
    reference = str(table["reference"].iloc[0])
    rows = table[table["reference"] == reference]
    roles = rows["method"].map({FLOOR: "bound", GENERATED: "model"}).fillna("baseline")
    count, against = int(rows["tiles"].max()), int(rows["reference_tiles"].max())
    caption = f"{count:,} tiles of each method against {against:,} {reference.replace('_', '-')} real tiles."
    return score_table(caption, rows.assign(role=roles), COLUMNS, NAMES)
