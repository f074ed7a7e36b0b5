"""How often training should see each tile, so that what is rare is seen: by region, camera, label or cluster."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from rovervision.errors import RovervisionError

_ROWS = 1024
"""Tiles whose regions are counted at once: 1024 x 128 x 128 are 16 MiB."""


class BalanceConfig(BaseModel):
    """What is balanced and how far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: tuple[str, ...] = ("region",)
    """Columns of the tile index; each combination of their values is one class. None of them balances nothing."""
    power: float = Field(default=0.5, ge=0.0, le=1.0)
    """Weights are multiplied by (share of the class) ** -power: 0 changes nothing, 1 gives all classes equal mass."""
    max_ratio: float = Field(default=10.0, ge=1.0)
    """The rarest class is raised at most so many times as much as the commonest, so that few tiles are not all."""
    region_min_frac: float = Field(default=0.2, gt=0.0, le=1.0)
    """A region is in a tile where it covers at least this share of it."""


def sampling_weights(tiles: pd.DataFrame, config: BalanceConfig) -> np.ndarray:
    """Return (N,) float64 >= 0: `weight` times the balance of its class, of mean 1 within each split.

    tiles: split, weight >= 0, and the columns `by`. Shares are of the weight within a split, known classes only.
    Tiles whose class is unknown (missing in any column) keep their share of the split's weight.
    """
    missing = [name for name in config.by if name not in tiles]
    if missing:
        raise RovervisionError(f"tiles cannot be balanced by {', '.join(missing)}: the index has no such column")
    weights = tiles["weight"].to_numpy(np.float64)
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise RovervisionError("tile weights must be numbers of at least 0; the index holds others")
    classes = class_codes(tiles, config.by)
    balanced = np.zeros(len(tiles))
    for rows in tiles.groupby("split", observed=True).indices.values():
        part = weights[rows] * class_factors(weights[rows], classes[rows], config)
        balanced[rows] = part * len(rows) / part.sum() if part.any() else part
    return balanced


def class_codes(tiles: pd.DataFrame, by: tuple[str, ...]) -> np.ndarray:
    """Return (N,) int64: a number for each combination of values, -1 where one is missing or nothing is asked for."""
    if not by:
        return np.full(len(tiles), -1, np.int64)
    return tiles.groupby(list(by), dropna=True, observed=True).ngroup().fillna(-1).to_numpy(np.int64)


def class_factors(weights: np.ndarray, classes: np.ndarray, config: BalanceConfig) -> np.ndarray:
    """Return (N,) float64 to multiply the weights with: 1 where the class is -1; the known weights keep their sum."""
    factors = np.ones(len(weights))
    known = classes >= 0
    mass = np.bincount(classes[known], weights[known])
    present = mass > 0
    if not present.any():
        return factors
    raised = np.zeros(len(mass))
    raised[present] = (mass[present] / mass[present].max()) ** -config.power  # the commonest class: 1
    raised = np.minimum(raised, config.max_ratio)
    factors[known] = raised[classes[known]] * (mass.sum() / (mass @ raised))
    return factors


def region_shares(regions: np.ndarray, names: Mapping[int, str]) -> pd.DataFrame:
    """Return N rows of `share_<name>_frac`, 0 to 1: how much of each (N, H, W) uint8 region map each region covers.

    names: region number -> name. A memory map is read in blocks. Numbers without a name count for none.
    """
    shares = np.zeros((len(regions), len(names)))
    for top in range(0, len(regions), _ROWS):
        block = np.asarray(regions[top : top + _ROWS])
        for column, number in enumerate(names):
            shares[top : top + _ROWS, column] = np.count_nonzero(block == number, axis=(1, 2)) / block[0].size
    return pd.DataFrame(shares, columns=[share_column(name) for name in names.values()])


def share_column(region: str) -> str:
    """Return the column's name for a region's share."""
    return f"share_{region}_frac"


def scarcest_region(shares: pd.DataFrame, regions: tuple[str, ...], min_frac: float) -> pd.Series:
    """Return (N,) string: of the regions that cover at least `min_frac` of a tile the one that is rarest on the whole.

    So a tile with some hardware on much soil counts as hardware, the rarer sight. regions: the names that count, not
    the unknown; missing where none of them covers enough. A region that is nowhere is no candidate; of equally rare
    ones the first by name is taken.
    """
    names = np.array(sorted(regions))
    covered = shares[[share_column(name) for name in names]].to_numpy(np.float64)
    order = np.argsort(covered.sum(axis=0), kind="stable")
    present = covered[:, order] >= min_frac
    named = pd.Series(names[order][present.argmax(axis=1)], index=shares.index, dtype="string")
    return named.where(present.any(axis=1))
