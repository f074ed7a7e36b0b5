"""Which pixels of a tile are sky, terrain and hardware."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rovervision.imaging.tiles import TileStore
from rovervision.sources.regions import GROUND, HARDWARE, REGION_NAMES, RIDGE, ROCK, SKY

REGION_GROUPS = {"sky": (SKY,), "terrain": (RIDGE, GROUND, ROCK), "hardware": (HARDWARE,)}
"""The regions that are scored, and the mask values that make them up."""


def tile_masks(tiles: TileStore, row: int, label_regions: Mapping[str, str]) -> dict[str, NDArray[np.bool_]]:
    """Return region name → (H, W) mask of one tile."""
    return region_masks(np.asarray(tiles.regions[row]), tiles.index["label"].iloc[row], label_regions)


def region_masks(regions: np.ndarray, label: object, label_regions: Mapping[str, str]) -> dict[str, NDArray[np.bool_]]:
    """Return region name → (H, W) mask, from the mask where the archive has one, else from the image's label."""
    masks = {name: np.isin(regions, values) for name, values in REGION_GROUPS.items()}
    if regions.any() or not isinstance(label, str):
        return masks
    named = label_regions.get(label, label_regions.get("*", REGION_NAMES[0]))
    return {name: np.full(regions.shape, name == named) for name in masks}
