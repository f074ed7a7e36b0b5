"""Weights at rest: safetensors with a JSON header. Nothing is ever unpickled."""

import filecmp
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from rovervision.errors import RovervisionError

_KEY = "rovervision"


@dataclass(frozen=True)
class Weights:
    """Named tensors, and what one must know to use them (config, training data, history): plain JSON values."""

    tensors: dict[str, Tensor]
    header: dict[str, Any] = field(default_factory=dict)

    def group(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose name begins with `prefix.`, without it."""
        return {name[len(prefix) + 1 :]: t for name, t in self.tensors.items() if name.startswith(prefix + ".")}


def write_weights(path: Path, weights: Weights) -> None:
    """Write the file as a whole or not at all: to a temporary name first, then renamed.

    A file that holds the same already stays as it is, so that its time tells when something new was learnt.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.tensors.items()}
    try:
        save_file(tensors, temporary, metadata={_KEY: json.dumps(weights.header)})
        if not (path.is_file() and filecmp.cmp(temporary, path, shallow=False)):
            temporary.replace(path)
    except (OSError, SafetensorError) as error:
        raise RovervisionError(
            f"Cannot write weights to {path}: {error}. What was there before is still whole. Make room, or set "
            "data_root to another disk, and give the same command again."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def read_weights(path: Path) -> Weights:
    """Read a file written by `write_weights`. Raises RovervisionError where it is missing or not one."""
    if not path.is_file():
        raise RovervisionError(f"There are no weights at {path}. Train a model first: kedro run")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, ValueError) as error:
        raise RovervisionError(
            f"{path} is not a whole safetensors file ({error}). Delete it and train again."
        ) from error
    if not isinstance(header, dict):
        raise RovervisionError(f"{path} was not written by rovervision: it has no header. Use weights trained with it.")
    return Weights(tensors, header)
