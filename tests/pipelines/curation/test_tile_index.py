"""The tile index tells of each tile its frame's measures, its region and how often it should be seen."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rovervision.imaging.quality import MEASURES
from rovervision.imaging.tiles import ExaminedShard, TileStore
from rovervision.pipelines.curation.config import CurationConfig, ExportConfig
from rovervision.pipelines.curation.nodes import cut_tiles, examine_frames, export_tiles
from rovervision.pipelines.curation.tiling import KNOWN_REGIONS
from tests.pipelines.curation.conftest import Archive, cut, performed, split


@pytest.fixture(scope="module")
def frames(judged: pd.DataFrame, examined: dict[str, ExaminedShard], config: CurationConfig) -> pd.DataFrame:
    return split(judged, examined, config)


@pytest.fixture(scope="module")
def tiles(examined: dict[str, ExaminedShard], frames: pd.DataFrame, config: CurationConfig) -> TileStore:
    return cut(examined, frames, config)


def test_measures_are_those_of_the_frame(tiles: TileStore, frames: pd.DataFrame) -> None:
    of = frames.set_index("frame_id")
    for name in (*MEASURES, "recipe", "n_alike", "rover", "sol"):
        expected = tiles.index["frame_id"].map(of[name])
        assert expected.astype(str).tolist() == tiles.index[name].astype(str).tolist(), name


def test_regions_are_those_of_the_masks(tiles: TileStore, config: CurationConfig) -> None:
    known = tiles.regions.any(axis=(1, 2))
    assert known.sum() > 10, "too few masks to judge"
    assert tiles.index.loc[~known, "region"].isna().all()
    for number, name in KNOWN_REGIONS.items():
        share = (tiles.regions == number).mean(axis=(1, 2))
        np.testing.assert_allclose(tiles.index[f"share_{name}_frac"], share)
        assert (
            share[tiles.index["region"].eq(name).fillna(False).to_numpy(bool)] >= config.balance.region_min_frac
        ).all()


def test_weights_are_balanced_within_each_split(
    tiles: TileStore, examined: dict[str, ExaminedShard], frames: pd.DataFrame, config: CurationConfig
) -> None:
    means = tiles.index.groupby("split")["sampling_weight"].mean()
    np.testing.assert_allclose(means, 1.0)
    plain = config.model_copy(update={"balance": config.balance.model_copy(update={"by": ()})})
    index = cut_tiles(examined, frames, plain).index
    ratio = index["sampling_weight"] / index["weight"]
    np.testing.assert_allclose(ratio.groupby(index["split"]).std(), 0.0, atol=1e-12)
    train = tiles.index[tiles.index["split"] == "train"]
    factor = (train["sampling_weight"] / train["weight"]).groupby(train["region"]).mean()
    mass = train.groupby("region")["weight"].sum()
    assert factor[mass.idxmin()] > 1.2 * factor[mass.idxmax()], "what is rare is raised"


@pytest.mark.parametrize(
    ("cutting", "n_tiles"),
    [
        ({"how": "whole"}, 1),
        ({"how": "grid", "box_px": 64}, 12),
        ({"how": "random", "per_frame": 5, "min_side_px": 32}, 5),
    ],
)
def test_tiles_are_cut_as_configured(archive: Archive, cutting: dict[str, Any], n_tiles: int) -> None:
    sound = (archive.table["width_px"] == 256) & (archive.table["height_px"].between(186, 200))
    sound &= archive.table["frame_id"].map(archive.defects).map(lambda found: not found)
    frames = archive.table[sound].iloc[:3]
    assert len(frames) == 3
    shards = [
        performed(examine_frames(frames, archive.images, {}, CurationConfig(cutting={**cutting, "seed": seed})))
        for seed in (0, 0, 1)
    ]
    boxes = [shard["shard_00000"].candidates for shard in shards]
    assert boxes[0].groupby("frame_id").size().tolist() == [n_tiles] * 3
    pd.testing.assert_frame_equal(boxes[0], boxes[1])
    sides = boxes[0].drop(columns="frame_id").to_numpy(float).reshape(3, n_tiles, -1)
    is_random = cutting["how"] == "random"
    assert boxes[0].equals(boxes[2]) != is_random, "the seed decides"
    assert (sides[0] != sides[1]).any() == is_random, "random tiles differ from frame to frame"


def test_nothing_is_published_unless_asked_for(tiles: TileStore, frames: pd.DataFrame, config: CurationConfig) -> None:
    assert list(export_tiles(tiles, frames, config)) == []
    asked = config.model_copy(update={"export": ExportConfig(enabled=True, title="Stones")})
    exports = list(export_tiles(tiles, frames, asked))
    assert len(exports) == 1
    assert "# Stones" in exports[0].card
    assert exports[0].tiles is tiles


def test_a_plan_makes_its_tiles_again(
    tiles: TileStore, examined: dict[str, ExaminedShard], frames: pd.DataFrame, config: CurationConfig
) -> None:
    again = cut(examined, frames, config)
    np.testing.assert_array_equal(again.pixels, tiles.pixels)
    pd.testing.assert_frame_equal(again.index, tiles.index)
    assert replace(tiles, index=again.index).tile_px == config.tile_px
