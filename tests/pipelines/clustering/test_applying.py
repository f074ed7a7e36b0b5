"""New images find their cluster and their like, each on its own."""

import io

import cv2
import numpy as np
import pandas as pd
import pytest

from rovervision.errors import RovervisionError
from rovervision.imaging.encoding import encode_png
from rovervision.pipelines.clustering import applying, similar
from rovervision.pipelines.clustering.config import ClusteringConfig
from rovervision.sources.frame import StoredFile
from tests.pipelines.clustering.found import Found, found


def assigned(images: dict[str, StoredFile], of: Found, config: ClusteringConfig | None = None) -> pd.DataFrame:
    """The table that the plan promises, piece by piece."""
    plan = applying.assign_images(images, of.encoder, of.clusters, of.table, config or of.config)
    return pd.concat([pd.read_parquet(io.BytesIO(promise())) for promise in plan.values()], ignore_index=True)


def stored(data: bytes) -> StoredFile:
    return StoredFile("key", "key", len(data), "", None, lambda: data)


def test_an_image_of_the_archive_gets_its_own_cluster() -> None:
    of = found()
    images = {f"deep/{row}.png": stored(encode_png(of.tiles.pixels[row])) for row in (0, 40, 90)}
    table = assigned(images, of)
    assert table["path"].tolist() == sorted(images)
    for _, row in table.iterrows():
        own = of.tile_clusters.iloc[int(row["path"].split("/")[1].split(".")[0])]
        assert row["cluster"] == own["cluster"]
        assert row["distance"] == pytest.approx(own["distance"], abs=1e-4)
        assert row["cluster_name"] == of.table.set_index("cluster")["name"][own["cluster"]]
        assert row["embedding"].shape == (of.codes.codes.shape[1],)


def test_a_bad_file_fails_alone_and_batches_change_nothing() -> None:
    of = found()
    images = {f"{row}.png": stored(encode_png(of.tiles.pixels[row])) for row in range(5)}
    images |= {"text.png": stored(b"hello"), "empty.jpg": stored(b"")}
    table = assigned(images, of).set_index("path")
    assert table.loc[["text.png", "empty.jpg"], "failure"].notna().all()
    assert table.loc[["text.png", "empty.jpg"], "cluster"].isna().all()
    assert table["failure"].isna().sum() == 5
    small = of.config.model_copy(update={"apply": of.config.apply.model_copy(update={"batch_size": 2})})
    again = assigned(images, of, small).set_index("path")
    assert again["cluster"].equals(table["cluster"])


def test_no_image_is_an_empty_table_of_the_same_columns() -> None:
    of = found()
    table = assigned({}, of)
    assert table.empty and tuple(table.columns) == applying.APPLIED_COLUMNS


def test_an_image_is_seen_as_the_square_in_its_middle_inside_borders() -> None:
    tile = cv2.resize(found().tiles.pixels[3], (96, 96), interpolation=cv2.INTER_CUBIC)
    wide = np.full((96, 200, 3), 128, np.uint8)
    wide[:, 52:148] = tile
    np.testing.assert_array_equal(
        applying.middle_square(encode_png(wide), 32), applying.middle_square(encode_png(tile), 32)
    )
    framed = np.zeros((136, 136, 3), np.uint8)
    framed[20:116, 20:116] = np.maximum(tile, 60)
    inner = applying.middle_square(encode_png(np.maximum(tile, 60)), 32)
    assert np.abs(applying.middle_square(encode_png(framed), 32).astype(float) - inner).mean() < 8
    gray = encode_png(tile[..., 0])
    assert applying.middle_square(gray, 32).shape == (32, 32, 3)
    with pytest.raises(RovervisionError, match="strip"):
        applying.middle_square(encode_png(np.full((10, 400, 3), 99, np.uint8)), 32)


def test_the_nearest_frame_of_a_tile_is_its_own_and_each_frame_comes_once() -> None:
    of = found()
    images = {"mine.png": stored(encode_png(of.tiles.pixels[10]))}
    asked = similar.choose_queries(of.tiles, of.table, images, of.clusters, of.config)
    table = similar.find_similar(asked, of.codes, of.tile_clusters, of.encoder, of.clusters, of.config)
    assert table["frame_id"].iloc[0] == of.tiles.index["frame_id"].iloc[10]
    assert table["distance"].iloc[0] == pytest.approx(0, abs=1e-3)
    assert table["distance"].is_monotonic_increasing and table["frame_id"].is_unique
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert set(table["label"]) == {of.tiles.index["label"].iloc[10]}


def test_without_an_image_the_largest_clusters_medoids_ask_and_do_not_find_themselves() -> None:
    of = found()
    asked = similar.choose_queries(of.tiles, of.table, {}, of.clusters, of.config)
    assert list(asked) == [of.tiles.index["frame_id"].iloc[row] for row in of.table["medoid_row"]]
    table = similar.find_similar(asked, of.codes, of.tile_clusters, of.encoder, of.clusters, of.config)
    assert table.groupby("query").size().tolist() == [4, 4]
    assert (table["query"] != table["frame_id"]).all()


def test_an_image_that_cannot_be_read_is_a_sentence() -> None:
    of = found()
    with pytest.raises(RovervisionError, match=r"mine\.png cannot be compared"):
        similar.choose_queries(of.tiles, of.table, {"mine.png": stored(b"no")}, of.clusters, of.config)
