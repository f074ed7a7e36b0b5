"""How good codes are, whatever the clusters: a linear probe, and neighbours from other sols."""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rovervision.errors import RovervisionError
from rovervision.learning.cluster_scores import known_rows
from rovervision.learning.code_space import check_codes, fit_space

_CELLS = 2**24
"""Distances that are in memory at once: 64 MiB."""

_STEPS = 300


def probe(
    codes: NDArray[np.floating], labels: ArrayLike, splits: ArrayLike, strength: float = 0.01
) -> dict[str, float]:
    """Return how well a linear classifier tells the labels: fit on split train, scored on val.

    Multinomial logistic regression with an L2 penalty on codes standardised by the train split (Alain & Bengio 2016;
    the usual test of representations). A label that the train split lacks counts as an error.

    Args:
        codes: (N, D).
        labels: (N,) words or numbers; None, NaN and "" are unknown and play no part.
        splits: (N,) train, val, or others, which play no part.
        strength: C, the inverse of the penalty.

    Returns:
        probe_accuracy; probe_macro_f1, the mean F1 of the classes of the train split that occur in val;
        probe_balanced_accuracy, the mean recall of these; probe_train_accuracy, to tell learning from learning by
        heart. Nothing where the train split has fewer than two classes, or val is empty.

    Raises:
        RovervisionError: lengths differ, or codes are not finite.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score, recall_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    check_codes(codes)
    true, parts = _strings(labels, len(codes)), np.asarray(splits, dtype=object)
    known = known_rows(labels)
    learn, judge = known & (parts == "train"), known & (parts == "val")
    if len(np.unique(true[learn])) < 2 or not judge.any():
        return {}
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=_STEPS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that more steps would change the third digit
        model.fit(codes[learn], true[learn])
    told = model.predict(codes[judge])
    common = sorted(set(true[learn]) & set(true[judge]))
    options = {"labels": common, "average": "macro", "zero_division": 0.0}
    return {
        "probe_accuracy": float(np.mean(told == true[judge])),
        "probe_macro_f1": float(f1_score(true[judge], told, **options)) if common else 0.0,
        "probe_balanced_accuracy": float(recall_score(true[judge], told, **options)) if common else 0.0,
        "probe_train_accuracy": float(np.mean(model.predict(codes[learn]) == true[learn])),
    }


def cross_sol_neighbours(
    codes: NDArray[np.floating], labels: ArrayLike, groups: ArrayLike, count: int = 5, dim: int | None = 64
) -> dict[str, float]:
    """Return how often the nearest codes of other groups vote for a tile's own label: neighbour_accuracy.

    Neighbours of the same group are left out, for frames of one drive or one day are alike without any
    understanding. Distances are those of angles among the main axes, as in k-means' space; among equal votes the label
    of the nearest counts.

    Args:
        codes: (N, D).
        labels: (N,) words or numbers; None, NaN and "" are unknown and play no part.
        groups: (N,) what a tile may not share with its neighbours: the split group of curation, or the sol.
        count: neighbours that vote.
        dim: main axes; None: all directions.

    Returns:
        neighbour_accuracy and neighbour_error = 1 - it. Nothing where no two groups have labels.

    Raises:
        RovervisionError: lengths differ, or codes are not finite or all the same.
    """
    check_codes(codes)
    known = np.flatnonzero(known_rows(labels))
    true = np.unique(_strings(labels, len(codes))[known], return_inverse=True)[1]
    group = np.unique(_strings(groups, len(codes))[known], return_inverse=True)[1]
    if not len(known) or group.max() == 0:
        return {}
    places = fit_space(codes[known], dim, True, seed=0).project(codes[known])
    rows, step = np.arange(len(known)), max(1, _CELLS // len(known))
    right = sum(
        int(np.sum(_voted(places, true, group, rows[at : at + step], count) == true[at : at + step]))
        for at in range(0, len(known), step)
    )
    return {"neighbour_accuracy": right / len(known), "neighbour_error": 1 - right / len(known)}


def _voted(
    places: NDArray[np.float32], true: NDArray[np.intp], group: NDArray[np.intp], rows: NDArray[np.intp], count: int
) -> NDArray[np.intp]:
    """Return the label that the nearest places of other groups vote for; -1 where there are none. (R,)"""
    apart = 1 - places[rows] @ places.T  # half the squared distance, for places of length one
    apart[group[rows, None] == group[None]] = np.inf
    count = min(count, len(places))
    near = np.argpartition(apart, count - 1, axis=1)[:, :count]
    near = np.take_along_axis(near, np.argsort(np.take_along_axis(apart, near, 1), axis=1, kind="stable"), 1)
    usable = np.isfinite(np.take_along_axis(apart, near, 1))
    voters = np.where(usable, true[near], -1)
    votes = (voters[:, :, None] == voters[:, None, :]).sum(2) * usable
    return voters[np.arange(len(rows)), votes.argmax(1)]  # the first of the most: the nearest


def _strings(values: ArrayLike, length: int) -> NDArray[np.str_]:
    found = np.asarray(values, dtype=object).astype(str)
    if len(found) != length:
        raise RovervisionError(f"There are {len(found)} labels or groups for {length} codes: they are of other tiles.")
    return found
