"""Figures: each shows what it says, and can be drawn from the smallest run."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from rovervision.pipelines.diffusion import figures
from rovervision.pipelines.diffusion.nodes import measure_losses
from rovervision.pipelines.diffusion.scoring import fit_judge, score_tiles
from tests.pipelines.diffusion.examples import CONFIG, changed, example_tiles


@pytest.fixture(scope="module")
def scored(generated):
    return score_tiles(example_tiles(), generated, fit_judge(example_tiles(), CONFIG, 0, "cpu"), CONFIG, 0)


def texts(figure: Figure) -> str:
    figure.canvas.draw()
    return " | ".join(str(each.get_text()) for each in figure.findobj(lambda a: hasattr(a, "get_text")))


def test_the_class_grid_has_a_row_for_each_class(generated):
    figure = figures.draw_class_grid(generated, CONFIG)
    counts = generated.index["label"].value_counts()
    assert len(figure.axes) == len(counts)
    assert all(f"{name}\n{count}" in texts(figure) for name, count in counts.items())


def test_real_and_generated_stand_side_by_side(generated):
    figure = figures.draw_real_and_generated(example_tiles(), generated, CONFIG)
    assert "real" in texts(figure)
    real, made = (np.asarray(axis.images[0].get_array()) for axis in figure.axes)
    assert real.shape == made.shape
    assert np.array_equal(made[:16, :16], generated.pixels[0])


def test_the_path_ends_at_the_tile(denoiser, generated):
    figure = figures.draw_denoising_path(denoiser, CONFIG, 0, "cpu")
    assert "σ = 80" in texts(figure)
    last = np.asarray(figure.axes[4].images[0].get_array())
    assert np.abs(last.astype(int) - generated.pixels[0]).max() <= 1


def test_both_curves_name_what_is_held_out(checkpoints, denoiser):
    losses = measure_losses(example_tiles(), denoiser, CONFIG, 0, "cpu")
    figure = figures.draw_losses(checkpoints[-1], losses)
    named = [text.get_text() for axis in figure.axes for text in axis.get_legend().get_texts()]
    parts = ["training tiles", "held-out tiles"]
    assert named == [*parts, f"kept: epoch {checkpoints[-1].header['best_epoch']}", *parts]


def test_pairs_are_numbered_by_how_near_they_are(generated, scored):
    figure = figures.draw_neighbours(example_tiles(), generated, scored[2], CONFIG)
    assert len(figure.axes) == 12
    closest = scored[2][scored[2]["part"] == "generated"].nsmallest(1, "distance").iloc[0]
    assert np.array_equal(np.asarray(figure.axes[0].images[0].get_array()), generated.pixels[int(closest["row"])])


def test_the_chart_shows_every_score_of_the_first_reference(scored):
    figure = figures.draw_score_chart(scored[0])
    assert len(figure.axes) == 8
    assert "12 tiles of each kind" in texts(figure)
    assert f"{scored[0]['frechet'].iloc[0]:.3g}" in texts(figure)


def test_a_negative_kernel_distance_can_be_drawn(scored):
    table = pd.DataFrame(scored[0]).assign(kernel=-0.01)
    texts(figures.draw_score_chart(table))


def test_more_classes_than_rows_are_cut(generated):
    assert len(figures.draw_class_grid(generated, changed(figures={"side_tiles": 2})).axes) <= 2
