"""EDM's formulas against diffusers' and against what they are derived from; DDPM's against its scheduler."""

import diffusers
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.learning.ddpm import noise_to_signal
from rovervision.learning.denoiser import Conditions
from rovervision.learning.edm import EdmConfig, EdmDenoiser, sampling_levels
from rovervision.learning.samplers import SamplerConfig, open_scheduler
from tests.learning.denoisers import CONDITIONS, DDPM, NETWORK, GaussianDenoiser, denoiser, told


@settings(max_examples=20)
@given(st.floats(0.003, 70), st.floats(0.1, 1.0))
def test_the_four_factors_are_those_of_diffusers(sigma, data):
    model = denoiser()
    model.config = EdmConfig(sigma_data=data)
    scheduler = diffusers.EDMEulerScheduler(sigma_data=data)
    noisy = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * sigma
    given_sigma = torch.full((2,), sigma)
    with torch.no_grad():
        raw = model.predict(
            scheduler.precondition_inputs(noisy, sigma), scheduler.precondition_noise(given_sigma), told(2)
        )
        ours = model(noisy, given_sigma, told(2))
    theirs = scheduler.precondition_outputs(noisy, raw, sigma)
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("steps", [1, 2, 18])
def test_levels_are_those_of_diffusers(steps):
    scheduler = diffusers.EDMEulerScheduler(**EdmConfig().model_dump(include={"sigma_min", "sigma_max", "rho"}))
    scheduler.set_timesteps(steps)
    assert torch.allclose(sampling_levels(EdmConfig(), steps).float(), scheduler.sigmas, rtol=1e-4)
    assert sampling_levels(EdmConfig(), steps)[-1] == 0


def test_the_weight_makes_an_untrained_network_err_alike_at_all_levels():
    """White data of the assumed spread: the network's target has variance one, so an answer of zero errs by one."""
    model = EdmDenoiser(EdmConfig(), NETWORK, CONDITIONS, 8).eval()
    rng = torch.Generator().manual_seed(0)
    clean, noise = 0.5 * torch.randn(256, 3, 8, 8, generator=rng), torch.randn(256, 3, 8, 8, generator=rng)
    for sigma in (0.01, 0.3, 1.0, 40.0):
        with torch.no_grad():
            losses = model.losses(clean, torch.full((256,), sigma), noise, told(256))
        assert float(losses.mean()) == pytest.approx(1.0, abs=0.02)


def test_the_right_denoiser_has_the_least_loss():
    """Its loss at a level is λ times the error that Bayes leaves; any other mean costs more."""
    data = 0.3 + 0.2 * torch.randn(128, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    noise = torch.randn(128, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    level = torch.full((128,), 0.5)
    right, wrong = (GaussianDenoiser(mean, 0.2).losses(data, level, noise, told(128)).mean() for mean in (0.3, 0.1))
    expected = (0.25 + 0.04) / (0.5 * 0.2) ** 2 * (0.25 * 0.04) / (0.25 + 0.04)
    assert float(right) == pytest.approx(expected, rel=0.03)
    assert right < wrong


def test_levels_of_the_training_are_log_normal():
    shares = (np.arange(4000) + 0.5) / 4000
    logs = np.log(denoiser().level_at(shares))
    assert logs.mean() == pytest.approx(-1.2, abs=0.01)
    assert logs.std() == pytest.approx(1.2, abs=0.01)


def test_the_originals_noise_is_diffusers_noise():
    model, scheduler = denoiser(DDPM), diffusers.DDPMScheduler()
    rng = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(4, 3, 8, 8, generator=rng), torch.randn(4, 3, 8, 8, generator=rng)
    steps = torch.tensor([0, 17, 500, 999])
    asked = []
    model.predict = lambda noisy, clock, condition: asked.append(noisy) or noise
    assert model.losses(clean, steps.float(), noise, told(4)).abs().max() == 0
    assert torch.allclose(asked[0], scheduler.add_noise(clean, noise, steps), atol=1e-6)
    assert noise_to_signal(torch.tensor([999]))[0] > 100 * noise_to_signal(torch.tensor([0]))[0]


def test_the_originals_steps_are_all_as_frequent():
    steps = denoiser(DDPM).level_at((np.arange(3000) + 0.5) / 3000)
    assert (np.bincount(steps.astype(int)) == 3).all()


def test_unchanged_tiles_are_not_told_apart_from_generated_ones():
    embedding = denoiser().unet.class_embedding
    pairs = torch.tensor([[c, k] for c in range(3) for k in range(4)])
    condition = torch.cat([pairs.float(), torch.zeros(12, 4)], dim=1)
    assert torch.allclose(embedding(condition), embedding.table()[CONDITIONS.joint(pairs)])
    assert CONDITIONS.joint(pairs).tolist() == list(range(12))


def test_unknown_names_are_any():
    numbers = CONDITIONS.numbers(["curiosity/mahli", "opportunity/pancam"], ["wheel", "nobody"])
    assert numbers.tolist() == [[1, 3], [0, 0]]
    assert Conditions.from_json(CONDITIONS.to_json()) == CONDITIONS
    assert Conditions().numbers(["a"], ["b"]).tolist() == [[0, 0]]


def test_guidance_moves_away_from_what_is_not_told():
    model = denoiser()
    noisy, sigma = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.ones(2)
    with torch.no_grad():
        free, condition = model(noisy, sigma, told(2, 0, 0)), model(noisy, sigma, told(2))
        assert torch.allclose(model(noisy, sigma, told(2), guidance=0.0), free, atol=1e-5)
        assert torch.allclose(model(noisy, sigma, told(2), guidance=3.0), free + 3 * (condition - free), atol=1e-5)
    assert not torch.allclose(free, condition, atol=1e-3)


def test_the_schedulers_are_those_that_fit():
    for kind in ("heun", "dpmsolver++", "euler"):
        assert "EDM" in type(open_scheduler(denoiser(), SamplerConfig(kind=kind))).__name__
