"""A contact sheet holds every tile once, in order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rovervision.imaging.montage import contact_sheet, spread


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
