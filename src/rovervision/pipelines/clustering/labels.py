"""What is known of tiles from outside: the archive's classes, or what most of a tile shows."""

import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.balance import share_column
from rovervision.pipelines.clustering.config import ScoringConfig
from rovervision.sources.regions import REGION_NAMES, UNKNOWN

REGIONS = tuple(name for number, name in REGION_NAMES.items() if number != UNKNOWN)


def known_labels(index: pd.DataFrame, config: ScoringConfig) -> pd.Series | None:
    """Return (N,) what clusters are compared with, missing where it is not known; None where nothing is.

    Raises RovervisionError where classes or regions are asked for by name and the tiles have none.
    """
    choices = {"label": archive_classes, "region": main_regions}
    if config.labels == "none":
        return None
    if config.labels == "auto":
        found = (choose(index) for choose in choices.values())
        return next((labels for labels in found if labels.nunique() > 1), None)
    labels = choices[config.labels](index)
    if labels.notna().any():
        return labels
    raise RovervisionError(
        f"No tile has a {config.labels}, which clustering.scoring.labels={config.labels} asks for. "
        "Set it to auto, or to none."
    )


def archive_classes(index: pd.DataFrame) -> pd.Series:
    """Return (N,) the archive's class of each tile's frame, missing where it has none."""
    return index["label"].astype("object").where(index["label"].notna(), None)


def main_regions(index: pd.DataFrame) -> pd.Series:
    """Return (N,) the region that covers most of each tile, missing where the archive has no mask of it."""
    shares = region_shares_of(index)
    values = shares.to_numpy(np.float64)
    named = pd.Series(np.array(REGIONS, dtype=object)[values.argmax(axis=1)], index=index.index)
    return named.where(values.max(axis=1) > 0, None)


def region_shares_of(index: pd.DataFrame) -> pd.DataFrame:
    """Return (N, 5) the share of each tile that each region covers, 0 where the index does not say."""
    columns = {name: share_column(name) for name in REGIONS}
    return pd.DataFrame({name: index.get(column, 0.0) for name, column in columns.items()}, index=index.index)
