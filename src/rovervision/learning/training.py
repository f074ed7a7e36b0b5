"""The one training loop: epochs of batches, a moving average, the best state kept, resumable at any epoch."""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from rovervision.errors import RovervisionError
from rovervision.learning.collectives import GradientSum, from_first, total
from rovervision.learning.devices import open_fabric
from rovervision.learning.execution import compile_methods, in_format, repeatable
from rovervision.learning.prefetch import ahead
from rovervision.learning.shared_batches import Parts, Share, looks_across, share_batches
from rovervision.learning.training_config import Batch, Loss, Metrics, TrainingConfig
from rovervision.learning.training_state import TrainingState
from rovervision.learning.weights import Weights

__all__ = [
    "Batch", "Batches", "Loss", "Metrics", "TrainingConfig", "clip_gradients", "fit", "open_fabric",
    "parameter_groups", "seeded",
]  # fmt: skip

logger = logging.getLogger(__name__)

_LINES = 20
"""A training tells its progress in about so many lines, however many epochs it has."""


class Batches(Protocol):
    """Epochs of batches; the same number gives the same epoch."""

    def __len__(self) -> int: ...

    def epoch(self, number: int, device: torch.device | None = None) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        ...


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Make torch's own random numbers follow from `seed` inside the block, and untouched outside it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def fit(
    model: nn.Module,
    loss: Loss,
    batches: Batches,
    monitor: Batches,
    config: TrainingConfig,
    fabric: Fabric,
    seed: int,
    resume: Weights | None = None,
) -> Iterator[tuple[Weights, Metrics]]:
    """Train, and yield (checkpoint, new metrics) at the start and after every epoch.

    The first yield is the state that was resumed from (or the untrained one), so a finished training yields once.
    A straight run and one resumed at any epoch give the same weights on one machine's CPU.

    Args:
        model: trained in place; freshly built, whatever it is resumed from.
        loss: scalar tensor of a batch. The model's `training` tells it whether to teach or to judge.
        batches: the training data.
        monitor: data that is not trained on; the weights with the lowest mean loss on it are kept as `best`.
        config: how long and how fast.
        fabric: device and precision.
        seed: with the epoch's number, decides what the network drops out.
        resume: a checkpoint that an earlier call yielded, with the same configuration.

    Returns:
        Iterator of checkpoints. Tensors: `model.*`, `ema.*`, `best.*`, `optimizer.*`; header: epoch, step, best_loss,
        best_epoch, history.
    """
    _refuse_pieces(model, config)
    share = Share(fabric.global_rank, fabric.world_size)
    resume = _same_start(model, resume, fabric)
    part = _Part(fabric, loss, config, Parts(share, config.accumulate, is_whole=looks_across(model)))
    if share.size > 1:
        share_batches(model, share)
    if config.channels_last:
        model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=config.learning_rate, weight_decay=config.weight_decay)
    forward_methods: tuple[str, ...] = getattr(type(model), "forward_methods", ())
    if config.compile:
        compile_methods(model, forward_methods)
    wrapped, optimizer = fabric.setup(model, optimizer)
    for name in forward_methods:
        wrapped.mark_forward_method(name)
    run = TrainingState(wrapped, optimizer, config, steps=config.epochs * len(batches))
    add_up = GradientSum(list(model.parameters())) if share.size > 1 else None
    if resume is not None:
        run.restore(resume)
    else:
        with repeatable(config.deterministic):
            monitor_loss = _judge(run, part, monitor)
        run.judge(monitor_loss)
    yield run.checkpoint(), run.history
    started, first = time.monotonic(), run.epoch
    while run.epoch < config.epochs:
        own_seed = seed * 1_000_003 + run.epoch + (share.rank << 40)  # what is dropped differs from part to part
        with repeatable(config.deterministic), seeded(own_seed):
            train_loss = _train_epoch(run, part, batches, add_up)
            run.epoch += 1
            monitor_loss = _judge(run, part, monitor)
        new = run.record(train_loss, monitor_loss)
        left_s = (time.monotonic() - started) / (run.epoch - first) * (config.epochs - run.epoch)
        told = run.epoch % math.ceil(config.epochs / _LINES) == 0 or run.epoch == config.epochs
        logger.log(
            logging.INFO if told else logging.DEBUG,
            "epoch %d/%d  loss %.3f  monitor %.3f (best %.3f)  %s left",
            run.epoch, config.epochs, train_loss, run.monitor_loss, run.best_loss, _clock(left_s),
        )  # fmt: skip
        yield run.checkpoint(), new


