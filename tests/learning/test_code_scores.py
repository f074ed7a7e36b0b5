"""Scores of codes: a linear probe, and neighbours of other sols."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.learning.code_scores import cross_sol_neighbours, probe
from tests.learning.code_examples import blobs


def halves(n_rows: int) -> np.ndarray:
    return np.where(np.arange(n_rows) < n_rows // 2, "train", "val")


def test_a_probe_reads_what_is_written() -> None:
    codes, true = blobs()
    scores = probe(codes, true.astype(str), halves(300))
    assert scores["probe_accuracy"] == scores["probe_macro_f1"] == scores["probe_train_accuracy"] == 1


def test_a_probe_finds_nothing_in_noise() -> None:
    rng = np.random.default_rng(0)
    scores = probe(rng.normal(size=(2000, 8)), rng.integers(4, size=2000), halves(2000))
    assert scores["probe_accuracy"] == pytest.approx(0.25, abs=0.05)


def test_a_probe_never_sees_what_it_is_scored_on() -> None:
    codes, true = blobs(spread=2.0)
    learnt = probe(codes, true, halves(300))["probe_train_accuracy"]
    shuffled = np.where(halves(300) == "val", np.random.default_rng(0).permutation(true), true)
    other = probe(codes, shuffled, halves(300))
    assert other["probe_train_accuracy"] == learnt
    assert other["probe_accuracy"] < 0.5


def test_scale_and_names_play_no_part_in_a_probe() -> None:
    codes, true = blobs(spread=2.0)
    names = np.array(list("edcba"))[true]
    scaled = codes * np.logspace(-2, 2, codes.shape[1]) + 7
    assert probe(scaled, names, halves(300)) == pytest.approx(probe(codes, true, halves(300)), abs=0.02)


def test_macro_f1_and_recall_are_means_of_classes_that_were_learnt_and_occur() -> None:
    # by hand: one number decides; 'a' below 0, 'b' above; 'c' was never learnt, 'd' never occurs
    train = np.array([[-5.0], [-5.1], [5.0], [5.1], [50.0], [50.1]])
    val = np.array([[-5.0], [-5.0], [-5.0], [5.0], [5.0], [-5.0]])
    labels = np.array([*"aabbdd", *"aaabbc"])
    scores = probe(np.concatenate([train, val]), labels, np.array(["train"] * 6 + ["val"] * 6), strength=100)
    assert scores["probe_accuracy"] == pytest.approx(5 / 6)
    f1_a, f1_b = 2 * 3 / (2 * 3 + 1 + 0), 1.0
    assert scores["probe_macro_f1"] == pytest.approx((f1_a + f1_b) / 2)
    assert scores["probe_balanced_accuracy"] == 1


def test_a_probe_without_anything_to_learn_says_nothing() -> None:
    codes, true = blobs(n_rows=20)
    assert probe(codes, [None] * 20, halves(20)) == {}
    assert probe(codes, ["same"] * 20, halves(20)) == {}
    assert probe(codes, true, ["train"] * 20) == {}


def slow_neighbours(codes: np.ndarray, labels: np.ndarray, groups: np.ndarray, count: int) -> float:
    centred = codes - codes.mean(0)
    units = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    right = 0
    for row in range(len(codes)):
        others = [each for each in range(len(codes)) if groups[each] != groups[row]]
        near = sorted(others, key=lambda each: np.linalg.norm(units[each] - units[row]))[:count]
        votes = [labels[each] for each in near]
        right += bool(votes) and max(votes, key=votes.count) == labels[row]  # max takes the first: the nearest
    return right / len(codes)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 7))
def test_neighbours_vote_as_in_a_slow_loop(seed: int, n_groups: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.normal(size=(25, 3))
    labels, groups = rng.integers(3, size=25), rng.integers(n_groups, size=25)
    found = cross_sol_neighbours(codes, labels, groups, count, dim=None)
    if len(set(groups)) > 1:
        assert found["neighbour_accuracy"] == pytest.approx(slow_neighbours(codes, labels, groups, count))
        assert found["neighbour_error"] == pytest.approx(1 - found["neighbour_accuracy"])


def test_neighbours_of_the_same_sol_do_not_vote() -> None:
    """A code that tells the sol and nothing else looks perfect, where the same sol may vote."""
    sols = np.arange(200) // 10
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(20, 8))[sols] + rng.normal(0, 0.01, (200, 8))
    labels = rng.integers(4, size=20)[sols]
    each_alone = np.arange(200)
    assert cross_sol_neighbours(codes, labels, each_alone)["neighbour_accuracy"] == 1
    assert cross_sol_neighbours(codes, labels, sols)["neighbour_accuracy"] < 0.6


def test_neighbours_are_found_in_parts_as_in_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, true = blobs(spread=2.5)
    whole = cross_sol_neighbours(codes, true, np.arange(300) // 7)
    monkeypatch.setattr("rovervision.learning.code_scores._CELLS", 300 * 11)
    assert cross_sol_neighbours(codes, true, np.arange(300) // 7) == whole
    assert 0.3 < whole["neighbour_accuracy"] < 1


def test_what_has_no_label_neither_votes_nor_counts() -> None:
    codes, true = blobs(n_rows=100, spread=2.0)
    labels = true.astype(object)
    labels[::3] = None
    kept = np.flatnonzero(np.arange(100) % 3)
    groups = np.arange(100) // 4
    assert cross_sol_neighbours(codes, labels, groups) == cross_sol_neighbours(codes[kept], true[kept], groups[kept])
    assert cross_sol_neighbours(codes, [None] * 100, groups) == {}
    assert cross_sol_neighbours(codes, true, ["one"] * 100) == {}


def test_bad_codes_are_refused() -> None:
    codes, true = blobs(n_rows=20)
    with pytest.raises(RovervisionError, match="not finite"):
        probe(np.full((20, 3), np.nan), true, halves(20))
    with pytest.raises(RovervisionError, match="19 labels or groups for 20 codes"):
        cross_sol_neighbours(codes, true[:19], np.arange(20))
    with pytest.raises(RovervisionError, match="All 20 codes are the same"):
        cross_sol_neighbours(np.ones((20, 3)), true, np.arange(20))
