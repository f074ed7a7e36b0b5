"""What is known of tiles from outside: the archive's classes, or what its masks show."""

import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.pipelines.clustering.config import ScoringConfig


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
    """Return (N,) the region that curation calls each tile by, missing where the archive has no mask of it.

    It is the one that is rarest on the whole among those that cover enough of the tile: most of nearly every picture
    is ground, which would tell nothing.
    """
    if "region" not in index:
        return pd.Series(np.full(len(index), None, dtype=object), index=index.index)
    return index["region"].astype("object").where(index["region"].notna(), None)
