"""The steps of colorization, each on tiles whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TileStore
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization import nodes, regions, scoring, selecting
from rovervision.pipelines.colorization.config import ColorizationConfig, FiguresConfig, SamplingConfig
from tests.pipelines.colorization.examples import CONFIG, example_tiles

INDEX = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["train", "val", "test"])), min_size=1, max_size=40
)


@given(INDEX, st.floats(0, 0.4))
def test_watched_groups_are_whole_and_none_but_training_groups(rows, frac):
    index = pd.DataFrame(rows, columns=["group", "split"]).assign(is_color=True, is_debayered=False)
    train, watched = selecting.split_monitor(index, frac)
    assert set(index["split"].iloc[np.concatenate([train, watched])]) <= {"train"}
    of_train, of_watched = set(index["group"].iloc[train]), set(index["group"].iloc[watched])
    if index.loc[index["split"] == "train", "group"].nunique() > 1:
        assert of_train.isdisjoint(of_watched)
        assert len(train) + len(watched) == (index["split"] == "train").sum()
        assert of_train
        assert of_watched


def test_a_watched_group_stays_watched_when_others_arrive():
    index = pd.DataFrame({"group": [f"g{i}" for i in range(60)], "split": "train"})
    index = index.assign(is_color=True, is_debayered=False)
    watched_before = set(index["group"].iloc[selecting.split_monitor(index[:30], 0.2)[1]])
    watched_after = set(index["group"].iloc[selecting.split_monitor(index, 0.2)[1]])
    assert watched_before
    assert watched_before <= watched_after


def test_rare_strata_are_drawn_more_often_and_equally_at_power_one():
    index = pd.DataFrame({"camera": ["x"] * 9 + ["y"], "label": [None] * 10, "weight": 1.0})
    alike = selecting.sampling_weights(index, SamplingConfig(balance=("camera", "label"), balance_power=1.0))
    assert alike[:9].sum() == pytest.approx(alike[9])
    assert (selecting.sampling_weights(index, SamplingConfig(balance=())) == 1).all()


def test_too_few_tiles_for_a_batch_is_a_sentence():
    config = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update={"batch_size": 1000})})
    tiles = example_tiles()
    with pytest.raises(RovervisionError, match=r"fewer than one batch of 1000"):
        next(nodes.train_colorizer(tiles, nodes.fit_color_priors(tiles, CONFIG), config, 0, "cpu", None))


def test_a_changed_parameter_or_tile_starts_afresh_and_nothing_else_does():
    tiles = example_tiles()
    same = selecting.fingerprint(CONFIG, 0, tiles)
    assert selecting.fingerprint(CONFIG.model_copy(update={"figures": FiguresConfig(panels=5)}), 0, tiles) == same
    assert selecting.fingerprint(CONFIG, 0, example_tiles(spoil=("val", "test"))) == same
    assert selecting.fingerprint(CONFIG, 1, tiles) != same
    assert selecting.fingerprint(ColorizationConfig(), 0, tiles) != same
    assert selecting.fingerprint(CONFIG, 0, tiles.select(np.arange(len(tiles))[::-1])) != same
    assert selecting.fingerprint(CONFIG, 0, example_tiles(spoil=("train",))) != same


def test_training_resumes_only_its_own_checkpoint():
    tiles = example_tiles()
    priors = nodes.fit_color_priors(tiles, CONFIG)
    checkpoints = [c for c, _ in nodes.train_colorizer(tiles, priors, CONFIG, 0, "cpu", None)]
    assert [c.header["epoch"] for c in checkpoints] == [0, 1, 2]
    resumed = [c for c, _ in nodes.train_colorizer(tiles, priors, CONFIG, 0, "cpu", checkpoints[1])]
    assert [c.header["epoch"] for c in resumed] == [1, 2]
    assert all(np.array_equal(t, resumed[-1].tensors[n]) for n, t in checkpoints[-1].tensors.items())
    foreign = [c for c, _ in nodes.train_colorizer(tiles, priors, CONFIG, 1, "cpu", checkpoints[1])]
    assert foreign[0].header["epoch"] == 0


def test_nothing_is_learnt_from_the_scored_split(trained):
    """Changing every pixel of val and test changes no weight."""
    tiles = example_tiles()
    other = example_tiles(spoil=("val", "test"))
    again = list(nodes.train_colorizer(other, nodes.fit_color_priors(other, CONFIG), CONFIG, 0, "cpu", None))[-1][0]
    assert all(np.array_equal(t, again.tensors[n]) for n, t in trained.tensors.items())
    assert not np.array_equal(tiles.pixels, other.pixels)


@pytest.fixture(scope="module")
def trained() -> Weights:
    tiles = example_tiles()
    return list(nodes.train_colorizer(tiles, nodes.fit_color_priors(tiles, CONFIG), CONFIG, 0, "cpu", None))[-1][0]


@pytest.fixture(scope="module")
def colorizer(trained) -> Weights:
    return nodes.finish_colorizer(trained, CONFIG)


def test_scores_have_every_method_for_every_scored_frame(colorizer):
    tiles = example_tiles()
    scores = scoring.score_colorizer(tiles, colorizer, nodes.fit_color_priors(tiles, CONFIG), CONFIG)
    frames = tiles.index.loc[(tiles.index["split"] == "test") & tiles.index["is_color"], "frame_id"].unique()
    assert set(scores["frame_id"]) == set(frames)
    assert (scores.groupby("frame_id")["method"].nunique() == 9).all()
    table, numbers = scoring.tabulate_scores(scores, CONFIG, 0)
    assert set(table["role"]) == {"baseline", "model", "oracle"}
    by_method = table.set_index("method")
    assert by_method.loc["lightness_table", "ratio_to_table"] == 1
    assert by_method.loc["gray", "chroma_ratio"] == 0
    assert by_method.loc["oracle_own_table", "gap_closed"] == pytest.approx(1)
    assert numbers["ciede2000_mean"] == by_method.loc["residual", "ciede2000_mean"]
    assert (table["ciede2000_low"] <= table["ciede2000_mean"]).all()


def test_a_frames_score_is_the_mean_over_its_tiles(colorizer):
    tiles = example_tiles()
    rows = selecting.scored_rows(tiles.index, CONFIG.scoring)
    whole = scoring.score_colorizer(tiles, colorizer, nodes.fit_color_priors(tiles, CONFIG), CONFIG)
    frame_id = tiles.index["frame_id"].iloc[rows[0]]
    lab_errors = []
    for row in rows[tiles.index["frame_id"].iloc[rows] == frame_id]:
        priors = scoring.ColorPriors.from_json(nodes.fit_color_priors(tiles, CONFIG)["as_they_come"])
        model = scoring.load_colorizer(colorizer)
        tile = scoring.score_tile(tiles, int(row), model, colorizer, priors, CONFIG.scoring)
        lab_errors += [s["ciede2000"] for s in tile if s["method"] == "gray"]
    expected = whole[(whole["frame_id"] == frame_id) & (whole["method"] == "gray")]["ciede2000"].item()
    assert len(lab_errors) > 1
    assert expected == pytest.approx(np.mean(lab_errors))


def test_a_split_without_color_is_a_sentence():
    index = example_tiles().index.assign(split="train")
    with pytest.raises(RovervisionError, match=r"split 'test' has no colour tile.*train \d+"):
        selecting.scored_rows(index, CONFIG.scoring)


def test_labels_stand_in_for_masks_only_where_there_is_none():
    unknown, known = np.zeros((4, 4), np.uint8), np.full((4, 4), 5, np.uint8)
    labels = {"ground": "terrain", "*": "hardware"}
    assert regions.region_masks(unknown, "ground", labels)["terrain"].all()
    assert regions.region_masks(unknown, "wheel", labels)["hardware"].all()
    assert not any(mask.any() for mask in regions.region_masks(unknown, None, labels).values())
    assert regions.region_masks(known, "ground", labels)["hardware"].all()


def test_watched_groups_are_in_no_table_that_the_model_learns_from():
    tiles = example_tiles()
    _, watched = selecting.split_monitor(tiles.index, CONFIG.sampling.monitor_frac)
    spoilt = tiles.pixels.copy()
    spoilt[watched] = 255 - spoilt[watched]
    before = nodes.fit_color_priors(tiles, CONFIG)
    after = nodes.fit_color_priors(TileStore(spoilt, tiles.regions, tiles.index), CONFIG)
    assert before["balanced"] == after["balanced"]
    assert before["usual"] == after["usual"]
    assert before["as_they_come"] != after["as_they_come"]


def test_debayered_tiles_are_neither_learnt_from_nor_scored():
    tiles = example_tiles()
    index = tiles.index.assign(is_debayered=tiles.index["sol"] % 8 < 4)
    rows = np.concatenate([*selecting.split_monitor(index, 0.2), selecting.scored_rows(index, CONFIG.scoring)])
    assert len(rows)
    assert not index["is_debayered"].iloc[rows].any()


def test_a_split_without_color_is_told_before_any_training():
    tiles = example_tiles()
    index = tiles.index.replace({"split": {"test": "val"}})
    with pytest.raises(RovervisionError, match="split 'test' has no colour tile"):
        nodes.fit_color_priors(TileStore(tiles.pixels, tiles.regions, index), CONFIG)


def test_clusters_balance_what_is_drawn_and_are_asked_for_only_then():
    tiles = example_tiles()
    clusters = pd.DataFrame({"tile_id": tiles.index["tile_id"], "cluster": (np.arange(len(tiles)) < 40).astype(int)})
    sampling = CONFIG.sampling.model_copy(update={"weights": "alike", "balance": ("cluster",), "balance_power": 1.0})
    weights = selecting.sampling_weights(selecting.with_clusters(tiles, clusters, sampling).index, sampling)
    np.testing.assert_allclose([weights[:40].sum(), weights[40:].sum()], 1)
    assert selecting.with_clusters(tiles, None, CONFIG.sampling) is tiles
    asked = CONFIG.model_copy(update={"sampling": sampling})
    plain, grouped = tiles, selecting.with_clusters(tiles, clusters, sampling)
    other = selecting.with_clusters(tiles, clusters.assign(cluster=0), sampling)
    prints = [selecting.fingerprint(asked, 0, each) for each in (plain, grouped, other)]
    assert len(set(prints)) == 3
    for known, sentence in (
        (None, "no clusters have been found"),
        (clusters.iloc[3:], "3 of 48 tiles have no cluster"),
    ):
        with pytest.raises(RovervisionError, match=sentence):
            nodes.fit_color_priors(tiles, asked, known)
