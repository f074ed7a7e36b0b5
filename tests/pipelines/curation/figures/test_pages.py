"""The law of pages sees what breaks it."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from rovervision.pipelines.curation.figures.pages import blank_page, empty_page, figure_of, put, put_row, write
from tests.pipelines.curation.figures.conftest import check_page, collisions


def test_a_text_on_a_text_on_a_picture_or_off_the_page_is_seen() -> None:
    page = blank_page(4, 2)
    write(page, 0.5, 0.5, "one")
    assert collisions(figure_of(page)) == []
    write(page, 0.6, 0.55, "two")
    assert collisions(figure_of(page)) == ["one covers two"]
    put(page, np.zeros((4, 4), np.uint8), 2, 1, 0.5, 0.5)
    write(page, 2.4, 1.2, "three")
    write(page, 3.8, 0.1, "four and more")
    found = "; ".join(collisions(figure_of(page)))
    assert "three covers a picture" in found
    assert "four and more leaves the page" in found


def test_a_page_is_measured_in_inches_from_its_upper_left_corner() -> None:
    page = blank_page(3, 2)
    put(page, np.full((8, 8, 3), 0, np.uint8), 1.0, 0.25, 0.5, 0.25)
    figure = figure_of(page)
    figure.set_dpi(40)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    dark = np.asarray(canvas.buffer_rgba())[..., 0] < 128
    rows, columns = np.nonzero(dark)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (10, 20, 40, 60)


def test_a_row_of_pictures_keeps_their_shape() -> None:
    page = blank_page(5, 2)
    tiles = [np.zeros((32, 32, 3), np.uint8)] * 3
    put_row(page, tiles, 0.5, 0.5, side=0.8, gap=0.1)
    left, right, bottom, top = page.images[0].get_extent()
    assert bottom - top == 0.8
    assert abs((right - left) - (3 * 0.8 + 2 * 0.1)) < 1e-9
    put_row(page, [], 0.5, 0.5, side=0.8, gap=0.1)
    assert len(page.images) == 1


def test_an_empty_page_says_so() -> None:
    assert "There is no frame." in check_page(empty_page("Title", "There is no frame."))
