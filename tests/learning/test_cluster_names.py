"""Clusters in words: each told by what sets it apart."""

import numpy as np
import pandas as pd
import pytest

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TILE_INDEX_COLUMNS, TileStore
from rovervision.learning.cluster_names import CLUSTER_COLUMNS, camera_words, describe_clusters, measure_looks
from rovervision.sources.regions import GROUND, HARDWARE, ROCK, SKY, UNKNOWN

SOIL, STEEL = (150, 100, 60), (90, 90, 90)
PX = 16


def tiles_of(
    colors: list[tuple[int, int, int]],
    regions: list[int] | None = None,
    cameras: list[str] | None = None,
    sols: list[int | None] | None = None,
    labels: list[str | None] | None = None,
) -> TileStore:
    """Return tiles of one colour each."""
    count = len(colors)
    index = pd.DataFrame({name: [None] * count for name in TILE_INDEX_COLUMNS})
    index["tile_id"] = [f"tile {row}" for row in range(count)]
    index["camera"] = cameras or ["navcam_left"] * count
    index["sol"] = pd.array(sols or [None] * count, dtype="Int64")
    index["label"] = pd.array(labels or [None] * count, dtype="string")
    pixels = np.broadcast_to(np.array(colors, np.uint8)[:, None, None], (count, PX, PX, 3)).copy()
    masks = np.broadcast_to(np.array(regions or [UNKNOWN] * count, np.uint8)[:, None, None], (count, PX, PX)).copy()
    return TileStore(pixels, masks, index)


def described(tiles: TileStore, clusters: list[int], distances: list[float] | None = None) -> pd.DataFrame:
    return describe_clusters(tiles, np.array(clusters), np.array(distances or [0.0] * len(clusters), np.float32))


def test_a_row_for_each_cluster_with_members_outliers_last() -> None:
    table = described(tiles_of([SOIL] * 6), [2, 0, -1, 2, 2, 0])
    assert tuple(table.columns) == CLUSTER_COLUMNS
    assert table["cluster"].tolist() == [0, 2, -1]
    assert table["n_tiles"].tolist() == [2, 3, 1]
    assert table["share_frac"].sum() == pytest.approx(1)
    assert "outliers" in table["name"].iloc[2]


