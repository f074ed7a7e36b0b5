"""Small trainings, which one process and several must do alike. Run as a program, each process writes what it made.

python -m torch.distributed.run --standalone --nproc-per-node=2 -m tests.learning.rank_trainings FOLDER CASE ...
"""

import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from rovervision.errors import RovervisionError
from rovervision.imaging.color_bins import ColorBins
from rovervision.learning.batches import Augmentation, AugmentationConfig, ColorBatches
from rovervision.learning.colorizers import ModelConfig, build_colorizer
from rovervision.learning.contrastive import ContrastiveConfig, ContrastiveNetwork
from rovervision.learning.denoiser_batches import ChangesConfig, NoisyBatches
from rovervision.learning.training import Batches, TrainingConfig, fit, open_fabric, seeded
from rovervision.learning.weights import Weights, read_weights, write_weights
from tests.learning.denoisers import denoiser
from tests.learning.denoisers import tiles as ochre
from tests.learning.test_batches import CAMERAS, SOIL, tiles
from tests.learning.test_colorizers import tables

TRAINING = TrainingConfig(epochs=2, batch_size=5, learning_rate=1e-3)
BINS = ColorBins(np.array([[0, 0], [20, 30], [-20, 5]], np.float32), np.array([0.5, 0.3, 0.2], np.float32))
Start = tuple[torch.nn.Module, Batches, Batches]


class Views:
    """Epochs of pairs of views, the last batch smaller."""

    def __init__(self, rows: int, batch_size: int, first: int = 0) -> None:
        self.rows, self.batch_size, self.first = rows, batch_size, first

    def __len__(self) -> int:
        return math.ceil(self.rows / self.batch_size)

    def epoch(self, number: int, device: torch.device | None = None):
        source = torch.Generator().manual_seed(self.first + number)
        one = torch.rand(self.rows, 3, 16, 16, generator=source)
        other = one + 0.1 * torch.randn(one.shape, generator=source)
        sequences = torch.randint(0, 4, (2, self.rows), generator=source)
        whole = (one, other, *sequences)
        for top in range(0, self.rows, self.batch_size):
            yield tuple(each[top : top + self.batch_size].to(device) for each in whole)


def colors(kind: str, batch_size: int = 5, side_px: int = 16, **options: object) -> Start:
    section = {} if kind == "regression" else {kind: {"widths": (8, 16), "dropout": 0.0, **options}}
    with seeded(0):
        model = build_colorizer(tables(), ModelConfig.model_validate({"kind": kind, **section}), BINS)
    folds = np.arange(len(CAMERAS)) % 10
    change, stride_px = Augmentation(AugmentationConfig(), SOIL), model.stride_px
    batches = ColorBatches(
        tiles(side_px=side_px), CAMERAS % 3, np.arange(8), batch_size, change, 0, None, stride_px, folds=folds
    )
    return disturbed(model), batches, ColorBatches(
        tiles(side_px=side_px), CAMERAS % 3, np.arange(7, 10), 2, None, 0, stride_px=stride_px
    )  # fmt: skip


def pairs(batch_size: int = 5) -> Start:
    with seeded(0):
        network = ContrastiveNetwork(ContrastiveConfig(input_px=16, head_dim=16))
    return disturbed(network), Views(8, batch_size), Views(3, 2, first=1000)


def noises(batch_size: int = 5) -> Start:
    model = denoiser().train()
    given = (ochre(), np.tile([[1, 2]], (24, 1)))
    return (
        model,
        NoisyBatches(given[0][:8], given[1][:8], batch_size, model, ChangesConfig(), 0),
        NoisyBatches(given[0][8:11], given[1][8:11], 2, model, None, 0),
    )


def disturbed(model: torch.nn.Module) -> torch.nn.Module:
    """No zero left: each gradient is worth comparing."""
    with seeded(1):
        for parameter in model.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
    return model


