"""A denoiser at rest: rebuilt from its weights, trained in pieces, and loaded by diffusers alone."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from rovervision.learning.denoiser_batches import ChangesConfig, NoisyBatches
from rovervision.learning.exported_denoiser import build_denoiser, export_pipeline, open_denoiser
from rovervision.learning.samplers import SamplerConfig, generators, sample
from rovervision.learning.training import TrainingConfig, fit, open_fabric, seeded
from rovervision.learning.weights import Weights, read_weights, write_weights
from tests.learning.denoisers import CONDITIONS, DDPM, EDM, denoiser, tiles, told

THREE_LINES = """
import sys, torch, diffusers
diffusers.utils.logging.set_verbosity_error(); diffusers.utils.logging.disable_progress_bar()
pipeline = diffusers.DiffusionPipeline.from_pretrained(sys.argv[1])
pipeline.set_progress_bar_config(disable=True)
images = pipeline(batch_size=2, class_labels=[0, 6], num_inference_steps=9, output_type="np",
                  generator=[torch.Generator().manual_seed(i) for i in range(2)]).images
images.tofile(sys.argv[2])
assert not any(name.startswith("rovervision") for name in sys.modules)
"""


def weights(config=EDM) -> Weights:
    header = {"denoiser": config.model_dump(mode="json"), "conditions": CONDITIONS.to_json()}
    return Weights(denoiser(config).state_dict(), header)


def test_diffusers_loads_it_without_us_and_draws_the_same(tmp_path):
    folder, answer = tmp_path / "exported", tmp_path / "images.bin"
    export_pipeline(weights()).save_pretrained(folder)
    index = json.loads((folder / "model_index.json").read_text())
    assert {index["unet"][0], index["scheduler"][0]} == {"diffusers"}
    subprocess.run([sys.executable, "-c", THREE_LINES, str(folder), str(answer)], check=True, cwd=tmp_path)
    theirs = np.fromfile(answer, np.float32).reshape(2, 8, 8, 3)
    assert np.abs(drawn(EDM, "dpmsolver++") - theirs).max() < 1e-4
    assert theirs.std() > 0.01


def drawn(config, kind) -> np.ndarray:
    condition = told(2, 0, 0)
    condition[1, 0], condition[1, 1] = divmod(6, 4)
    sources = [torch.Generator().manual_seed(i) for i in range(2)]
    images = sample(open_denoiser(weights(config)), condition, sources, SamplerConfig(kind=kind, steps=9))
    return (images / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()


def test_the_original_is_exported_too():
    sources = [torch.Generator().manual_seed(i) for i in range(2)]
    pipeline = export_pipeline(weights(DDPM))
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(2, [0, 6], num_inference_steps=9, output_type="np", generator=sources).images
    assert np.abs(drawn(DDPM, "ddim") - theirs).max() < 1e-4


@pytest.mark.parametrize("config", [EDM, DDPM])
def test_a_denoiser_is_rebuilt_from_its_file(tmp_path, config):
    write_weights(tmp_path / "denoiser.safetensors", weights(config))
    model = open_denoiser(read_weights(tmp_path / "denoiser.safetensors"))
    noisy, level = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([0.5, 3.0])
    assert torch.equal(model.predict(noisy, level, told(2)), denoiser(config).predict(noisy, level, told(2)))
    assert not model.training


TRAINING = TrainingConfig(epochs=3, batch_size=8, learning_rate=3e-3, weight_decay=0)


def train(config, training=TRAINING, resume=None):
    with seeded(0):
        model = build_denoiser(config, CONDITIONS)
    numbers = np.ones((24, 2), np.int64)
    batches = NoisyBatches(tiles(), numbers, 8, model, ChangesConfig(), 0)
    watched = NoisyBatches(tiles()[:8], numbers[:8], 8, model, None, 0)
    fabric = open_fabric("cpu", "32-true")
    return list(fit(model, lambda net, batch: net.loss(*batch), batches, watched, training, fabric, 0, resume))


@pytest.mark.parametrize("config", [EDM, DDPM])
@pytest.mark.parametrize("cut", [0, 2])
def test_a_training_cut_off_ends_like_the_straight_one(tmp_path, config, cut):
    straight = train(config)
    write_weights(tmp_path / "checkpoint.safetensors", straight[cut][0])
    resumed = train(config, resume=read_weights(tmp_path / "checkpoint.safetensors"))[-1][0]
    assert resumed.header == straight[-1][0].header
    assert all(torch.equal(t, resumed.tensors[name]) for name, t in straight[-1][0].tensors.items())


@pytest.mark.parametrize("config", [EDM, DDPM])
def test_it_trains_in_half_precision_where_that_is_asked_for(config):
    with seeded(0):
        model = build_denoiser(config, CONDITIONS)
    seen = []
    model.unet.conv_in.register_forward_hook(lambda *given: seen.append(given[-1].dtype))
    batches = NoisyBatches(tiles(), np.ones((24, 2), np.int64), 8, model, ChangesConfig(), 0)
    fabric, once = open_fabric("cpu", "bf16-mixed"), TrainingConfig(epochs=1, batch_size=8)
    last = list(fit(model, lambda net, batch: net.loss(*batch), batches, batches, once, fabric, 0))[-1][0]
    assert set(seen) == {torch.bfloat16}
    assert all(tensor.dtype == torch.float32 for tensor in last.group("best").values())
    assert np.isfinite(last.header["monitor_loss"])


def test_it_learns_the_colours_and_the_layout_of_its_tiles():
    training = TrainingConfig(epochs=80, batch_size=24, learning_rate=1e-2, weight_decay=0, ema_decay=0.95)
    final = train(EDM, training)[-1][0]
    history = final.header["history"]["monitor_loss"]
    assert history[-1]["value"] < 0.5 * history[0]["value"]
    model = build_denoiser(EDM, CONDITIONS)
    model.load_state_dict(final.group("best"))
    images = sample(model.eval(), told(16, 1, 1), generators(0, range(16)), SamplerConfig(steps=12))
    generated = ((images / 2 + 0.5).clamp(0, 1) * 255).permute(0, 2, 3, 1).numpy()
    real = tiles().astype(np.float32)
    assert np.abs(generated.mean((0, 1, 2)) - real.mean((0, 1, 2))).max() < 20
    assert generated[:, 0].mean() > generated[:, -1].mean() + 40  # the sky is above
