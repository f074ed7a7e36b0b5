"""What a curation kept and why it rejected the rest, in numbers."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from rovervision.imaging.relations import relation_counts
from rovervision.imaging.splits import SPLITS
from rovervision.imaging.tiles import TileStore
from rovervision.pipelines.curation.judging import HELD_OUT_DUPLICATE, reason_counts


def summary_of(
    frames: pd.DataFrame, relations: pd.DataFrame, tiles: TileStore, leakage: pd.DataFrame
) -> dict[str, Any]:
    """Return the counts as JSON; kept + rejected = frames."""
    kept = frames["kept"].astype(bool)
    index = tiles.index
    return {
        "frames": len(frames),
        "frames_kept": int(kept.sum()),
        "frames_rejected": int((~kept).sum()),
        "frames_by_reason": dict(reason_counts(frames).most_common()),
        "frames_by_split": counts(frames.loc[kept, "split"]),
        "frames_by_recipe": _kept_by_recipe(frames),
        "frames_gray": int((kept & ~frames["is_color"].astype(bool)).sum()),
        "frames_debayered": int((kept & frames["is_mosaic"].astype(bool)).sum()),
        "frames_with_near_duplicates": int((frames["n_alike"] > 1).sum()),
        "pairs_by_relation": relation_counts(relations),
        "frames_dropped_as_leaks": int(np.sum([HELD_OUT_DUPLICATE in listed for listed in frames["reasons"]])),
        "leaks_found": len(leakage),
        "groups_by_split": counts(frames[kept].drop_duplicates(["group", "split"])["split"]),
        "tiles": len(tiles),
        "tile_px": tiles.tile_px,
        "tiles_by_split": counts(index["split"]),
        "tiles_by_camera": counts(index["rover"].astype(str) + " " + index["camera"].astype(str)),
        "tiles_by_region": _by_region(index),
    }


def counts(values: Iterable[Any]) -> dict[str, int]:
    """Return how often each value occurs, the splits in their order and all else by name."""
    counted = Counter(map(str, values))
    order = {name: place for place, name in enumerate(SPLITS)}
    return dict(sorted(counted.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def _kept_by_recipe(frames: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return for each recipe how many frames it judged and how many of them are kept."""
    kept = frames["kept"].astype(bool).groupby(frames["recipe"].astype(str))
    return {str(name): {"judged": len(part), "kept": int(part.sum())} for name, part in kept}


def _by_region(index: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return for each region its tiles, and their share of the weight before and after balance."""
    names = index["region"].astype("string").fillna("unknown")
    table = index.groupby(names)[["weight", "sampling_weight"]].sum() / index[["weight", "sampling_weight"]].sum()
    sizes = names.value_counts()
    return {
        str(row.Index): {
            "tiles": int(sizes[row.Index]),
            "weight_share": round(float(row.weight), 4),
            "sampling_share": round(float(row.sampling_weight), 4),
        }
        for row in table.itertuples()
    }
