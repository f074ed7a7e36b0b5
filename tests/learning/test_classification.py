"""Colours as classes: encoding, decoding and rebalancing, against slow references."""

import numpy as np
import pytest
import torch

from rovervision.learning.classification import NEIGHBOURS, SOFT_SIGMA, mean_color, soft_encoding
from rovervision.learning.colorizers import ClassificationConfig, ModelConfig, build_colorizer
from rovervision.learning.training import seeded
from tests.learning.test_kinds import BINS, CONFIGS, tables

CENTERS = torch.tensor([[5.0 * i, 5.0 * j] for i in range(-2, 6) for j in range(-2, 8)])


def test_soft_encoding_is_the_gaussian_over_the_nearest_bins():
    ab = torch.tensor([[7.0, 16.0], [-30.0, 100.0]]).T.view(1, 2, 1, 2)
    index, share = soft_encoding(ab, CENTERS)
    for pixel in range(2):
        squared = ((CENTERS - ab[0, :, 0, pixel]) ** 2).sum(1).double()
        nearest = squared.argsort()[:NEIGHBOURS]
        assert set(index[0, :, 0, pixel].tolist()) == set(nearest.tolist())
        expected = torch.exp(-squared[index[0, :, 0, pixel]] / (2 * SOFT_SIGMA**2))
        expected /= expected.sum()
        torch.testing.assert_close(share[0, :, 0, pixel].double(), expected, atol=1e-4, rtol=1e-4)


def test_a_color_survives_encoding_and_plain_mean():
    ab = torch.rand(1, 2, 8, 8) * 15
    index, share = soft_encoding(ab, CENTERS)
    shares = torch.zeros(1, len(CENTERS), 8, 8).scatter(1, index, share)
    decoded = mean_color((shares + 1e-12).log(), CENTERS, 1.0)
    assert (decoded - ab).abs().max() < 2.5  # half a bin


def test_temperature_goes_from_the_likeliest_to_the_mean():
    shares = torch.tensor([0.5, 0.3, 0.2])
    centers = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    logits = shares.log().view(1, 3, 1, 1)
    cold, warm = (mean_color(logits, centers, t).flatten().tolist() for t in (0.01, 1.0))
    assert cold == pytest.approx([0, 0], abs=1e-3)
    assert warm == pytest.approx([3, 2], abs=1e-4)


def test_untrained_it_gives_the_annealed_mean_of_the_shares_and_doubts_by_their_spread():
    with seeded(0):
        model = build_colorizer(tables(), CONFIGS["classification"], BINS).eval()
    lightness = torch.rand(1, 1, 8, 8) * 100
    with torch.no_grad():
        ab, doubt = model.correction(lightness), model.doubt(lightness)
    expected = torch.from_numpy(BINS.centers.mean(0)).view(1, 2, 1, 1)
    torch.testing.assert_close(ab, expected.expand_as(ab), atol=1e-4, rtol=0)
    assert doubt.min() > 2
    model.to_bins.bias.data[2] += 30
    assert model.doubt(lightness).max() < 0.1


def test_rare_colors_cost_more_where_classes_are_rebalanced():
    rare = BINS.__class__(BINS.centers, np.array([0.97, 0.01, 0.01, 0.01], np.float32))

    def cost(uniform_share: float, ab: torch.Tensor) -> float:
        classification = ClassificationConfig(widths=(8, 16), blocks=1, uniform_share=uniform_share)
        with seeded(0):
            model = build_colorizer(tables(), ModelConfig(kind="classification", classification=classification), rare)
        model.to_bins.bias.data.zero_()
        truth = ab.view(1, 2, 1, 1).expand(1, 2, 4, 4)
        with torch.no_grad():
            return float(model.loss(torch.full((1, 1, 16, 16), 50.0), torch.zeros(1, dtype=torch.int64), truth))

    common, seldom = torch.tensor([0.0, 0.0]), torch.tensor([15.0, 30.0])
    assert cost(1.0, seldom) == pytest.approx(cost(1.0, common), rel=1e-4)
    assert cost(0.5, seldom) > 1.3 * cost(0.5, common)
