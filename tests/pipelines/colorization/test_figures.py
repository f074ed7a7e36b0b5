"""Figures say what the numbers say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rovervision.pipelines.colorization import figures, nodes, scoring
from tests.pipelines.colorization.examples import CONFIG, example_tiles


@pytest.fixture(scope="module")
def results():
    tiles = example_tiles()
    priors = nodes.fit_color_priors(tiles, CONFIG)
    checkpoint = list(nodes.train_colorizer(tiles, priors, CONFIG, 0, "cpu", None))[-1][0]
    colorizer = nodes.finish_colorizer(checkpoint, CONFIG)
    return tiles, checkpoint, colorizer, scoring.score_colorizer(tiles, colorizer, priors, CONFIG)


def test_no_figure_is_left_in_pyplot(results):
    tiles, checkpoint, colorizer, scores = results
    figures.draw_panels(tiles, colorizer, scores, CONFIG)
    figures.draw_learning_curves(checkpoint)
    figures.draw_scores(scoring.tabulate_scores(scores, CONFIG, 0)[0], CONFIG)
    assert plt.get_fignums() == []


def test_panels_show_the_best_and_the_worst_frame(results):
    tiles, _, colorizer, scores = results
    figure = figures.draw_panels(tiles, colorizer, scores, CONFIG)
    shown = [axis.get_xlabel() for axis in figure.axes if axis.get_xlabel().startswith("mean")]
    assert len(shown) == CONFIG.panels
    truth = [axis.images[0].get_array() for axis in figure.axes if axis.images][2]
    own = scores[scores["method"] == "residual"].sort_values("ciede2000")
    row = np.flatnonzero(tiles.index["frame_id"] == own["frame_id"].iloc[0])[0]
    np.testing.assert_array_equal(truth, tiles.pixels[row])


def test_curves_have_a_point_for_every_epoch(results):
    _, checkpoint, _, _ = results
    (axis,) = figures.draw_learning_curves(checkpoint).axes
    assert [list(line.get_xdata()) for line in axis.lines[:2]] == [[1, 2], [1, 2]]


def test_the_chart_has_every_method_and_its_mean(results):
    *_, scores = results
    table, _ = scoring.tabulate_scores(scores, CONFIG, 0)
    (axis,) = figures.draw_scores(table, CONFIG).axes
    assert len(axis.get_yticks()) == 9
    texts = {text.get_text() for text in axis.texts}
    assert {f"{value:.2f}" for value in table["ciede2000_mean"]} == texts
