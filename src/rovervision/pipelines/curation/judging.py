"""Which frames are kept: every check that a frame fails, with the value that failed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rovervision.imaging.quality import findings
from rovervision.imaging.relations import older_versions, repeated
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.recipes import Judgement
from rovervision.sources.product_names import parse_product_name

NOT_IN_RECIPE = "not_in_recipe"
SAMPLE_TYPE = "sample_type"
EXACT_DUPLICATE = "exact_duplicate"
OLDER_VERSION = "older_version"
HELD_OUT_DUPLICATE = "duplicate_of_held_out"

REPEATS = frozenset({EXACT_DUPLICATE, OLDER_VERSION})
"""Reasons of frames that pass every check of their own, and show what another kept frame shows."""

_BATCH_ROWS = 4096
_PRIORITY = {"test": 0, "val": 1, "train": 2}
"""Of equal files the one that a published split holds out furthest is kept."""


def judged(frames: pd.DataFrame, config: CurationConfig) -> pd.DataFrame:
    """Return the examined frames with `recipe`, `product`, `kept`, `reasons` and `findings`.

    reasons: names of the failed checks. findings: one sentence for each, with the value.
    """
    named = frames.assign(product=pd.Series([_product(name) for name in frames["file_name"]], frames.index, "string"))
    meant = judgements_for(named, config)
    failed = [failed_checks(row, one) for row, one in zip(_rows(named), meant, strict=True)]
    _add_repeats(named, failed)
    sentences = [[f"{reason}: {finding}" for reason, finding in checks.items()] for checks in failed]
    return named.assign(
        recipe=pd.Series([one.name for one in meant], frames.index, "string"),
        kept=np.array([not checks for checks in failed], bool),
        reasons=pd.Series([list(checks) for checks in failed], frames.index, object),
        findings=pd.Series(sentences, frames.index, object),
    )


def _rows(frames: pd.DataFrame) -> Iterator[dict[Any, Any]]:
    """Yield the rows, of which few are held at a time: as dicts they take many times the table's memory."""
    for top in range(0, len(frames), _BATCH_ROWS):
        yield from frames.iloc[top : top + _BATCH_ROWS].to_dict("records")


def judgements_for(frames: pd.DataFrame, config: CurationConfig) -> list[Judgement]:
    """Return for each frame the recipe by which it is judged."""
    known = config.judgements()
    queries = frames["query"].fillna("") if "query" in frames else [""] * len(frames)
    return [known.get(query, known[""]) for query in queries]


def failed_checks(row: Mapping[Any, Any], judgement: Judgement) -> dict[str, str]:
    """Return reason -> finding of every check that a frame fails by itself.

    What can be told without pixels is told of every frame. Rules are not asked of a frame for which the recipe is not
    meant, nor of one that could not be decoded.
    """
    failed: dict[str, str] = {}
    refusal = judgement.frames.refusal(row)
    if refusal is not None:
        failed[NOT_IN_RECIPE] = refusal
    if not pd.isna(row["not_examined"]):
        failed[str(row["not_examined"])] = str(row["examination_failure"])
    elif refusal is None:
        failed |= findings(row, judgement.rules, bool(row["is_color"]))
    if row["sample_type"] in judgement.rejected_sample_types:
        failed[SAMPLE_TYPE] = f"the archive calls it {row['sample_type']}"
    return failed


def reason_counts(frames: pd.DataFrame) -> Counter[str]:
    """Return how many frames each reason rejects; a frame may have several."""
    return Counter(reason for listed in frames["reasons"] for reason in listed)


def passing(frames_judged: pd.DataFrame) -> np.ndarray:
    """Return (N,) bool: the frames that are kept, or would be if they did not repeat another."""
    return np.array([REPEATS.issuperset(listed) for listed in frames_judged["reasons"]], bool)


def nothing_left(frames: pd.DataFrame) -> str:
    """Return the sentence for a curation that rejects every frame, with the three reasons that reject most."""
    counts = reason_counts(frames)
    outside = counts.get(NOT_IN_RECIPE, 0)
    if outside == len(frames) > 0:
        return _no_frame_meant(frames)
    told = [f"{reason} ({count}, such as: {_example(frames, reason)})" for reason, count in counts.most_common(3)]
    return (
        f"No tile is left of {len(frames)} frames. What rejects most: {', '.join(told) or 'none'}. "
        "Relax those under curation.rules or in the recipe, or select other frames."
    )


def _example(frames: pd.DataFrame, reason: str) -> str:
    """Return the first finding of a reason."""
    sentences = (text for listed in frames["findings"] for text in listed if text.startswith(f"{reason}: "))
    return next(sentences, "").removeprefix(f"{reason}: ")


def _no_frame_meant(frames: pd.DataFrame) -> str:
    recipes = ", ".join(sorted(set(frames["recipe"].dropna())))
    cameras = Counter(zip(frames["rover"].astype(str), frames["camera"].astype(str), strict=True)).most_common(8)
    held = ", ".join(f"{rover} {camera} ({count})" for (rover, camera), count in cameras)
    first = next(iter(frames["findings"]))[0].partition(": ")[2]
    return (
        f"None of {len(frames)} frames is meant by the recipe {recipes}; of the first, {first}. There are frames of "
        f"{held}. Choose another recipe (curation.recipe), or fetch the frames that this one is for."
    )


def _product(file_name: str) -> str:
    """Return the name that all versions of a product share; empty where no mission's grammar knows it."""
    name = parse_product_name(str(file_name))
    return name.product if name else ""


def _add_repeats(frames: pd.DataFrame, failed: Sequence[dict[str, str]]) -> None:
    """Add the findings of frames that pass and repeat another one that passes: the same bytes, or an older version."""
    rank = frames["official_split"].map(_PRIORITY).fillna(len(_PRIORITY)).to_numpy()
    order = np.lexsort((frames["frame_id"].astype(str).to_numpy(), rank))
    ids = frames["frame_id"].tolist()
    usable = order[[not failed[row] for row in order]]
    for first, again in usable[repeated(frames.iloc[usable], "sha256")].tolist():
        failed[again][EXACT_DUPLICATE] = f"the same bytes as {ids[first]}"
    usable = order[[not failed[row] for row in order]]
    table = frames.iloc[usable]
    products = (table["rover"].astype(str) + " " + table["product"]).where(table["product"] != "", "")
    versions = table["version"].fillna("").astype(str).tolist() if "version" in table else [""] * len(table)
    for older, newest in usable[older_versions(products.tolist(), versions)].tolist():
        failed[older][OLDER_VERSION] = f"{ids[newest]} is a newer version"
