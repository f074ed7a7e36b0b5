"""How the same numbers are computed: compiled, laid out in another way, or by algorithms that repeat themselves."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn

from rovervision.errors import RovervisionError

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
"""Matrix products on a GPU repeat themselves only with a workspace of this setting (cuBLAS documentation, "results
reproducibility")."""


@contextmanager
def repeatable(is_asked: bool) -> Iterator[None]:
    """Let torch take only algorithms that give the same on every run inside the block, where that is asked for.

    Raises:
        RovervisionError: The model needs something for which there is no such algorithm on this device.
    """
    if not is_asked:
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    workspace = os.environ.get(_WORKSPACE)
    os.environ.setdefault(_WORKSPACE, ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        raise RovervisionError(
            f"training.deterministic=true cannot be had for this model on this device ({str(error).splitlines()[0]}). "
            "Set it to false, or device to cpu."
        ) from error
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        if workspace is None:
            del os.environ[_WORKSPACE]


def compile_methods(model: nn.Module, names: tuple[str, ...]) -> None:
    """Compile methods of a model, each for the very shapes that it meets. Names of parameters stay as they are."""
    for name in names:
        setattr(model, name, MethodType(_compiled(getattr(model, name)), model))


def _compiled(method: Callable[..., Tensor]) -> Callable[..., Tensor]:
    fast = torch.compile(method, dynamic=False)

    @wraps(method)
    def call(_: nn.Module, *arguments: Any) -> Tensor:
        try:
            return fast(*arguments)
        except Exception as error:
            if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                raise
            raise RovervisionError(
                f"torch.compile cannot compile this model here ({str(error).splitlines()[0][:200]}). It needs a C++ "
                "compiler, and Triton on a GPU. Install them, or set training.compile=false."
            ) from error

    return call


def in_format(batch: tuple[Tensor, ...], channels_last: bool) -> tuple[Tensor, ...]:
    """Return the batch with the channels of images last in memory, where that is asked for."""
    if not channels_last:
        return batch
    return tuple(t.contiguous(memory_format=torch.channels_last) if t.ndim == 4 else t for t in batch)


def like(tensor: Tensor, pattern: Tensor) -> Tensor:
    """Return the numbers of a tensor on the device and in the layout of another of its shape."""
    return torch.empty_like(pattern).copy_(tensor) if tensor.shape == pattern.shape else tensor.to(pattern.device)
