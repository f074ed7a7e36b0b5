"""Sums over the processes that train one model together: of numbers, of what has a gradient, and of gradients."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from rovervision.errors import RovervisionError

Thing = TypeVar("Thing")


@contextmanager
def _the_others() -> Iterator[None]:
    """Say in a sentence that another process has ended, or did not answer."""
    try:
        yield
    except RuntimeError as error:
        raise RovervisionError(
            "Another process of this training has ended or does not answer, so this one stops as well "
            f"({str(error).splitlines()[0][:200]}). Its own message says why; those of all but the first stand in "
            "logs/rovervision-rank*.log. What was saved stays; the same command goes on from there."
        ) from error


def from_first(thing: Thing) -> Thing:
    """Return what the first process has, in all of them. Raises RovervisionError where one of them is gone."""
    held = [thing]
    with _the_others():
        distributed.broadcast_object_list(held, src=0)
    return held[0]


@torch.compiler.disable
def total(tensor: Tensor) -> Tensor:
    """Return the sum over all processes, the same on each. The tensor is changed in place, if it is contiguous.

    Raises RovervisionError where one of them is gone.
    """
    tensor = tensor.contiguous()
    with _the_others():
        distributed.all_reduce(tensor)
    return tensor


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return total(x.clone())

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        return total(gradients[0].clone())


def sum_over_ranks(x: Tensor) -> Tensor:
    """Return the sum over all processes. What each of them goes on to do with it counts in the gradient."""
    return _Sum.apply(x) if x.requires_grad else total(x.clone())


class GradientSum:
    """Adds up the gradients of all processes, in one message.

    A parameter that no process uses has no gradient afterwards, as if there were one process: an optimiser leaves such
    a one alone. Which they are is found out in the first step.
    """

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.parameters, self.is_used = list(parameters), [False] * len(parameters)
        self.is_known = False

    def __call__(self) -> None:
        """Replace each gradient by the sum over all processes."""
        if not self.is_known:
            device = self.parameters[0].device
            used = torch.tensor([float(each.grad is not None) for each in self.parameters], device=device)
            self.is_used, self.is_known = [count > 0 for count in total(used).tolist()], True
        used_ones = [each for each, is_used in zip(self.parameters, self.is_used, strict=True) if is_used]
        gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in used_ones]
        summed = total(torch.cat([each.flatten() for each in gradients]))
        for parameter, part in zip(used_ones, summed.split([each.numel() for each in used_ones]), strict=True):
            parameter.grad = part.view_as(parameter)
