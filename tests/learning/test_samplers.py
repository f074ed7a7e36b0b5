"""Samplers: right where the answer is known, and the same image for a seed and index in any company."""

import numpy as np
import pytest
import torch

from rovervision.errors import RovervisionError
from rovervision.learning.samplers import SamplerConfig, generators, sample
from tests.learning.denoisers import DDPM, EDM, GaussianDenoiser, denoiser, told

EDM_SAMPLERS = [SamplerConfig(), SamplerConfig(kind="dpmsolver++", steps=8), SamplerConfig(kind="euler", steps=6)]
DDPM_SAMPLERS = [SamplerConfig(kind="ddim", steps=10), SamplerConfig(kind="ddpm", steps=10)]


@pytest.mark.parametrize(
    "config",
    [SamplerConfig(steps=60), SamplerConfig(kind="dpmsolver++", steps=60), SamplerConfig(kind="euler", steps=300)],
)
def test_a_known_distribution_comes_out(config):
    images = sample(GaussianDenoiser(0.3, 0.2), told(64), generators(0, range(64)), config)
    assert float(images.mean()) == pytest.approx(0.3, abs=0.01)
    assert float(images.std()) == pytest.approx(0.2, rel=0.02)


@pytest.mark.parametrize(("kind", "order"), [("heun", 2), ("dpmsolver++", 2), ("euler", 1)])
def test_errors_fall_as_the_order_says(kind, order):
    """The path from one noise to its image is known: mean + noise * spread."""
    noise = torch.stack([torch.randn(3, 8, 8, generator=g) for g in generators(3, range(8))])
    errors = []
    for steps in (16, 32):
        config = SamplerConfig(kind=kind, steps=steps)
        images = sample(GaussianDenoiser(0.3, 0.2), told(8), generators(3, range(8)), config)
        errors.append(float((images - (0.3 + 0.2 * noise)).abs().mean()))
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.3)


@pytest.mark.parametrize("config", EDM_SAMPLERS)
def test_evaluations_are_counted(config):
    model = GaussianDenoiser(0.0, 0.5)
    sample(model, told(2), generators(0, range(2)), config)
    assert model.asked == config.evaluations
    assert config.model_copy(update={"guidance": 2.0}).evaluations == 2 * config.evaluations


def test_the_default_asks_thirty_five_times():
    assert SamplerConfig().evaluations == 35


@pytest.mark.parametrize(
    ("config", "model"), [*((each, EDM) for each in EDM_SAMPLERS), *((each, DDPM) for each in DDPM_SAMPLERS)]
)
def test_an_image_is_the_same_in_any_company(config, model):
    """But for the last bit of sums, which a batch may take in another order: less than a hundredth of a gray level."""
    network, condition = denoiser(model), told(6)
    condition[:, 1] = torch.tensor([0, 1, 2, 3, 0, 1])
    whole = sample(network, condition, generators(5, range(6)), config)
    alone = torch.cat([sample(network, condition[i : i + 1], generators(5, [i]), config) for i in range(6)])
    scale = float(whole.abs().max())
    assert float((whole - alone).abs().max()) < 1e-3 * max(scale, 1)
    assert torch.equal(whole, sample(network, condition, generators(5, range(6)), config))
    other = sample(network, condition, generators(6, range(6)), config)
    assert float((whole - other).abs().max()) > 0.05


def test_seeds_and_indices_do_not_meet():
    first = {float(torch.randn(1, generator=g)) for seed in range(20) for g in generators(seed, range(20))}
    assert len(first) == 400


@pytest.mark.parametrize(("model", "kind"), [(EDM, "ddim"), (EDM, "ddpm"), (DDPM, "heun"), (DDPM, "dpmsolver++")])
def test_a_sampler_of_the_other_schedule_is_a_sentence(model, kind):
    with pytest.raises(RovervisionError, match=r"does not fit .* Set diffusion.sampler.kind"):
        sample(denoiser(model), told(1), generators(0, [0]), SamplerConfig(kind=kind, steps=2))


@pytest.mark.parametrize("kind", ["heun", "dpmsolver++", "euler"])
def test_the_path_is_shown_from_noise_to_image(kind):
    seen, config = [], SamplerConfig(kind=kind, steps=6)
    image = sample(
        GaussianDenoiser(0.3, 0.2), told(1), generators(0, [0]), config, lambda step, x: seen.append((step, x))
    )
    assert sorted({step for step, _ in seen}) == list(range(6))
    assert float(seen[0][1].std()) < 0.01 < float(image.std())  # at first only the mean is known
    assert np.isfinite(image.numpy()).all()
