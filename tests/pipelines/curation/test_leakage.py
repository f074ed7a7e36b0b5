"""What stands in two splits does not show the same; and where splits are torn on purpose, the report says so."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rovervision.imaging.tiles import ExaminedShard
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.judging import HELD_OUT_DUPLICATE
from rovervision.pipelines.curation.nodes import report_leaks
from tests.pipelines.curation.conftest import cut, split

PARTS = np.array(["train", "val", "test"])


@pytest.fixture(scope="module")
def placed(judged: pd.DataFrame, examined: dict[str, ExaminedShard], config: CurationConfig) -> pd.DataFrame:
    return split(judged, examined, config)


def test_no_leak_is_found(placed: pd.DataFrame, examined: dict[str, ExaminedShard], config: CurationConfig) -> None:
    assert set(placed["split"].dropna()) == set(PARTS)
    assert report_leaks(placed, cut(examined, placed, config), config).empty


def test_torn_splits_are_reported_with_a_warning(
    placed: pd.DataFrame,
    examined: dict[str, ExaminedShard],
    config: CurationConfig,
    caplog: pytest.LogCaptureFixture,
) -> None:
    drawn = pd.Series(PARTS[np.random.default_rng(1).integers(0, 3, len(placed))]).where(placed["kept"])
    torn, tiles = placed.assign(split=drawn), cut(examined, placed, config)
    parts = tiles.index["frame_id"].map(torn.set_index("frame_id")["split"])
    report = report_leaks(torn, replace(tiles, index=tiles.index.assign(split=parts)), config)
    assert len(report) >= 5
    assert f"{len(report)} frames or tiles" in caplog.text
    assert (report["split"] != report["other_split"]).all()


def test_an_official_split_that_tears_what_is_alike_loses_the_frames_that_leak(
    judged: pd.DataFrame, examined: dict[str, ExaminedShard], config: CurationConfig
) -> None:
    drawn = PARTS[np.random.default_rng(2).integers(0, 3, len(judged))]
    result = split(judged.assign(official_split=drawn), examined, config)
    dropped = [HELD_OUT_DUPLICATE in told for told in result["reasons"]]
    assert sum(dropped) >= 1
    kept = result[result["kept"]]
    assert (kept["split"] == kept["official_split"]).all(), "what stays, stays where it was put"
    assert report_leaks(result, cut(examined, result, config), config).empty
    assert kept.groupby("alike")["split"].nunique().max() == 1
