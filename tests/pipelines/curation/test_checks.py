"""Every check finds the frames that have its defect, and only those: precision and recall of at least 95 %."""

import pandas as pd
import pytest

from rovervision.sources.synthetic.defects import DEFECTS
from tests.pipelines.curation.conftest import Archive

FOUND_BY = {
    "empty": {"undecodable", "not_fetched"},
    "truncated": {"undecodable"},
    "thumbnail": {"sample_type"},
    "stripes": {"missing_lines", "partly_received"},
    "blur": {"blurred"},
    "dark": {"too_dark", "mostly_black"},
    "overexposed": {"overexposed"},
}
"""Defect -> the reasons that may be given for it."""

ALSO_SEEN = {
    "blurred",
    "low_contrast",
    "low_entropy",
    "too_small",
    "false_color_saturated",
    "false_color_blue",
    "false_color_pink",
}
"""Reasons that a frame rightly fails beside its defect's own: a black frame has no contrast either."""


def precision_and_recall(found: set[str], true: set[str]) -> tuple[float, float]:
    hits = len(found & true)
    return hits / max(len(found), 1), hits / max(len(true), 1)


def with_reason(judged: pd.DataFrame, reasons: set[str]) -> set[str]:
    return set(judged.loc[[bool(reasons & set(listed)) for listed in judged["reasons"]], "frame_id"])


def with_defect(archive: Archive, *defects: str) -> set[str]:
    return {key for key, listed in archive.defects.items() if listed & set(defects)}


@pytest.mark.parametrize("defect", sorted(FOUND_BY))
def test_a_defect_is_found(archive: Archive, judged: pd.DataFrame, defect: str) -> None:
    true = with_defect(archive, defect)
    assert len(true) >= 10, "too few to judge"
    excused = with_defect(archive, "dark", "overexposed", "empty", "truncated") - true
    found = with_reason(judged, FOUND_BY[defect]) - excused
    precision, recall = precision_and_recall(found, true)
    assert precision >= 0.95, sorted(found - true)
    assert recall >= 0.95, sorted(true - found)


def test_what_has_no_defect_is_kept_and_what_has_one_is_not(archive: Archive, judged: pd.DataFrame) -> None:
    rejected = set(judged.loc[~judged["kept"], "frame_id"])
    precision, recall = precision_and_recall(rejected, with_defect(archive, *FOUND_BY))
    assert precision >= 0.95
    assert recall >= 0.95


def test_every_defect_is_either_found_or_repaired(archive: Archive) -> None:
    assert set(DEFECTS) == set(FOUND_BY) | {"border", "mosaic", "gray_as_rgb"}
    assert all(with_defect(archive, defect) for defect in DEFECTS)


def test_borders_are_cut_away(archive: Archive, judged: pd.DataFrame) -> None:
    found = set(judged.loc[(judged["border_frac"] > 0.1) & judged["kept"], "frame_id"])
    precision, recall = precision_and_recall(found, with_defect(archive, "border"))
    assert precision >= 0.95
    assert recall >= 0.95


def test_mosaics_are_debayered_and_gray_is_known(archive: Archive, judged: pd.DataFrame) -> None:
    kept = judged[judged["kept"]]
    gray_as_rgb = with_defect(archive, "gray_as_rgb")
    assert not kept.loc[kept["frame_id"].isin(gray_as_rgb), "is_color"].any()
    mosaics = set(kept.loc[kept["is_mosaic"], "frame_id"])
    assert with_defect(archive, "mosaic") <= mosaics
    assert not mosaics & gray_as_rgb
    assert kept.loc[kept["is_mosaic"], "is_color"].all()
    navcams = (kept["rover"] == "curiosity") & kept["camera"].str.startswith("navcam")
    gray_cameras = navcams | kept["camera"].str.startswith("front_hazcam")
    assert not kept.loc[gray_cameras, "is_mosaic"].any()
    assert not kept.loc[gray_cameras, "is_color"].any()


def test_nothing_is_rejected_for_a_strange_reason(archive: Archive, judged: pd.DataFrame) -> None:
    for row in judged[~judged["kept"]].itertuples():
        allowed = set().union(*(FOUND_BY[defect] for defect in archive.defects[row.frame_id] & set(FOUND_BY)))
        assert set(row.reasons) <= allowed | ALSO_SEEN, (row.frame_id, row.reasons, archive.defects[row.frame_id])
