"""A table that remembers: every kind of colorizer that was scored so far, side by side."""

import hashlib
from typing import Any

import pandas as pd

from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig

REFERENCES = {"lightness_table": "table by lightness", "oracle_own_table": "the image's own table"}
"""Methods that stand beside the colorizers: what needs no network, and the floor of lightness alone."""

KEY = ["name", "recipe", "scored_data"]
SCORES = (
    "frames", "ciede2000_mean", "ciede2000_low", "ciede2000_high", "ciede2000_median", "ciede2000_p90",
    "ratio_to_table", "p90_ratio_to_table", "gap_closed", "chroma_ratio", "ciede2000_low_chroma", "ciede2000_sky",
    "ciede2000_terrain", "ciede2000_hardware", "tint_error", "structure_error", "doubt", "doubt_rank",
    "doubt_rank_frames",
)  # fmt: skip
COLUMNS = ["method", "role", *KEY, "split", "parameters", "epochs", *SCORES]


def update_scoreboard(
    before: pd.DataFrame,
    table: pd.DataFrame,
    scores: pd.DataFrame,
    colorizer: Weights,
    config: ColorizationConfig,
) -> pd.DataFrame:
    """Return the earlier scoreboard with this colorizer's row as its last, in the place of an earlier one of its own.

    A row is known by name, recipe (the hash of all that its training follows from) and scored data, so other kinds and
    other data stay. The table by lightness and the image's own table have a row for each scored data.

    Args:
        before: the earlier scoreboard; no rows where there is none.
        table: the score table. scores: the scores that it sums up.
        colorizer: what was scored.
        config: says which split was scored.
    """
    kind = str(colorizer.header["model"]["kind"])
    known = {"scored_data": fingerprint_scored(scores), "split": config.scoring.split}
    rows = [{**table_row, **known, **_about(table_row, kind, colorizer)} for table_row in table.to_dict("records")]
    new = pd.DataFrame([row for row in rows if row["method"] in (*REFERENCES, kind)]).reindex(columns=COLUMNS)
    if before.empty:
        return new
    replaced = pd.MultiIndex.from_frame(before[KEY].astype(str)).isin(pd.MultiIndex.from_frame(new[KEY].astype(str)))
    return pd.concat([before[~replaced].reindex(columns=COLUMNS), new], ignore_index=True)


def _about(row: dict[Any, Any], kind: str, colorizer: Weights) -> dict[str, object]:
    if row["method"] != kind:
        return {"name": REFERENCES.get(str(row["method"])), "recipe": "none", "parameters": 0, "epochs": 0}
    header = colorizer.header
    return {
        "name": name_colorizer(header),
        "recipe": header["recipe"],
        "parameters": sum(t.numel() for name, t in colorizer.tensors.items() if not name.endswith("tables")),
        "epochs": header["epochs"],
    }


def name_colorizer(header: dict[str, Any]) -> str:
    """Return a colorizer's name for people: kind, size, members and encoder, and whose recipe it was trained by."""
    kind = str(header["model"]["kind"])
    own = header["model"].get(kind) or {}
    words = [kind.replace("_", " "), "own widths" if own.get("widths") else str(own.get("size", ""))]
    words += [f"× {own['members']}"] if own.get("members", 1) > 1 else []
    words += [str(own["encoder"])] if own.get("encoder", "none") != "none" else []
    words += ["(original recipe)"] if header.get("recipe_name") == "original" else []
    return " ".join(word for word in words if word)


def fingerprint_scored(scores: pd.DataFrame) -> str:
    """Return a hash of the frames that were scored and of their true colours: scores of equal hash can be compared."""
    truth = scores.drop_duplicates("frame_id").sort_values("frame_id")
    text = "".join(f"{name} {chroma:.3f}\n" for name, chroma in zip(truth["frame_id"], truth["chroma"], strict=True))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def compared_rows(scoreboard: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that may be compared with the latest: those that were scored on the same data."""
    return scoreboard[scoreboard["scored_data"].astype(str) == str(scoreboard["scored_data"].iloc[-1])]


def tell_apart(rows: pd.DataFrame) -> list[str]:
    """Return the names of rows, with the beginning of the recipe where two have one name."""
    doubled = rows["name"].duplicated(keep=False)
    return [
        f"{name} [{str(recipe)[:6]}]" if twice else str(name)
        for name, recipe, twice in zip(rows["name"], rows["recipe"], doubled, strict=True)
    ]
