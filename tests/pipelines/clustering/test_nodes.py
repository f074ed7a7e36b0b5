"""Tiles to clusters: known scenes come apart, the rare is listed, and bad input is a sentence."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.learning.codes import TileCodes
from rovervision.learning.weights import Weights
from rovervision.pipelines.clustering import nodes
from rovervision.pipelines.clustering.describing import tabulate_clusters
from rovervision.pipelines.clustering.labels import known_labels
from tests.pipelines.clustering.found import config, find, found
from tests.pipelines.clustering.scenes import scene_tiles


def test_known_scenes_come_apart() -> None:
    of = found()
    counts = pd.crosstab(of.tiles.index["label"], of.tile_clusters["cluster"]).to_numpy()
    assert counts.max(axis=0).sum() == len(of.tiles)
    assert list(of.table["cluster"]) == [0, 1]
    assert of.table["n_tiles"].sum() == len(of.tiles)


def test_clusters_are_named_by_classes_or_else_by_regions() -> None:
    of = found()
    assert {name.split(",")[0].split()[-1] for name in of.table["name"]} == {"stripes", "spots"}
    regions = of.tiles.index["label"].map({"stripes": "ground", "spots": "hardware"})
    unlabelled = TileStore(of.tiles.pixels, of.tiles.regions, of.tiles.index.assign(label=None, region=regions))
    table = tabulate_clusters(unlabelled, of.tile_clusters, of.config)
    assert {name.split(",")[0].split()[-1] for name in table["name"]} == {"ground", "hardware"}
    assert table["purity"].tolist() == [1, 1]
    quiet = of.config.model_copy(update={"scoring": of.config.scoring.model_copy(update={"labels": "none"})})
    assert tabulate_clusters(of.tiles, of.tile_clusters, quiet)["n_labelled"].sum() == 0


def test_codes_are_of_every_tile_in_order() -> None:
    of = found()
    assert of.codes.tile_ids == tuple(of.tiles.index["tile_id"])
    backwards = nodes.embed_tiles(of.tiles.select(np.arange(len(of.tiles))[::-1]), of.encoder)
    np.testing.assert_allclose(backwards.codes[::-1], of.codes.codes, atol=1e-5)


def test_clusters_are_opened_as_they_were() -> None:
    of = found()
    labels, distances = nodes.open_clusters(of.clusters).assign(of.codes.codes)
    np.testing.assert_array_equal(labels, of.tile_clusters["cluster"])
    np.testing.assert_allclose(distances, of.tile_clusters["distance"], atol=1e-5)


def test_nodes_change_no_argument_and_repeat_themselves() -> None:
    of = found()
    before = of.tiles.pixels.copy(), of.tiles.index.copy(), np.array(of.codes.codes)
    once, again = (nodes.cluster_tiles(of.tiles, of.codes, of.config, 0) for _ in range(2))
    pd.testing.assert_frame_equal(once[1], again[1])
    assert all(torch.equal(tensor, again[0].tensors[name]) for name, tensor in once[0].tensors.items())
    pd.testing.assert_frame_equal(nodes.map_tiles(of.codes, of.config, 0), nodes.map_tiles(of.codes, of.config, 0))
    np.testing.assert_array_equal(of.tiles.pixels, before[0])
    pd.testing.assert_frame_equal(of.tiles.index, before[1])
    np.testing.assert_array_equal(of.codes.codes, before[2])


def test_a_map_has_every_tile_within_its_frame_and_keeps_proportions() -> None:
    of = found()
    places = nodes.map_tiles(of.codes, of.config, 0)
    assert list(places["tile_id"]) == list(of.tiles.index["tile_id"])
    assert places[["x", "y"]].to_numpy().min() == 0
    assert places[["x", "y"]].to_numpy().max() == pytest.approx(1)


def test_a_tile_like_no_other_heads_the_outliers() -> None:
    tiles = scene_tiles()
    pixels = tiles.pixels.copy()
    pixels[7] = np.where(np.indices(pixels.shape[1:3]).sum(axis=0)[..., None] % 8 < 4, [255, 0, 255], [0, 255, 0])
    of = find(TileStore(pixels, tiles.regions, tiles.index), config())
    table = nodes.list_outliers(of.tiles, of.codes, of.clusters, of.tile_clusters, of.config)
    assert table["tile_id"].iloc[0] == tiles.index["tile_id"].iloc[7]
    assert table["distance"].is_monotonic_decreasing
    assert len(table) == of.config.figures.outliers


def test_labels_are_classes_then_regions_then_none() -> None:
    index = scene_tiles().index
    asked = config().scoring
    assert known_labels(index, asked).tolist() == index["label"].tolist()  # type: ignore[union-attr]
    blank = index.assign(label=None)
    assert known_labels(blank, asked) is None
    regions = blank.assign(region=["sky", "ground"] * (len(blank) // 2))
    assert known_labels(regions, asked).tolist() == regions["region"].tolist()  # type: ignore[union-attr]
    assert known_labels(index, asked.model_copy(update={"labels": "none"})) is None
    with pytest.raises(RovervisionError, match="No tile has a region"):
        known_labels(index, asked.model_copy(update={"labels": "region"}))


# --- what cannot be clustered


def few(count: int) -> TileStore:
    return scene_tiles().select(np.arange(count))


def refusal(tiles: TileStore, **sections: object) -> str:
    with pytest.raises(RovervisionError) as refused:
        find(tiles, config(**sections))
    return str(refused.value)


@pytest.mark.parametrize("count", [0, 1])
def test_one_image_is_refused(count: int) -> None:
    assert "Ingest more frames" in refusal(few(count))


def test_images_that_are_all_the_same_are_refused() -> None:
    tiles = few(12)
    same = TileStore(np.repeat(tiles.pixels[:1], 12, axis=0), tiles.regions, tiles.index)
    assert "the same image" in refusal(same)


def test_more_clusters_than_images_are_refused() -> None:
    assert "40 clusters are more than there are images (12)" in refusal(few(12), clusterer={"clusters": 40})


def test_codes_that_are_no_numbers_are_refused() -> None:
    of = found()
    broken = np.array(of.codes.codes)
    broken[3, 1] = np.nan
    with pytest.raises(RovervisionError, match=r"finite|NaN|number"):
        nodes.cluster_tiles(of.tiles, TileCodes(broken, of.codes.tile_ids), of.config, 0)


def test_codes_of_other_tiles_are_refused() -> None:
    of = found()
    other = TileStore(of.tiles.pixels, of.tiles.regions, of.tiles.index.assign(tile_id="x"))
    with pytest.raises(RovervisionError, match="curation has run since"):
        nodes.cluster_tiles(other, of.codes, of.config, 0)


def test_other_weights_are_no_clusters() -> None:
    with pytest.raises(RovervisionError, match="not clusters of this version"):
        nodes.open_clusters(replace(Weights({}), header={"model": "x"}))