CASES: dict[str, Callable[[], Start]] = {
    "residual": lambda: colors("residual"),
    "dropout": lambda: colors("residual", dropout=0.5),
    "classification": lambda: colors("classification"),
    "members": lambda: colors("residual", members=3, member_frac=0.5),
    "batch_norm": lambda: colors("regression"),
    "contrastive": pairs,
    "denoiser": noises,
    "one_tile_batch_norm": lambda: colors("regression", batch_size=1, side_px=32),
    "one_tile_members": lambda: colors("residual", batch_size=1, members=3, member_frac=0.5),
}


def loss(model, batch):
    return model.loss(*batch) if model.training or not hasattr(model, "error") else model.error(*batch)


def train(case: str, fabric: Fabric, resume: Weights | None = None, config: TrainingConfig = TRAINING) -> list[Weights]:
    model, batches, monitor = CASES[case]()
    return [state for state, _ in fit(model, loss, batches, monitor, config, fabric, 0, resume)]


def assert_alike(one: Weights, two: Weights, case: str) -> None:
    """The losses and the moving averages of the gradients agree but for rounding.

    Where a gradient is zero by mathematics, as of a bias before a normalisation, rounding is all there is of it, and
    AdamW makes whole steps of that. So gradients are compared, and not the weights.
    """
    for name in ("train_loss", "monitor_loss"):
        values = [[point["value"] for point in each.header["history"].get(name, [])] for each in (one, two)]
        assert values[1] == pytest.approx(values[0], rel=2e-4), name
    assert two.header["monitor_loss"] == pytest.approx(one.header["monitor_loss"], rel=2e-4)
    assert one.tensors.keys() == two.tensors.keys()
    if case == "one_tile_batch_norm":  # four values to a channel: a few steps of rounding make other gradients
        return
    scale = max(float(t.norm()) for name, t in one.tensors.items() if name.endswith("exp_avg"))
    for name, tensor in one.tensors.items():
        if name.endswith("exp_avg"):
            apart = float((two.tensors[name] - tensor).norm())
            assert apart <= 1e-3 * float(tensor.norm()) + 1e-6 * scale, (case, name)


def diverge(fabric: Fabric) -> str:
    """Train to no number, in one process's part of the batch alone; return what is said."""

    def broken(model, batch):
        return loss(model, batch) * (float("nan") if fabric.global_rank == 1 else 1)

    return said(broken, fabric)


def lose_the_others(fabric: Fabric) -> str:
    """End without a word in all processes but the first; return what that one says."""
    if fabric.global_rank > 0:
        os._exit(0)
    return said(loss, fabric)


def said(loss, fabric: Fabric) -> str:
    model, batches, monitor = CASES["residual"]()
    try:
        list(fit(model, loss, batches, monitor, TRAINING, fabric, 0))
    except RovervisionError as error:
        return str(error)
    return ""


def main(folder: Path, cases: list[str]) -> None:
    """Write the checkpoints of all cases, and of trainings that go on, into a folder of this process's own."""
    torch.set_num_threads(1)
    fabric = open_fabric("cpu", "32-true", together=True)
    own = folder / f"rank{fabric.global_rank}"
    for case in cases:
        for epoch, state in enumerate(train(case, fabric)):
            write_weights(own / f"{case}_{epoch}", state)
    # only the first process finds the checkpoint, as where the others are late to look
    saved = read_weights(own / "dropout_1") if fabric.global_rank == 0 else None
    write_weights(own / "resumed", train("dropout", fabric, saved)[-1])
    write_weights(own / "taken_over", train("residual", fabric, read_weights(folder / "from_one_process"))[-1])
    words = {"world": fabric.world_size, "diverged": diverge(fabric)}
    (own / "said.json").write_text(json.dumps(words))
    (own / "said.json").write_text(json.dumps(words | {"lost": lose_the_others(fabric)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
    os._exit(0)  # gloo's own end would fail: the other process is gone
