"""Laws of a colorizer."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.imaging.color_priors import ColorPriors
from rovervision.learning.colorizers import (
    COARSE,
    ModelConfig,
    ResidualColorizer,
    ResidualConfig,
    build_colorizer,
    number_cameras,
    stack_tables,
)
from rovervision.learning.training import seeded

SMALL = ModelConfig(residual=ResidualConfig(widths=(8, 16), blocks=1))


def small(**options) -> ModelConfig:
    return SMALL.model_copy(update={"residual": SMALL.residual.model_copy(update=options)})


def tables() -> torch.Tensor:
    """The table of any camera, and those of two more."""
    level = torch.arange(101.0)
    shared = torch.stack([level / 10, 30 - level / 5], dim=1)
    return torch.stack([shared, shared + 3, shared - 3])


def disturbed(config: ModelConfig = SMALL) -> ResidualColorizer:
    """A model with no zero left in it, as after training."""
    with seeded(1):
        model = build_colorizer(tables(), config)
        for parameter in model.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
    return model.eval()


def test_an_untrained_colorizer_is_the_table():
    lightness = torch.rand(2, 1, 16, 24) * 100
    with seeded(0):
        model = build_colorizer(tables(), SMALL)
    expected = torch.cat([lightness / 10, 30 - lightness / 5], dim=1)
    torch.testing.assert_close(model(lightness), expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(
        model(lightness, torch.tensor([0, 1])), expected + torch.tensor([0, 3.0]).view(2, 1, 1, 1)
    )


@torch.no_grad()
def test_a_camera_changes_its_own_image_only():
    model = disturbed()
    batch = torch.rand(3, 1, 16, 16) * 100
    any_camera, second = model(batch), model(batch, torch.tensor([0, 2, 0]))
    torch.testing.assert_close(second[[0, 2]], any_camera[[0, 2]])
    assert (second[1] - any_camera[1]).abs().max() > 1


@torch.no_grad()
def test_in_use_the_network_is_trusted_by_a_part():
    sure, wary = (disturbed(small(trust=trust)) for trust in (1.0, 0.5))
    lightness = torch.rand(1, 1, 16, 16) * 100
    torch.testing.assert_close(wary.correction(lightness), sure.correction(lightness) / 2)
    torch.testing.assert_close(wary.look_up(lightness), sure.look_up(lightness))


def test_starting_tables_stand_between_all_cameras_and_each():
    table = np.ones((101, 2), np.float32)
    by_camera = {"curiosity/mahli": 3 * table, "unknown/unknown": 9 * table, "curiosity/unknown": 9 * table}
    stacked, names = stack_tables(ColorPriors(table[0], table, by_camera, 1.0), camera_share=0.5)
    assert names == ("curiosity/mahli",)
    assert stacked.shape == (2, 101, 2)
    assert (stacked[0] == 1).all()
    assert (stacked[1] == 2).all()


def test_a_camera_never_met_is_any_camera():
    assert number_cameras(["b", "x", "a"], ("a", "b")).tolist() == [2, 0, 1]


@torch.no_grad()
def test_an_output_never_depends_on_its_batch_mates():
    model = disturbed(small(dropout=0.0))
    batch = torch.rand(4, 1, 32, 32) * 100
    alone = torch.cat([model(image[None]) for image in batch])
    torch.testing.assert_close(model(batch), alone, atol=1e-4, rtol=0)
    model.train()
    torch.testing.assert_close(model(batch), alone, atol=1e-4, rtol=0)


@settings(max_examples=25)
@given(st.integers(1, 37), st.integers(1, 37))
@torch.no_grad()
def test_any_size_goes_in_and_the_same_size_comes_out(height, width):
    ab = disturbed()(torch.rand(1, 1, height, width) * 100)
    assert ab.shape == (1, 2, height, width)
    assert torch.isfinite(ab).all()


@torch.no_grad()
def test_coarse_output_is_the_full_output_at_a_quarter():
    model = disturbed()
    lightness = torch.rand(1, 1, 32, 32) * 100
    assert model.coarse(lightness).shape == (1, 2, 32 // COARSE, 32 // COARSE)
    full_mean, coarse_mean = model(lightness).mean((2, 3)), model.coarse(lightness).mean((2, 3))
    torch.testing.assert_close(full_mean, coarse_mean, atol=0.3, rtol=0)


@pytest.mark.parametrize("value", [0.0, 50.0, 100.0])
@torch.no_grad()
def test_flat_images_give_finite_colors(value):
    assert torch.isfinite(disturbed()(torch.full((1, 1, 9, 9), value))).all()