def _refuse_pieces(model: nn.Module, config: TrainingConfig) -> None:
    if config.accumulate > 1 and looks_across(model):
        raise RovervisionError(
            f"training.accumulate={config.accumulate} would train to something else: this kind of model looks at all "
            "tiles of a batch together. Set accumulate to 1, and batch_size to what fits on the device."
        )


def parameter_groups(model: nn.Module) -> list[dict[str, Any]]:
    """Return the parameters in two groups: the model's own, and those of its side heads, where it names any."""
    side_heads = set(getattr(model, "side_heads", ()))
    groups: dict[bool, list[nn.Parameter]] = {False: [], True: []}
    for name, parameter in model.named_parameters():
        groups[not side_heads.isdisjoint(name.split("."))].append(parameter)
    return [{"params": parameters} for parameters in groups.values() if parameters]


def clip_gradients(optimizer: Any, max_norm: float, fabric: Fabric) -> None:
    """Scale the gradients of each group down to this norm, each on its own."""
    bare = getattr(optimizer, "optimizer", optimizer)
    fabric.strategy.precision.unscale_gradients(bare)
    for group in bare.param_groups:
        torch.nn.utils.clip_grad_norm_(group["params"], max_norm)


@dataclass
class _Part:
    """What this process does with a batch."""

    fabric: Fabric
    loss: Loss
    config: TrainingConfig
    parts: Parts

    def batches(self, source: Batches, epoch: int) -> Iterator[Batch]:
        return ahead(source.epoch(epoch, self.fabric.device), self.config.prefetch_batches)

    def value(self, model: Any, own: Batch) -> Tensor:
        with self.fabric.autocast():  # on one device, Fabric runs no method but `forward` in the precision asked for
            return self.loss(model, in_format(own, self.config.channels_last))

    def mean(self, told: Sequence[tuple[Tensor, int]]) -> float:
        """Return the mean over rows, also those of the other processes, of mean losses of so many rows each."""
        value, count = 0.0, 0
        for each, rows in told:
            value, count = value + float(each) * rows, count + rows
        if self.parts.share.size > 1:
            both = total(torch.tensor([value, count], dtype=torch.float64, device=self.fabric.device))
            value, count = both[0].item(), int(both[1])
        return value / max(count, 1)


def _same_start(model: nn.Module, resume: Weights | None, fabric: Fabric) -> Weights | None:
    """Let all processes begin with the weights of the first; it may have found a checkpoint that they did not."""
    if fabric.world_size == 1:
        return resume
    state, resume = from_first((model.state_dict(), resume))
    model.load_state_dict(state)
    return resume


def _train_epoch(run: TrainingState, part: _Part, batches: Batches, add_up: GradientSum | None) -> float:
    run.model.train()
    told: list[tuple[Tensor, int]] = []  # read at the end: each look at a number would make the device wait
    for batch in part.batches(batches, run.epoch):
        for group in run.optimizer.param_groups:
            group["lr"] = run.learning_rate()
        run.optimizer.zero_grad(set_to_none=True)
        for own, rows in part.parts.of(batch):
            value, weight = part.value(run.model, own), rows / len(batch[0])
            if value.requires_grad:  # none of this process's tiles may be one to learn from
                part.fabric.backward(value if weight == 1 else value * weight)
            told.append((value.detach(), rows))
        if add_up is not None:
            add_up()
        clip_gradients(run.optimizer, run.config.gradient_clip, part.fabric)
        run.optimizer.step()
        run.step += 1
        run.average()
    mean = part.mean(told)
    if not math.isfinite(mean):
        raise RovervisionError(
            f"The training diverged in epoch {run.epoch + 1}: the loss is no number any more. Lower learning_rate "
            f"(it was {run.config.learning_rate}) and give the same command again."
        )
    return mean


@torch.no_grad()
def _judge(run: TrainingState, part: _Part, batches: Batches) -> float:
    """Return the mean loss of the averaged weights."""
    trained = {name: t.detach().clone() for name, t in run.model.state_dict().items()}
    run.model.load_state_dict(run.ema)
    run.model.eval()
    pieces = (piece for batch in part.batches(batches, 0) for piece in part.parts.of(batch))
    mean = part.mean([(part.value(run.model, own), rows) for own, rows in pieces])
    run.model.load_state_dict(trained)
    return mean


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
