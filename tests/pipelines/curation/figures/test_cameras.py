"""The sheet names every camera and counts its tiles."""

import numpy as np
import pytest

from rovervision.pipelines.curation.figures import draw_sheet
from tests.pipelines.curation.figures.conftest import check_page, frames_table, tiles_table


@pytest.mark.parametrize(("count", "cameras"), [(1, 1), (17, 3), (60, 30)])
def test_every_camera_has_its_row(count: int, cameras: int) -> None:
    tiles = tiles_table(frames_table(count, cameras))
    shown = check_page(draw_sheet(tiles))
    index = tiles.index
    for (rover, camera), mine in index.groupby(["rover", "camera"]):
        assert f"{rover}\n{camera.replace('_', ' ')}" in shown
        for _, part in mine.groupby("split"):
            assert f"{len(part)} tiles of {len(part) // 2} frame" in shown
    for split, part in index.groupby("split"):
        assert f"{split}: {len(part)} tiles of" in shown


def test_tiles_stand_in_the_row_of_their_camera_and_under_their_split() -> None:
    tiles = tiles_table(frames_table(30, 2))
    tiles.pixels[:] = 0
    tiles.pixels[(tiles.index["split"] == "val").to_numpy()] = 255
    figure = draw_sheet(tiles)
    rows = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    inked = [bool((row[:, : row.shape[0]] == 0).all()) for row in rows]
    assert inked == [True, False, True] * (len(rows) // 3)


def test_how_tiles_were_made_is_told() -> None:
    tiles = tiles_table(frames_table(1))
    assert "from squares of 48 px\ncolour" in check_page(draw_sheet(tiles))
    mixed = tiles_table(frames_table(20))
    mixed.index.loc[0, ["is_color", "side_px"]] = (False, 2000)
    mixed.index.loc[2:5, "is_debayered"] = True
    shown = check_page(draw_sheet(mixed))
    assert "from squares of 48 to 2,000 px" in shown
    assert "5 % gray, 85 % colour, 10 % debayered" in shown


def test_without_tiles_the_page_says_so() -> None:
    assert "There is no tile" in check_page(draw_sheet(tiles_table(frames_table(5)).select([])))
