"""The training loop: it learns, it repeats itself exactly, and it goes on where it was cut off."""

import pytest
import torch

from rovervision.errors import RovervisionError
from rovervision.learning.batches import Augmentation, AugmentationConfig, ColorBatches
from rovervision.learning.training import TrainingConfig, fit, open_fabric, seeded
from rovervision.learning.weights import Weights, read_weights, write_weights
from tests.learning.test_batches import CAMERAS, SOIL
from tests.learning.test_batches import tiles as pixels
from tests.learning.test_colorizers import SMALL, build_colorizer, tables

CONFIG = TrainingConfig(epochs=3, batch_size=4, learning_rate=3e-3)


def loss(model, batch):
    return model.loss(*batch) if model.training else model.error(*batch)


def run(resume: Weights | None = None, config: TrainingConfig = CONFIG, seed: int = 0) -> list:
    with seeded(seed):
        model = build_colorizer(tables(), SMALL)
    batches = ColorBatches(
        pixels(), CAMERAS % 3, torch.arange(8).numpy(), 4, Augmentation(AugmentationConfig(), SOIL), seed
    )
    monitor = ColorBatches(pixels(), CAMERAS % 3, torch.tensor([8, 9]).numpy(), 4, None, seed)
    return list(fit(model, loss, batches, monitor, config, open_fabric("cpu", "32-true"), seed, resume))


def assert_same(one: Weights, two: Weights) -> None:
    assert one.header == two.header
    assert one.tensors.keys() == two.tensors.keys()
    for name, tensor in one.tensors.items():
        assert torch.equal(tensor, two.tensors[name]), name


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    assert_same(run()[-1][0], run()[-1][0])
    assert not torch.equal(
        run()[-1][0].tensors["ema.unet.stem.weight"], run(seed=1)[-1][0].tensors["ema.unet.stem.weight"]
    )


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_resumed_at_any_epoch_it_ends_like_the_straight_run(tmp_path, cut):
    straight = run()
    write_weights(tmp_path / "checkpoint.safetensors", straight[cut][0])
    resumed = run(resume=read_weights(tmp_path / "checkpoint.safetensors"))
    assert len(resumed) == len(straight) - cut
    assert_same(resumed[-1][0], straight[-1][0])


def test_a_finished_training_yields_once_and_tells_its_history():
    final = run()[-1][0]
    again = run(resume=final)
    assert len(again) == 1
    assert_same(again[0][0], final)
    assert [point["step"] for point in again[0][1]["train_loss"]] == [1, 2, 3]


def test_metrics_come_once_per_epoch():
    steps = [point["step"] for _, metrics in run() for point in metrics.get("monitor_loss", [])]
    assert steps == [1, 2, 3]


def test_one_repeated_batch_overfits():
    one = ColorBatches(pixels(2), CAMERAS % 3, torch.tensor([0, 1]).numpy(), 2, None, 0)
    with seeded(0):
        model = build_colorizer(tables(), SMALL)
    config = TrainingConfig(epochs=250, batch_size=2, learning_rate=2e-2, weight_decay=0, warmup_frac=0)
    history = list(fit(model, loss, one, one, config, open_fabric("cpu", "32-true"), 0))[-1][0].header["history"]
    first, last = history["train_loss"][0]["value"], history["train_loss"][-1]["value"]
    assert last < 0.35 * first


def test_the_best_epoch_is_kept():
    checkpoints = [
        checkpoint for checkpoint, _ in run(config=TrainingConfig(epochs=6, batch_size=4, learning_rate=0.05))
    ]
    losses = [c.header["monitor_loss"] for c in checkpoints]
    final = checkpoints[-1]
    assert final.header["best_loss"] == min(losses)
    best = checkpoints[losses.index(min(losses))]
    assert torch.equal(final.tensors["best.to_ab.weight"], best.tensors["ema.to_ab.weight"])


def test_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    run()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_diverging_training_is_a_sentence():
    def broken(model, batch):
        return loss(model, batch) * float("nan")

    with seeded(0):
        model = build_colorizer(tables(), SMALL)
    one = ColorBatches(pixels(2), CAMERAS % 3, torch.tensor([0, 1]).numpy(), 2, None, 0)
    with pytest.raises(RovervisionError, match="diverged in epoch 1"):
        list(fit(model, broken, one, one, CONFIG, open_fabric("cpu", "32-true"), 0))


@pytest.mark.parametrize("device", ["banana", "cuda:x", "cpu:1", ""])
def test_no_such_device_is_a_sentence(device):
    with pytest.raises(RovervisionError, match="There is no device"):
        open_fabric(device, "32-true")


def test_progress_is_told_in_few_lines_and_to_the_end(caplog):
    with caplog.at_level("INFO", logger="rovervision.learning.training"):
        run(config=TrainingConfig(epochs=50, batch_size=8))
    lines = [record.getMessage() for record in caplog.records if record.levelname == "INFO"]
    assert len(lines) <= 20
    assert lines[-1].startswith("epoch 50/50")
    assert lines[-1].endswith("0:00 left")
