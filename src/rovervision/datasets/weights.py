"""Weights as a Kedro dataset."""

import subprocess
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

import rovervision
from rovervision.learning.weights import Weights, read_weights, write_weights


class WeightsDataset(AbstractDataset[Weights, Weights | None]):
    """One safetensors file with its JSON header.

    Args:
        filepath: the file.
        missing_ok: load None where there is no file yet, for a checkpoint that a first run does not have.
        metadata: for other tools; ignored here.
    """

    def __init__(self, *, filepath: str, missing_ok: bool = False, metadata: dict[str, Any] | None = None) -> None:
        self._filepath, self._missing_ok, self.metadata = Path(filepath), missing_ok, metadata

    def load(self) -> Weights | None:
        """Return the weights, or None where the file is missing and may be."""
        if self._missing_ok and not self._filepath.is_file():
            return None
        return read_weights(self._filepath)

    def save(self, data: Weights) -> None:
        """Write the file as a whole, with the version and commit of the code in its header."""
        write_weights(self._filepath, Weights(data.tensors, data.header | {"written_by": _code_version()}))

    def _exists(self) -> bool:
        return self._missing_ok or self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "missing_ok": self._missing_ok}


def _code_version() -> dict[str, str]:
    folder = Path(__file__).resolve().parent
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
        commit = answer.stdout.strip() if answer.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        commit = ""
    return {"version": rovervision.__version__, "commit": commit or "not in a git checkout"}
