"""Which known defect of the synthetic archive each check has to find, and how well it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """A check, the defects that it has to find, and those that may set it off beside them."""

    finds: frozenset[str]
    found: Callable[[Row], bool]
    also: frozenset[str] = frozenset()
    """Frames with these defects are left out: a black frame has no sharpness either, lost blocks end on a grid, and a
    mosaic with gaps is no longer told from a gray picture."""


def _rejected(*reasons: str) -> Callable[[Row], bool]:
    return lambda row: bool(set(reasons) & set(row["reasons"]))


def _above(measure: str, limit: float) -> Callable[[Row], bool]:
    return lambda row: bool(row[measure] > limit)


def _check(found: Callable[[Row], bool], finds: str, also: str = "") -> Check:
    return Check(frozenset(finds.split()), found, frozenset(also.split()))


CHECKS: dict[str, Check] = {
    "undecodable": _check(_rejected("undecodable", "not_fetched"), "empty truncated"),
    "thumbnail": _check(_rejected("sample_type"), "thumbnail"),
    "missing lines": _check(_rejected("missing_lines", "partly_received"), "stripes", "blocks"),
    "blank blocks": _check(_rejected("blank_blocks"), "blocks", "stripes heavy_jpeg"),
    "stripes": _check(_rejected("striped"), "line_noise", "stripes"),
    "blockiness": _check(_rejected("blocky"), "heavy_jpeg", "stripes blocks"),
    "blur": _check(_rejected("blurred"), "blur", "dark overexposed heavy_jpeg"),
    "darkness": _check(_rejected("too_dark", "mostly_black"), "dark", "stripes"),
    "overexposure": _check(_rejected("overexposed"), "overexposed"),
    "false color": _check(
        _rejected("false_color_saturated", "false_color_blue", "false_color_pink"), "false_color", "dark overexposed"
    ),
    "narrow band": _check(_rejected("narrow_band"), "narrow_band"),
    "black border": _check(_above("border_frac", 0.02), "border sensor_border", "vignette stripes dark blocks"),
    "round vignette": _check(_above("vignette_frac", 0.02), "vignette", "dark"),
    "mosaic": _check(
        lambda row: bool(row["is_mosaic"]), "mosaic", "dark overexposed blur stripes blocks empty truncated"
    ),
    "gray in RGB": _check(
        _above("is_gray_in_rgb", 0.5), "gray_as_rgb narrow_band", "dark overexposed stripes heavy_jpeg"
    ),
}
"""Name → check. Cameras whose frames are always mosaics count as having the defect `mosaic`."""


def with_defect(defects: Mapping[str, set[str]], wanted: frozenset[str]) -> set[str]:
    """Return the ids of the frames that have one of these defects."""
    return {key for key, listed in defects.items() if listed & wanted}


def found_and_true(check: Check, judged: pd.DataFrame, defects: Mapping[str, set[str]]) -> tuple[set[str], set[str]]:
    """Return the ids that the check finds and those that have its defect, without those that are excused."""
    true = with_defect(defects, check.finds)
    excused = with_defect(defects, check.also) - true
    found = {row["frame_id"] for row in judged.to_dict("records") if check.found(row)}
    return found - excused, true


def precision_and_recall(found: set[str], true: set[str]) -> tuple[float, float]:
    """Return the shares of true ones among the found, and of found ones among the true."""
    hits = len(found & true)
    return hits / max(len(found), 1), hits / max(len(true), 1)


def score_checks(judged: pd.DataFrame, defects: Mapping[str, set[str]]) -> pd.DataFrame:
    """Return one row per check: frames with the defect, frames found, precision and recall."""
    rows = []
    for name, check in CHECKS.items():
        found, true = found_and_true(check, judged, defects)
        precision, recall = precision_and_recall(found, true)
        rows.append(
            {"check": name, "with_defect": len(true), "found": len(found), "precision": precision, "recall": recall}
        )
    return pd.DataFrame(rows)
