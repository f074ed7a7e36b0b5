"""Figures say what the numbers say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rovervision.imaging.tiles import TileStore
from rovervision.pipelines.colorization import figures, nodes, sampling, scoreboard, scoring
from rovervision.pipelines.colorization.figures.panels import pick_frames
from rovervision.sources.regions import UNKNOWN
from tests.pipelines.colorization.examples import CONFIG, example_tiles


@pytest.fixture(scope="module")
def results():
    tiles = example_tiles()
    priors = nodes.fit_color_priors(tiles, CONFIG)
    checkpoint = list(nodes.train_colorizer(tiles, priors, CONFIG, 0, "cpu", None))[-1][0]
    colorizer = nodes.finish_colorizer(checkpoint, CONFIG)
    return tiles, checkpoint, colorizer, scoring.score_colorizer(tiles, colorizer, priors, CONFIG)


@pytest.fixture(scope="module")
def samples(results) -> pd.DataFrame:
    tiles, _, colorizer, _ = results
    return sampling.sample_predictions(tiles, colorizer, CONFIG, 0)


@pytest.fixture(scope="module")
def board(results) -> pd.DataFrame:
    _, _, colorizer, scores = results
    table, _ = scoring.tabulate_scores(scores, CONFIG, 0)
    return scoreboard.update_scoreboard(pd.DataFrame(), table, scores, colorizer, CONFIG)


def test_no_figure_is_left_in_pyplot(results, samples, board):
    tiles, checkpoint, colorizer, scores = results
    table, metrics = scoring.tabulate_scores(scores, CONFIG, 0)
    drawn = [
        figures.draw_panels(tiles, colorizer, scores, CONFIG),
        figures.draw_extremes(tiles, colorizer, scores, CONFIG),
        figures.draw_learning_curves(checkpoint),
        figures.draw_scores(table, CONFIG),
        figures.draw_ab_histograms(samples),
        figures.draw_lightness_scatter(samples),
        figures.draw_reliability(sampling.calibrate_doubt(samples), samples, metrics),
        figures.draw_comparison(board),
    ]
    assert all(figure.axes for figure in drawn)
    assert plt.get_fignums() == []


def test_panels_show_the_best_and_the_worst_frame_of_each_region(results):
    tiles, _, colorizer, scores = results
    own = scores[scores["method"] == "residual"]
    picks = pick_frames(tiles, own, CONFIG)
    assert [(pick.region, pick.rank) for pick in picks] == [
        ("terrain", "best"), ("terrain", "worst"), ("hardware", "best"), ("hardware", "worst"),
    ]  # fmt: skip
    for pick, by in zip(picks, ("terrain", "terrain", "hardware", "hardware"), strict=True):
        edge = own[f"ciede2000_{by}"].min() if pick.rank == "best" else own[f"ciede2000_{by}"].max()
        frame = own[own["frame_id"] == tiles.index["frame_id"].iloc[pick.row]].iloc[0]
        assert frame[f"ciede2000_{by}"] == edge
    figure = figures.draw_panels(tiles, colorizer, scores, CONFIG)
    truths = [axis.images[0].get_array() for axis in figure.axes if axis.images][2::5]
    for truth, pick in zip(truths, picks, strict=True):
        np.testing.assert_array_equal(truth, tiles.pixels[pick.row])


def test_panels_of_an_archive_without_regions_show_all_frames(results):
    tiles, _, colorizer, scores = results
    blind = TileStore(tiles.pixels, np.full_like(tiles.regions, UNKNOWN), tiles.index)
    unknown = scores.assign(ciede2000_sky=np.nan, ciede2000_terrain=np.nan, ciede2000_hardware=np.nan)
    picks = pick_frames(blind, unknown[unknown["method"] == "residual"], CONFIG)
    assert [pick.region for pick in picks] == ["image", "image"]
    assert figures.draw_panels(blind, colorizer, unknown, CONFIG).axes


def test_extremes_show_a_scene_once_and_carry_its_error(results):
    tiles, _, colorizer, scores = results
    figure = figures.draw_extremes(tiles, colorizer, scores, CONFIG)
    shown = [float(axis.get_title(loc="left")) for axis in figure.axes if axis.images]
    own = scores[scores["method"] == "residual"]["ciede2000"]
    assert shown[0] == pytest.approx(own.max(), abs=0.05)
    assert min(shown) == pytest.approx(own.min(), abs=0.05)
    captions = [axis.get_title(loc="right") for axis in figure.axes if axis.images]
    assert len(captions) == len(set(captions)) == 4  # four cameras and sols: less than twice three


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


def test_reliability_says_in_words_what_it_draws(samples):
    calibration = sampling.calibrate_doubt(samples)
    figure = figures.draw_reliability(calibration, samples, {"doubt_rank": 0.41, "doubt_rank_frames": 0.77})
    said = figure.axes[0].get_title(loc="left")
    assert f"expects an error of {samples['doubt'].mean():.2f} and makes one of {samples['error'].mean():.2f}" in said
    assert "0.41 for pixels" in said
    assert "0.77 for frames" in said
    line = figure.axes[0].lines[1]
    np.testing.assert_allclose(line.get_ydata(), calibration["error_mean"])


def test_a_kind_without_doubt_gets_figures_that_say_so(samples):
    without = samples.assign(doubt=np.float32(np.nan))
    figure = figures.draw_reliability(sampling.calibrate_doubt(without), without, {})
    assert "no doubt" in figure.texts[-1].get_text()
    assert figures.draw_ab_histograms(without).axes
    assert figures.draw_lightness_scatter(without).axes


def test_the_comparison_has_a_line_for_each_colorizer_on_the_same_data(board):
    other = board.assign(recipe="another", name=board["name"].replace("residual own widths", "classification xs"))
    elsewhere = board.assign(scored_data="other tiles", name="far away")
    figure = figures.draw_comparison(pd.concat([elsewhere, other, board], ignore_index=True))
    names = [label.get_text().partition("\n")[0] for label in figure.axes[0].get_yticklabels()]
    assert sorted(names) == ["classification xs", "residual own widths"]
    mean = board.loc[board["role"] == "model", "ciede2000_mean"].item()
    assert f"{mean:.2f}" in {text.get_text() for text in figure.axes[0].texts}
