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
    ExaminedShard,
    TilePlan,
    TileStore,
    assemble,
    cut_region_tile,
    cut_tile,
    plan_of,
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


def test_an_index_may_have_more_columns_and_not_fewer() -> None:
    tiles = store()
    more = TileStore(tiles.pixels, tiles.regions, tiles.index.assign(entropy_bits=1.5))
    assert more.select([2, 0]).index["entropy_bits"].tolist() == [1.5, 1.5]
    with pytest.raises(RovervisionError, match="lacks group, weight"):
        TileStore(tiles.pixels, tiles.regions, tiles.index.drop(columns=["weight", "group"]))


def shard(count: int, seed: int) -> ExaminedShard:
    rng = np.random.default_rng(seed)
    ids = [f"{seed}_{row}" for row in range(count)]
    return ExaminedShard(
        frames=pd.DataFrame({"frame_id": ids, "sha256": [f"{seed}{name}" for name in ids]}),
        candidates=pd.DataFrame({"frame_id": ids, "left_px": range(count)}),
        pixels=rng.integers(0, 256, (count, 4, 4, 3), dtype=np.uint8),
        regions=rng.integers(0, 6, (count, 4, 4), dtype=np.uint8),
    )


def planned(shards: dict[str, ExaminedShard], rows: list[np.ndarray]) -> TilePlan:
    index = pd.DataFrame({name: np.arange(sum(map(len, rows))) for name in TILE_INDEX_COLUMNS})
    return assemble(shards, rows, index)


@settings(max_examples=40)
@given(chosen=st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=4))
def test_an_assembled_plan_is_the_chosen_candidates_in_order(chosen: list[list[bool]]) -> None:
    shards = {f"s{number}": shard(5, number) for number in range(len(chosen))}
    plan = planned(shards, [np.flatnonzero(mask) for mask in chosen])
    gathered = plan.gathered()
    for name in ("pixels", "regions"):
        parts = [getattr(one, name)[np.array(mask)] for one, mask in zip(shards.values(), chosen, strict=True)]
        np.testing.assert_array_equal(getattr(gathered, name), np.concatenate(parts))
    assert [piece.n_tiles for piece in plan.pieces] == [sum(mask) for mask in chosen if any(mask)]
    assert [top for top, _ in plan.placed()] == np.cumsum([0, *(p.n_tiles for p in plan.pieces)])[:-1].tolist()


def origins(shards: dict[str, ExaminedShard], *rows: int) -> list[str | None]:
    return [piece.origin for piece in planned(shards, [np.array(rows)]).pieces]


@pytest.mark.parametrize("changed", ["sha256", "left_px", "pixels", "regions", "rows"])
def test_the_origin_of_a_piece_tells_whatever_it_follows_from(changed: str) -> None:
    one, other = shard(5, 1), shard(5, 1)
    assert origins({"a": one}, 1, 2) == origins({"b": other}, 1, 2)
    if changed in ("pixels", "regions"):
        getattr(other, changed)[1] ^= 1
    elif changed != "rows":
        (other.frames if changed == "sha256" else other.candidates)[changed] = "x"
    assert origins({"a": one}, 1, 2) != origins({"b": other}, 1, 3 if changed == "rows" else 2)


@given(count=st.integers(0, 9), per_piece=st.integers(1, 4))
def test_the_plan_of_a_store_makes_it_again(count: int, per_piece: int) -> None:
    plan = plan_of(store(count), per_piece)
    assert all(0 < piece.n_tiles <= per_piece for piece in plan.pieces)
    gathered = plan.gathered()
    np.testing.assert_array_equal(gathered.pixels, store(count).pixels)
    np.testing.assert_array_equal(gathered.regions, store(count).regions)


def test_rows_for_other_shards_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        planned({"a": shard(2, 0)}, [np.array([0]), np.array([1])])
