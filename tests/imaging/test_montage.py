"""A contact sheet holds every tile once, in order; squares that are spaced apart cover none of each other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rovervision.imaging.montage import contact_sheet, framed, pinned, spaced, spread


@given(count=st.integers(1, 12), columns=st.integers(1, 5), gap=st.integers(0, 4))
def test_every_tile_stands_in_its_place(count: int, columns: int, gap: int) -> None:
    tiles = np.random.default_rng(count).integers(0, 255, (count, 6, 5, 3), dtype=np.uint8)
    sheet = contact_sheet(tiles, columns, gap)
    rows = -(-count // columns)
    assert sheet.shape == (rows * 6 + (rows - 1) * gap, columns * 5 + (columns - 1) * gap, 3)
    for number, tile in enumerate(tiles):
        top, left = number // columns * (6 + gap), number % columns * (5 + gap)
        np.testing.assert_array_equal(sheet[top : top + 6, left : left + 5], tile)
    inked = sum(int(tile.astype(int).sum()) for tile in tiles)
    paper = 255 * 3 * (sheet.shape[0] * sheet.shape[1] - count * 30)
    assert int(sheet.astype(int).sum()) == inked + paper


@given(count=st.integers(0, 200), wanted=st.integers(1, 20))
def test_a_spread_is_even_and_within(count: int, wanted: int) -> None:
    rows = spread(count, wanted)
    assert len(rows) == min(count, wanted)
    if count:
        assert rows[0] == 0
        assert rows[-1] < count
    if len(rows) > 2:
        assert np.ptp(np.diff(rows)) <= 1


@given(places=st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), max_size=40), side=st.floats(0.5, 30))
def test_squares_at_spaced_places_cover_none_of_each_other_and_leave_no_room(
    places: list[tuple[float, float]], side: float
) -> None:
    chosen: list[int] = []
    for row, place in enumerate(places):
        if all(max(abs(place[k] - places[other][k]) for k in (0, 1)) >= side for other in chosen):
            chosen.append(row)
    assert spaced(np.array(places).reshape(-1, 2), side).tolist() == chosen


@given(side=st.integers(8, 40), border=st.integers(0, 3), shape=st.tuples(st.integers(2, 30), st.integers(2, 30)))
def test_a_frame_goes_round_the_picture(side: int, border: int, shape: tuple[int, int]) -> None:
    square = framed(np.full((*shape, 3), 200, np.uint8), side, border, (1, 2, 3))
    assert square.shape == (side, side, 3)
    inside = square[border : side - border, border : side - border]
    assert (inside == 200).all()
    assert (square == (1, 2, 3)).all(axis=2).sum() == side**2 - (side - 2 * border) ** 2


@given(st.lists(st.tuples(st.integers(-5, 25), st.integers(-5, 15)), max_size=5))
def test_pinned_pictures_stand_at_their_centres_and_end_at_the_edge(centers: list[tuple[int, int]]) -> None:
    pictures = [np.full((4, 6, 3), 10 + number, np.uint8) for number in range(len(centers))]
    board = pinned(pictures, np.array(centers).reshape(-1, 2), 10, 20)
    slow = np.zeros((10, 20, 4), np.uint8)
    for number, (column, row) in enumerate(centers):
        for y in range(row - 2, row + 2):
            for x in range(column - 3, column + 3):
                if 0 <= y < 10 and 0 <= x < 20:
                    slow[y, x] = (10 + number, 10 + number, 10 + number, 255)
    np.testing.assert_array_equal(board, slow)
