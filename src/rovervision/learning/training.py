"""The one training loop: epochs of batches, a moving average, the best state kept, resumable at any epoch."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import torch
from lightning_fabric import Fabric
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from rovervision.errors import RovervisionError
from rovervision.learning.weights import Weights

logger = logging.getLogger(__name__)

_LINES = 20
"""A training tells its progress in about so many lines, however many epochs it has."""

Batch = tuple[Tensor, ...]
Loss = Callable[[Any, Batch], Tensor]
Metrics = dict[str, list[dict[str, float]]]


class TrainingConfig(BaseModel):
    """How long and how fast to learn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=100, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    """Highest rate of AdamW: reached after the warm-up, then lowered to zero along a cosine."""
    weight_decay: float = Field(default=1e-2, ge=0)
    warmup_frac: float = Field(default=0.05, ge=0, lt=1)
    gradient_clip: float = Field(default=1.0, gt=0)
    ema_decay: float = Field(default=0.998, ge=0, lt=1)
    """Moving average of the weights; it forgets faster in the first steps, so that short runs profit as well."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """How the learning rate goes on after the warm-up."""
    keep: Literal["best", "last"] = "best"
    """Which epoch's averaged weights are kept: the best on the watched tiles, or the last."""
    epoch_tiles: int | None = Field(default=None, ge=1)
    """Tiles in an epoch; None: as many as there are. A training is judged, saved and resumed between epochs."""
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    """Lightning Fabric's word."""


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


def open_fabric(device: str, precision: Literal["32-true", "bf16-mixed", "16-mixed"]) -> Fabric:
    """Return Lightning Fabric for one device: auto, cpu, mps, cuda, or cuda:1 for the second one.

    Raises RovervisionError where there is no such device.
    """
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "mps", "cuda") or (number and not (kind == "cuda" and number.isdigit())):
        raise RovervisionError(f"There is no device '{device}'. Set device to auto, cpu, mps, cuda or cuda:1.")
    try:
        return Fabric(accelerator=kind, devices=[int(number)] if number else 1, precision=precision)
    except (ValueError, RuntimeError) as error:
        raise RovervisionError(
            f"Device '{device}' cannot be used here ({error}). Set device to auto or cpu."
        ) from error


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
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=config.learning_rate, weight_decay=config.weight_decay)
    forward_methods: tuple[str, ...] = getattr(type(model), "forward_methods", ())
    wrapped, optimizer = fabric.setup(model, optimizer)
    for name in forward_methods:
        wrapped.mark_forward_method(name)
    run = _Run(wrapped, optimizer, config, steps=config.epochs * len(batches))
    if resume is not None:
        run.restore(resume)
    else:
        run.judge(_mean_loss(run, loss, monitor, fabric))
    yield run.checkpoint(), run.history
    started, first = time.monotonic(), run.epoch
    while run.epoch < config.epochs:
        with seeded(seed * 1_000_003 + run.epoch):
            train_loss = _train_epoch(run, loss, batches, fabric)
        run.epoch += 1
        new = run.record(train_loss, _mean_loss(run, loss, monitor, fabric))
        left_s = (time.monotonic() - started) / (run.epoch - first) * (config.epochs - run.epoch)
        told = run.epoch % math.ceil(config.epochs / _LINES) == 0 or run.epoch == config.epochs
        logger.log(
            logging.INFO if told else logging.DEBUG,
            "epoch %d/%d  loss %.3f  monitor %.3f (best %.3f)  %s left",
            run.epoch, config.epochs, train_loss, run.monitor_loss, run.best_loss, _clock(left_s),
        )  # fmt: skip
        yield run.checkpoint(), new


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


