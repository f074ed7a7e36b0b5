"""What one tile costs those nodes that look at the pixels of every tile, for `benchmarks.scale --pixels`."""

import hashlib
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from rovervision.imaging.balance import region_shares
from rovervision.imaging.color_priors import fit_color_priors
from rovervision.imaging.looks import looks_of_tiles
from rovervision.imaging.tiles import TILE_INDEX_COLUMNS, TileStore
from rovervision.learning.cluster_names import measure_looks
from rovervision.learning.tile_choice import hash_tiles
from rovervision.sources.regions import REGION_NAMES

TILE_PX: Final = 128


def random_tiles(count: int) -> TileStore:
    """Return tiles that are smooth, as pictures are, held in memory."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, TILE_PX // 8, TILE_PX // 8, 3), np.uint8)
    pixels = coarse.repeat(8, axis=1).repeat(8, axis=2)
    index = pd.DataFrame(dict.fromkeys(TILE_INDEX_COLUMNS, ""), index=range(count))
    return TileStore(pixels, rng.integers(0, 6, pixels.shape[:3], np.uint8), index)


LOOKS: Final[dict[str, Callable[[TileStore], object]]] = {
    "thumbnail and perceptual hash: relate_frames, report_leaks": lambda tiles: looks_of_tiles(tiles.pixels),
    "lightness, chroma, texture: tabulate_clusters": lambda tiles: measure_looks(tiles.pixels),
    "shares of regions: cut_tiles, tabulate_clusters": lambda tiles: region_shares(tiles.regions, REGION_NAMES),
    "sums by lightness: fit_color_priors, three times": lambda tiles: fit_color_priors(
        ("camera", image, 1.0) for image in tiles.pixels
    ),
    "SHA-256 of a training's tiles, once for each training": lambda tiles: hash_tiles(
        b"", tiles, np.arange(len(tiles)), ["tile_id"]
    ),
    "SHA-256 of the files, once for each MLflow run": lambda tiles: [
        hashlib.sha256(np.ascontiguousarray(each)).hexdigest() for each in (tiles.pixels, tiles.regions)
    ],
}
