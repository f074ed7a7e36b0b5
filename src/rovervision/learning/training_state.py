"""What changes while a model trains, and how it is written down and taken up again."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from rovervision.learning.execution import like
from rovervision.learning.training_config import Metrics, TrainingConfig
from rovervision.learning.weights import Weights


class TrainingState:
    """Model, optimizer, moving average, the best so far, and the history.

    Args:
        model: as it trains.
        optimizer: over its parameters.
        config: how long and how fast.
        steps: of the whole training.
    """

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
        state = self.model.state_dict()
        moving = [name for name, tensor in state.items() if tensor.is_floating_point()]
        get_ema_multi_avg_fn(decay)([self.ema[name] for name in moving], [state[name] for name in moving], 0)
        for name in state.keys() - set(moving):
            self.ema[name].copy_(state[name])

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
        """Return all of it. Tensors: `model.*`, `ema.*`, `best.*`, `optimizer.*`."""
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
        """Go on from what `checkpoint` returned."""
        self.model.load_state_dict(saved.group("model"))
        own = self.model.state_dict()
        self.ema = {name: like(t, own[name]) for name, t in saved.group("ema").items()}
        self.best = {name: like(t, own[name]) for name, t in saved.group("best").items()}
        parameters = [each for group in self.optimizer.param_groups for each in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in saved.group("optimizer").items():
            index, name = key.split(".", 1)
            state.setdefault(int(index), {})[name] = like(tensor, parameters[int(index)]) if tensor.ndim else tensor
        full = self.optimizer.state_dict()
        self.optimizer.load_state_dict({"state": state, "param_groups": full["param_groups"]})
        header = saved.header
        self.epoch, self.step, self.history = header["epoch"], header["step"], header["history"]
        self.best_loss, self.best_epoch = header["best_loss"], header["best_epoch"]
        self.monitor_loss = header["monitor_loss"]
