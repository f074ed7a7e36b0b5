"""Tiles keep brightness and geometry; region numbers are picked, never mixed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.imaging.framing import Box
from rovervision.imaging.tiles import (
    TILE_INDEX_COLUMNS,
    TileStore,
    cut_region_tile,
    cut_tile,
)


def store(count: int = 5, tile_px: int = 8) -> TileStore:
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, tile_px, tile_px, 3), np.uint8)
    index = pd.DataFrame({name: np.arange(count) for name in TILE_INDEX_COLUMNS})
    return TileStore(pixels, pixels[..., 0].copy(), index)


@settings(max_examples=40, deadline=None)
@given(factor=st.integers(1, 5), tile_px=st.sampled_from([8, 16]), seed=st.integers(0, 99))
def test_a_shrunken_tile_is_the_mean_of_its_blocks(factor: int, tile_px: int, seed: int) -> None:
    side = factor * tile_px
    image = np.random.default_rng(seed).integers(0, 256, (side + 7, side + 9, 3), dtype=np.uint8)
    before = image.copy()
    tile = cut_tile(image, Box(5, 3, side), tile_px)
    square = image[3 : 3 + side, 5 : 5 + side].astype(float)
    expected = square.reshape(tile_px, factor, tile_px, factor, 3).mean(axis=(1, 3))
    assert np.abs(tile - expected).max() <= 0.51
    np.testing.assert_array_equal(image, before)


def test_a_tile_of_its_own_size_is_the_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    np.testing.assert_array_equal(cut_tile(image, Box(4, 2, 16), 16), image[2:18, 4:20])


def test_a_gray_tile_has_three_equal_channels() -> None:
    tile = cut_tile(np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8), Box(0, 0, 40), 16)
    assert tile.shape == (16, 16, 3)
    assert (tile == tile[..., :1]).all()


def test_a_small_box_is_enlarged() -> None:
    assert cut_tile(np.full((10, 10, 3), 90, np.uint8), Box(0, 0, 10), 32).shape == (32, 32, 3)


@settings(max_examples=40, deadline=None)
@given(side=st.integers(8, 90), tile_px=st.sampled_from([8, 16, 32]), seed=st.integers(0, 99))
def test_regions_are_picked_and_lie_where_the_picture_lies(side: int, tile_px: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = np.array([1, 4, 5], np.uint8)
    edge = int(rng.integers(2, side - 2))
    mask = np.full((side, side), numbers[0])
    mask[:, edge:] = numbers[2]
    regions = cut_region_tile(mask, Box(0, 0, side), tile_px)
    assert regions.shape == (tile_px, tile_px)
    assert set(np.unique(regions)) <= set(numbers.tolist())
    picture = cut_tile(np.where(mask == 1, 0, 255).astype(np.uint8), Box(0, 0, side), tile_px)[..., 0]
    sure = (picture < 10) | (picture > 245)
    if side >= tile_px:
        np.testing.assert_array_equal((regions == 5)[sure], (picture > 127)[sure])


@pytest.mark.parametrize("rows", [[3, 1], np.array([False, True, False, True, False])])
def test_select_keeps_pixels_and_rows_together(rows: list[int] | np.ndarray) -> None:
    chosen = store().select(rows)
    assert len(chosen) == 2
    assert chosen.index.index.tolist() == [0, 1]
    np.testing.assert_array_equal(chosen.pixels[:, 0, 0, 0], chosen.index["tile_id"])
    np.testing.assert_array_equal(chosen.regions[:, 0, 0], chosen.index["tile_id"])
    assert chosen.tile_px == 8


def test_select_copies_and_refuses_a_mask_of_another_length() -> None:
    tiles = store()
    tiles.select([0]).pixels[:] = 200
    assert tiles.pixels[0].max() == 0
    with pytest.raises(RovervisionError, match="mask"):
        tiles.select(np.array([True]))


@pytest.mark.parametrize(
    "parts",
    [
        (np.zeros((2, 8, 8), np.uint8), np.zeros((2, 8, 8), np.uint8), 2),
        (np.zeros((2, 8, 8, 3), np.float32), np.zeros((2, 8, 8), np.uint8), 2),
        (np.zeros((2, 8, 8, 3), np.uint8), np.zeros((2, 8, 9), np.uint8), 2),
        (np.zeros((2, 8, 8, 3), np.uint8), np.zeros((2, 8, 8), np.uint8), 3),
    ],
)
def test_a_store_whose_parts_disagree_is_refused(parts: tuple[np.ndarray, np.ndarray, int]) -> None:
    pixels, regions, rows = parts
    with pytest.raises(RovervisionError):
        TileStore(pixels, regions, pd.DataFrame({"tile_id": range(rows)}))
