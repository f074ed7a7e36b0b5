"""Scores of generated tiles: the floor is real, copies are found out, and nothing is judged on what was learnt."""

import numpy as np
import pytest

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.pipelines.diffusion.scoring import (
    GAUSSIAN,
    GENERATED,
    REAL,
    distances,
    fit_judge,
    gaussian_tiles,
    score_tiles,
)
from rovervision.pipelines.diffusion.selecting import chosen_tiles, trained_rows
from tests.pipelines.diffusion.examples import CONFIG, changed, example_tiles


@pytest.fixture(scope="module")
def judge():
    return fit_judge(example_tiles(), CONFIG, 0, "cpu")


@pytest.fixture(scope="module")
def scored(generated, judge):
    return score_tiles(example_tiles(), generated, judge, changed(scoring={"also": "held_out"}), 0)


def test_every_method_is_scored_against_every_reference(scored):
    table, numbers, _ = scored
    pairs = [(r, m) for r in ("test", "held_out") for m in (GENERATED, REAL, GAUSSIAN)]
    assert list(zip(table["reference"], table["method"], strict=True)) == pairs
    assert (table["tiles"] == 12).all()
    own = table[(table["reference"] == "test") & (table["method"] == GENERATED)].iloc[0]
    floor = table[(table["reference"] == "test") & (table["method"] == REAL)].iloc[0]
    assert numbers["frechet"] == own["frechet"]
    assert numbers["frechet_floor"] == floor["frechet"]
    assert own["frechet_ratio"] == pytest.approx(own["frechet"] / floor["frechet"])
    assert floor["frechet_ratio"] == 1
    assert own["frechet"] > floor["frechet"]  # two epochs of eight channels deceive nobody


def test_copies_are_found_out_and_tiles_of_other_groups_are_none(scored, generated, judge):
    by_method = scored[0].drop_duplicates("method").set_index("method")
    assert (by_method.loc[REAL, ["memorised_share", "memorised_share_pixels"]] < 0.5).all()
    assert by_method.loc[GENERATED, "memorised_share_pixels"] == 0
    train = chosen_tiles(example_tiles(), trained_rows(example_tiles().index, CONFIG)[0], 16)
    copied = TileStore(train.pixels[: len(generated)], generated.regions, generated.index)
    copies = score_tiles(example_tiles(), copied, judge, CONFIG, 0)[0].iloc[0]
    assert copies[["memorised_share", "memorised_share_pixels"]].tolist() == [1, 1]


def test_distances_to_others_pass_over_the_own_group():
    many = np.array([[0.0], [1.0], [5.0]], np.float32)
    groups = np.array(["a", "a", "b"])
    assert distances(many, None, many, groups).tolist() == [0, 0, 0]
    assert distances(many, groups, many, groups).tolist() == [5, 4, 4]
    assert np.isinf(distances(many[:2], groups[:2], many[:2], groups[:2])).all()


def test_neighbours_are_the_nearest(scored, generated):
    table = scored[2]
    train = chosen_tiles(example_tiles(), trained_rows(example_tiles().index, CONFIG)[0], 16)
    assert (table["part"] == "generated").sum() == len(generated)
    first = table.iloc[0]
    named = train.pixels[train.index["tile_id"].tolist().index(first["training_tile"])].astype(float)
    assert first["pixel_distance"] == pytest.approx(np.sqrt(((generated.pixels[0] - named) ** 2).mean()), rel=1e-4)


def test_the_judge_has_seen_training_tiles_alone(judge):
    again = fit_judge(example_tiles(spoil=("val", "test")), CONFIG, 0, "cpu")
    assert all(np.array_equal(tensor, again.tensors[name]) for name, tensor in judge.tensors.items())


def test_a_gaussian_has_the_mean_and_spread_of_its_tiles():
    pixels = chosen_tiles(example_tiles(), np.arange(60), 16).pixels
    drawn = gaussian_tiles(pixels, 400, np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(pixels.mean(), abs=4)
    assert drawn.mean(axis=(1, 2, 3)).std() == pytest.approx(pixels.mean(axis=(1, 2, 3)).std(), rel=0.2)


def test_too_few_tiles_are_a_sentence(generated, judge):
    few = TileStore(generated.pixels[:2], generated.regions[:2], generated.index.iloc[:2])
    with pytest.raises(RovervisionError, match=r"There are 2 generated tiles .* at least 4"):
        score_tiles(example_tiles(), few, judge, CONFIG, 0)
    tiles = example_tiles()
    alone = tiles.select((tiles.index["split"] == "train").to_numpy())
    with pytest.raises(
        RovervisionError, match=r"There are 0 colour tiles to compare .*Set diffusion.scoring.reference"
    ):
        score_tiles(alone, generated, judge, CONFIG, 0)