def test_what_sets_clusters_apart_gives_the_name() -> None:
    dark = tuple(value // 3 for value in SOIL)
    tiles = tiles_of(
        [dark] * 3 + [SOIL] * 3 + [STEEL] * 7,
        regions=[GROUND] * 2 + [ROCK] + [SKY] * 3 + [HARDWARE] * 7,
        cameras=["mastcam_right"] * 3 + ["mahli"] * 2 + ["mastcam_right"] * 4 + ["mahli"] * 4,
        sols=[3, 52, 9, 7, 7, 7, *[None] * 7],
    )
    table = described(tiles, [0] * 3 + [1] * 3 + [2] * 7)
    assert table["name"].tolist() == [
        "dark ground, Mastcam right, sols 3-52",
        "bright sky, MAHLI, sol 7",
        "hardware, MAHLI",
    ]
    assert table[["sky_frac", "ground_frac", "hardware_frac"]].to_numpy().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert table["top_camera_lift"].tolist() == pytest.approx([1 / (7 / 13), (2 / 3) / (6 / 13), (4 / 7) / (6 / 13)])
    assert table["first_sol"].iloc[:2].tolist() == [3, 7]
    assert pd.isna(table["first_sol"].iloc[2])


def test_labels_come_first_where_they_are_clear() -> None:
    labels = ["drill_holes", "drill_holes", "Wheel", "a", "b", "c", "d", "e", "wheel", "inlet", "scoop", "inlet"]
    table = described(tiles_of([SOIL] * 12, labels=labels), [0] * 3 + [1] * 5 + [2] * 4)
    assert table["name"].tolist() == ["drill holes", "scenes", "inlet"]
    assert table["purity"].tolist() == pytest.approx([2 / 3, 1 / 5, 1 / 2])
    assert table["top_labels"].iloc[0] == "drill holes 67%, wheel 33%"
    assert table["n_labelled"].tolist() == [3, 5, 4]
    two = described(tiles_of([SOIL] * 5, labels=["a", "a", "b", "c", "d"]), [0] * 5)
    assert two["name"].tolist() == ["a and b"]


def test_what_is_unknown_is_missing_not_zero() -> None:
    row = described(tiles_of([SOIL] * 3), [0] * 3).iloc[0]
    assert row[["sky_frac", "ground_frac", "hardware_frac", "purity", "median_sol", "mean_confidence"]].isna().all()
    assert row["n_labelled"] == 0
    assert row["top_labels"] == ""


def test_regions_are_shares_of_what_is_known() -> None:
    tiles = tiles_of([SOIL] * 2, regions=[UNKNOWN, SKY])
    tiles.regions[1, :4] = UNKNOWN
    assert described(tiles, [0, 0])["sky_frac"].tolist() == [1]


def test_names_that_would_be_the_same_are_numbered() -> None:
    assert described(tiles_of([SOIL] * 3), [0, 1, 2])["name"].tolist() == ["scenes (1)", "scenes (2)", "scenes (3)"]


def test_the_medoid_is_the_member_nearest_to_the_centre() -> None:
    table = described(tiles_of([SOIL] * 5), [0, 0, 1, 1, 1], [0.4, 0.2, 0.9, 0.1, 0.5])
    assert table["medoid_row"].tolist() == [1, 3]
    assert table["medoid_tile_id"].tolist() == ["tile 1", "tile 3"]


def test_a_camera_that_all_have_is_no_distinction() -> None:
    tiles = tiles_of([SOIL] * 4, cameras=["mahli"] * 4)
    assert described(tiles, [0, 0, 1, 1])["name"].tolist() == ["scenes (1)", "scenes (2)"]


def test_a_camera_that_has_no_more_of_a_cluster_than_of_all_is_left_out() -> None:
    tiles = tiles_of([SOIL] * 40, cameras=["mahli"] * 34 + ["mastcam_right"] * 6)
    clusters = [0] * 17 + [1] * 17 + [0] * 2 + [1] * 4  # MAHLI: 17 of 19 and 17 of 21, of 34 of 40
    table = described(tiles, clusters)
    assert table["top_camera"].tolist() == ["mahli", "mastcam_right"]
    assert table["top_camera_lift"].iloc[0] == pytest.approx((17 / 19) / (34 / 40))
    assert table["name"].tolist() == ["scenes (1)", "scenes (2)"]


def test_looks_are_of_light_color_and_detail() -> None:
    checks = np.zeros((1, PX, PX, 3), np.uint8)
    checks[:, ::2] = 255
    looks = measure_looks(np.concatenate([tiles_of([(255, 255, 255), (0, 0, 0), (220, 90, 30)]).pixels, checks]))
    assert looks["lightness"].tolist()[:2] == pytest.approx([100, 0], abs=0.1)
    assert looks["chroma"].tolist()[:2] == pytest.approx([0, 0], abs=0.1)
    assert looks["chroma"].iloc[2] > 40
    assert looks["texture"].iloc[:3].max() < 0.01
    assert looks["texture"].iloc[3] > 10


def test_cameras_are_written_as_people_do() -> None:
    assert [camera_words(name) for name in ("mahli", "mastcam_right", "front_hazcam_left_b")] == [
        "MAHLI",
        "Mastcam right",
        "Front hazcam left b",
    ]


def test_numbers_of_other_tiles_are_refused() -> None:
    with pytest.raises(RovervisionError, match="2 cluster numbers and 2 distances for 3 tiles"):
        described(tiles_of([SOIL] * 3), [0, 0])
