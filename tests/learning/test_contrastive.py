"""The contrastive loss agrees with its definition, and the metric of likes with its promise."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rovervision.learning.code_metric import CodeMetric, MetricConfig, fit_metric, relevant_components
from rovervision.learning.contrastive import ContrastiveConfig, ContrastiveNetwork, find_each_other
from rovervision.learning.training import seeded
from rovervision.learning.watched_groups import watched_groups


def heads(n: int = 6) -> torch.Tensor:
    return F.normalize(torch.from_numpy(np.random.default_rng(0).standard_normal((n, 5))), dim=1)


def slow_loss(z: torch.Tensor, temperature: float, sequences: list[int]) -> float:
    half, total = len(z) // 2, 0.0
    for row in range(len(z)):
        partner = (row + half) % len(z)
        others = [o for o in range(len(z)) if o == partner or (o != row and sequences[o] != sequences[row])]
        total += -math.log(
            math.exp(float(z[row] @ z[partner]) / temperature)
            / sum(math.exp(float(z[row] @ z[o]) / temperature) for o in others)
        )
    return total / len(z)


@pytest.mark.parametrize("sequences", [[0, 1, 2, 3, 4, 5], [0, 0, 1, 0, 0, 1], [0] * 6])
def test_the_loss_is_its_definition(sequences):
    found = find_each_other(heads(), 0.3, torch.tensor(sequences))
    assert float(found) == pytest.approx(slow_loss(heads(), 0.3, sequences), rel=1e-6)


def test_without_sequences_all_others_are_told_apart():
    assert float(find_each_other(heads(), 0.3, None)) == pytest.approx(slow_loss(heads(), 0.3, list(range(6))))


def test_codes_of_a_network_in_use_do_not_know_their_mates():
    with seeded(0):
        network = ContrastiveNetwork(ContrastiveConfig(input_px=16)).eval()
    unit = torch.rand(5, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(network(unit)[2:3], network(unit[2:3]), atol=1e-6, rtol=1e-5)
    assert network(unit).shape == (5, network.dim)
    assert sum(p.numel() for p in network.parameters()) < 1.5e6


def codes(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of likes that differ widely in the last two of six directions, and little in the others."""
    rng = np.random.default_rng(0)
    own = np.repeat(rng.standard_normal((n // 2, 6)), 2, axis=0)
    noise = rng.standard_normal((n, 6)) * np.array([0.1, 0.1, 0.1, 0.1, 3, 3])
    return (own + noise).astype(np.float32), np.arange(n).reshape(-1, 2)


@pytest.mark.parametrize("ridge", [0.01, 0.5])
def test_likes_differ_alike_in_all_directions_of_the_metric(ridge):
    points, pairs = codes()
    spread, within = points.var(axis=0).mean(), np.zeros((6, 6))
    for one, two in pairs:
        within += np.outer(points[one] - points[two], points[one] - points[two]) / 2
    within = (within + 6 * spread * np.eye(6)) / (len(pairs) + 6) + ridge * spread * np.eye(6)
    matrix = relevant_components(points, pairs, ridge).astype(np.float64)
    evened = matrix @ within @ matrix
    np.testing.assert_allclose(evened / evened[0, 0], np.eye(6), atol=1e-4)


def test_few_pairs_say_little_and_many_much():
    points, pairs = codes(2000)

    def stretch(some: np.ndarray) -> float:
        values = np.linalg.eigvalsh(relevant_components(points, some, 1e-3))
        return float(values[-1] / values[0])

    assert 1 < stretch(pairs[:2]) < 0.5 * stretch(pairs[:20]) < 0.5 * stretch(pairs)


def test_the_metric_brings_likes_together():
    points, pairs = codes(2000)
    metric = fit_metric([points], pairs, (1.0,), MetricConfig(ridge=1e-4))

    def nearest_is_like(found: np.ndarray) -> float:
        apart = np.linalg.norm(found[:, None] - found[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        return float((apart.argmin(axis=1) // 2 == np.arange(len(found)) // 2).mean())

    assert nearest_is_like(metric.apply([points])) > 3 * nearest_is_like(points)


def test_without_pairs_all_directions_count_alike():
    points, _ = codes()
    matrix = relevant_components(points, np.empty((0, 2), np.int64), 0.1)
    np.testing.assert_allclose(matrix, matrix[0, 0] * np.eye(6), atol=1e-6)


def test_shares_say_how_much_each_part_counts():
    points, pairs = codes()
    metric = fit_metric([points, 100 * points[:, :3]], pairs, (0.8, 0.2), MetricConfig(kind="plain"))
    joined = metric.apply([points, 100 * points[:, :3]])
    np.testing.assert_allclose((joined[:, :6] ** 2).sum(1), 0.8, atol=1e-5)
    np.testing.assert_allclose((joined[:, 6:] ** 2).sum(1), 0.2, atol=1e-5)


def test_one_plain_encoder_stays_as_it_is():
    points, pairs = codes()
    np.testing.assert_array_equal(
        fit_metric([points], pairs, (1.0,), MetricConfig(kind="plain")).apply([points]), points
    )


@pytest.mark.parametrize("kind", ["plain", "relevant"])
def test_a_metric_comes_back_from_its_tensors(kind):
    points, pairs = codes()
    metric = fit_metric([points, points[:, :2]], pairs, (0.5, 0.5), MetricConfig(kind=kind))
    kept = {name.removeprefix("metric."): tensor for name, tensor in metric.tensors().items()}
    restored = CodeMetric.restore(kept, (0.5, 0.5))
    parts = [points, points[:, :2]]
    np.testing.assert_array_equal(restored.apply(parts), metric.apply(parts))


def test_whole_groups_are_watched_and_stay_where_they_are():
    groups = [f"g{i // 3}" for i in range(60)]
    watched = watched_groups(groups, 0.3)
    assert 0 < watched.sum() < 60
    assert all(len(set(watched[i : i + 3])) == 1 for i in range(0, 60, 3))
    more = watched_groups([*groups, "new"], 0.3)
    assert (more[:60] == watched).all()
    assert watched_groups(["a", "b"], 0.0).sum() == 1
    assert watched_groups(["a", "a"], 0.5).sum() == 0