class _Run:
    """What changes while a model trains, and how it is written down."""

    def __init__(self, model: nn.Module, optimizer: Any, config: TrainingConfig, steps: int) -> None:
        self.model, self.optimizer, self.config, self.steps = model, optimizer, config, max(steps, 1)
        self.epoch, self.step = 0, 0
        self.best_loss, self.best_epoch, self.monitor_loss = float("inf"), 0, float("inf")
        self.ema = {name: t.detach().clone() for name, t in model.state_dict().items()}
        self.best = {name: t.clone() for name, t in self.ema.items()}
        self.history: Metrics = {}

    def learning_rate(self) -> float:
        """Linear warm-up, then half a cosine down to zero."""
        warmup = max(1, round(self.config.warmup_frac * self.steps))
        if self.step < warmup:
            return self.config.learning_rate * (self.step + 1) / warmup
        progress = (self.step - warmup) / max(1, self.steps - warmup)
        if self.config.schedule == "constant":
            return self.config.learning_rate
        return self.config.learning_rate * 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * min(progress, 1.0)))))

    def average(self) -> None:
        """Move the average toward the weights; early steps count more (warm-up (1 + t) / (10 + t))."""
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        for name, tensor in self.model.state_dict().items():
            if tensor.is_floating_point():
                self.ema[name].lerp_(tensor.detach(), 1 - decay)
            else:
                self.ema[name].copy_(tensor)

    def judge(self, monitor_loss: float) -> None:
        """Keep the averaged weights if they are the best so far, or the last ones are wanted."""
        self.monitor_loss = monitor_loss
        if monitor_loss < self.best_loss or self.config.keep == "last":
            self.best_loss, self.best_epoch = monitor_loss, self.epoch
            self.best = {name: t.clone() for name, t in self.ema.items()}

    def record(self, train_loss: float, monitor_loss: float) -> Metrics:
        """Judge the epoch and return its metrics, in the form that MLflow's history dataset takes."""
        self.judge(monitor_loss)
        values = {"train_loss": train_loss, "monitor_loss": monitor_loss, "learning_rate": self.learning_rate()}
        new = {name: [{"value": value, "step": self.epoch}] for name, value in values.items()}
        self.history = {name: [*self.history.get(name, []), *points] for name, points in new.items()}
        return new

    def checkpoint(self) -> Weights:
        groups = {"model": self.model.state_dict(), "ema": self.ema, "best": self.best}
        tensors = {
            f"{group}.{name}": t.detach().clone() for group, named in groups.items() for name, t in named.items()
        }
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value.detach().clone() for name, value in state.items()}
        header = {
            "epoch": self.epoch, "step": self.step, "history": self.history,
            "best_loss": self.best_loss, "best_epoch": self.best_epoch, "monitor_loss": self.monitor_loss,
        }  # fmt: skip
        return Weights(tensors, header)

    def restore(self, saved: Weights) -> None:
        device = next(self.model.parameters()).device
        self.model.load_state_dict(saved.group("model"))
        self.ema = {name: t.to(device) for name, t in saved.group("ema").items()}
        self.best = {name: t.to(device) for name, t in saved.group("best").items()}
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in saved.group("optimizer").items():
            index, name = key.split(".", 1)
            state.setdefault(int(index), {})[name] = tensor
        full = self.optimizer.state_dict()
        self.optimizer.load_state_dict({"state": state, "param_groups": full["param_groups"]})
        header = saved.header
        self.epoch, self.step, self.history = header["epoch"], header["step"], header["history"]
        self.best_loss, self.best_epoch = header["best_loss"], header["best_epoch"]
        self.monitor_loss = header["monitor_loss"]


def _train_epoch(run: _Run, loss: Loss, batches: Batches, fabric: Fabric) -> float:
    run.model.train()
    total, count = 0.0, 0
    for batch in batches.epoch(run.epoch, fabric.device):
        for group in run.optimizer.param_groups:
            group["lr"] = run.learning_rate()
        run.optimizer.zero_grad(set_to_none=True)
        with fabric.autocast():  # on one device, Fabric runs no method but `forward` in the precision asked for
            value = loss(run.model, batch)
        fabric.backward(value)
        clip_gradients(run.optimizer, run.config.gradient_clip, fabric)
        run.optimizer.step()
        run.step += 1
        run.average()
        total, count = total + float(value.detach()) * len(batch[0]), count + len(batch[0])
    if not math.isfinite(total):
        raise RovervisionError(
            f"The training diverged in epoch {run.epoch + 1}: the loss is no number any more. Lower learning_rate "
            f"(it was {run.config.learning_rate}) and give the same command again."
        )
    return total / max(count, 1)


@torch.no_grad()
def _mean_loss(run: _Run, loss: Loss, batches: Batches, fabric: Fabric) -> float:
    trained = {name: t.detach().clone() for name, t in run.model.state_dict().items()}
    run.model.load_state_dict(run.ema)
    run.model.eval()
    total, count = 0.0, 0
    for batch in batches.epoch(0, fabric.device):
        with fabric.autocast():
            value = float(loss(run.model, batch))
        total, count = total + value * len(batch[0]), count + len(batch[0])
    run.model.load_state_dict(trained)
    return total / max(count, 1)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
