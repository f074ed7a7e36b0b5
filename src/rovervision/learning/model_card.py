"""The card of a trained model: what it is, what it has seen, how well it does beside others, where it fails.

The parts are those of Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019, https://arxiv.org/abs/1810.03993).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pandas as pd

from rovervision.imaging.tiles import TileStore

SYNTHETIC: Final = "synthetic"
"""The source whose images this program renders itself."""

POLICY_URL: Final = "https://www.jpl.nasa.gov/jpl-image-use-policy"

LICENCE: Final = "Weights and code: Apache-2.0."


def model_card(
    title: str,
    purpose: str,
    facts: Mapping[str, object],
    data: Sequence[str],
    scores: pd.DataFrame,
    about_scores: str,
    limits: Sequence[str],
    licence: Sequence[str],
) -> str:
    """Return the card as Markdown.

    Args:
        title: Heading.
        purpose: What the model does, and for whom.
        facts: Short facts, as name and value.
        data: Lines of the section on data, as of `describe_data`.
        scores: One row for each method, the model beside its baselines.
        about_scores: What the columns mean and on what was scored.
        limits: One sentence for each.
        licence: Lines of the section on use, as of `describe_use`.
    """
    sections = {
        "Model": table_lines(("", ""), facts.items()),
        "Data": data,
        "Scores": [about_scores, "", *table_lines(map(str, scores.columns), scores.itertuples(index=False))],
        "Limits": [f"- {limit}" for limit in limits],
        "Licence and credit": licence,
    }
    told = [line for heading, lines in sections.items() for line in (f"## {heading}", "", *lines, "")]
    return "\n".join([f"# {title}", "", purpose, "", *told])


def describe_data(tiles: TileStore, frames: pd.DataFrame, fingerprint: str) -> list[str]:
    """Return what the tiles are, how they are split and who took them.

    Args:
        tiles: All tiles, of all splits.
        frames: The frames of the curation, with source; others than those of the tiles are left out.
        fingerprint: By which the training tiles are known again.
    """
    index = tiles.index
    splits = [
        (split, len(part), part["frame_id"].nunique(), part["group"].nunique())
        for split, part in index.groupby("split", sort=False)
    ]
    used = _used(tiles, frames)
    taken = [
        (*names, len(part), _span(part["sol"]))
        for names, part in used.groupby(["source", "rover", "camera"], sort=True)
    ]
    return [
        f"{len(tiles):,} tiles of {tiles.tile_px} × {tiles.tile_px} pixels. What shows the same scene (a group) stands "
        f"in one split. Fingerprint of recipe and training tiles: `{fingerprint}`.",
        "",
        *table_lines(("split", "tiles", "frames", "groups"), splits),
        "",
        "The frames were taken by:",
        "",
        *table_lines(("source", "rover", "camera", "frames", "sols"), taken),
    ]


def describe_use(tiles: TileStore, frames: pd.DataFrame) -> list[str]:
    """Return under which terms the model and the images behind it are, with the credit lines of those that need one."""
    used = _used(tiles, frames)
    credits = used.loc[used["source"] != SYNTHETIC, "credit"].fillna("not stated").value_counts()
    if credits.empty:
        return [f"{LICENCE} The images were rendered by this program and need no credit."]
    return [
        f"{LICENCE} The images are under their makers' terms: for NASA's, JPL's [image use policy]({POLICY_URL}); for "
        "others, find out before you publish. Credit:",
        "",
        *table_lines(("credit", "frames"), credits.items()),
    ]


def is_synthetic(tiles: TileStore, frames: pd.DataFrame) -> bool:
    """Tell whether every frame was rendered by this program."""
    return bool((_used(tiles, frames)["source"] == SYNTHETIC).all())


def table_lines(head: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Return a Markdown table; numbers that are no whole ones have three decimals, and missing ones a dash."""
    names = list(head)
    lines = [names, ["---"] * len(names), *([_cell(value) for value in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    text = f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def _used(tiles: TileStore, frames: pd.DataFrame) -> pd.DataFrame:
    return frames[frames["frame_id"].isin(tiles.index["frame_id"])]


def _span(sols: pd.Series) -> str:
    known = sols.dropna()
    return f"{int(known.min())} to {int(known.max())}" if len(known) else "unknown"
