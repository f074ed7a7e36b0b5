"""Every check finds the frames that have its defect, and only those: precision 0.98 and recall 0.95 at least."""

import pandas as pd
import pytest

from rovervision.sources.synthetic.defects import DEFECTS
from tests.pipelines.curation.checks import CHECKS, found_and_true, precision_and_recall, with_defect
from tests.pipelines.curation.conftest import Archive

REPAIRED = frozenset({"border", "sensor_border", "vignette", "mosaic", "gray_as_rgb"})
"""Defects that curation removes or knows how to live with; all others reject the frame."""

ALLOWED = {
    "empty": {"undecodable", "not_fetched"},
    "truncated": {"undecodable"},
    "thumbnail": {"sample_type", "too_small"},
    "stripes": {"missing_lines", "partly_received", "blank_blocks"},
    "blocks": {"blank_blocks", "missing_lines", "partly_received"},
    "line_noise": {"striped"},
    "heavy_jpeg": {"blocky", "blank_blocks"},
    "blur": {"blurred"},
    "dark": {"too_dark", "mostly_black"},
    "overexposed": {"overexposed"},
    "false_color": set[str](),
    "narrow_band": {"narrow_band"},
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


@pytest.mark.parametrize("name", CHECKS)
def test_a_defect_is_found(archive: Archive, judged: pd.DataFrame, name: str) -> None:
    found, true = found_and_true(CHECKS[name], judged, archive.defects)
    assert len(true) >= 10, "too few to judge"
    precision, recall = precision_and_recall(found, true)
    assert precision >= 0.98, sorted(found - true)
    assert recall >= 0.95, sorted(true - found)


def test_what_has_no_defect_is_kept_and_what_has_one_is_not(archive: Archive, judged: pd.DataFrame) -> None:
    rejected = set(judged.loc[~judged["kept"], "frame_id"])
    precision, recall = precision_and_recall(rejected, with_defect(archive.defects, frozenset(DEFECTS) - REPAIRED))
    assert precision >= 0.98
    assert recall >= 0.95


def test_every_defect_has_its_check(archive: Archive) -> None:
    assert set(DEFECTS) == set(ALLOWED) | REPAIRED
    assert set(DEFECTS) == {defect for check in CHECKS.values() for defect in check.finds}
    assert all(with_defect(archive.defects, frozenset({defect})) for defect in DEFECTS)


def test_what_is_repaired_is_kept(archive: Archive, judged: pd.DataFrame) -> None:
    repaired = judged["frame_id"].isin(with_defect(archive.defects, REPAIRED))
    assert judged.loc[repaired, "kept"].mean() >= 0.98


def test_no_tile_shows_a_border_or_a_dark_corner(archive: Archive, judged: pd.DataFrame, examined: dict) -> None:
    kept = judged[judged["kept"]]
    framed = with_defect(archive.defects, frozenset({"border", "sensor_border", "vignette"})) & set(kept["frame_id"])
    corners = []
    for shard in examined.values():
        rows = shard.candidates["frame_id"].isin(framed)
        tiles = shard.pixels[rows.to_numpy()].max(axis=-1)
        corners += [tile[v, u] for tile in tiles for v in (0, -1) for u in (0, -1)]
    assert len(corners) > 100
    assert sum(corner <= 8 for corner in corners) <= 0.01 * len(corners)


def test_mosaics_are_debayered_and_gray_is_known(archive: Archive, judged: pd.DataFrame) -> None:
    kept = judged[judged["kept"]]
    gray_as_rgb = with_defect(archive.defects, frozenset({"gray_as_rgb"}))
    assert not kept.loc[kept["frame_id"].isin(gray_as_rgb), "is_color"].any()
    mosaics = kept[kept["is_mosaic"]]
    assert mosaics["is_color"].all()
    navcams = (kept["rover"] == "curiosity") & kept["camera"].str.startswith("navcam")
    gray_cameras = navcams | kept["camera"].str.startswith("front_hazcam")
    assert not kept.loc[gray_cameras & ~kept["frame_id"].isin(mosaics["frame_id"]), "is_color"].any()


def test_nothing_is_rejected_for_a_strange_reason(archive: Archive, judged: pd.DataFrame) -> None:
    for row in judged[~judged["kept"]].itertuples():
        defects = archive.defects[row.frame_id] & set(ALLOWED)
        allowed = set().union(*(ALLOWED[defect] for defect in defects))
        assert set(row.reasons) <= allowed | ALSO_SEEN, (row.frame_id, row.reasons, defects)
