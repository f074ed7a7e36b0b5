"""What benchmarks that train share: an environment's parameters with changes, a folder of one's own, first batches,
and tables for docs/benchmarks.md."""

import logging
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pandas as pd
import torch
from filelock import BaseFileLock, FileLock

from rovervision.learning.training import Batch, Batches

REPOSITORY: Final = Path(__file__).resolve().parents[1]
_held: Final[list[BaseFileLock]] = []
"""Locks of this process: one that nobody holds is released at once."""


def parameters(env: str, pipeline: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a pipeline's section of an environment's parameters with changes, dotted name → value."""
    from kedro.config import OmegaConfigLoader  # the rest works without Kedro, on a machine with a GPU alone

    from rovervision.settings import CONFIG_LOADER_ARGS

    section = OmegaConfigLoader(str(REPOSITORY / "conf"), env=env, **CONFIG_LOADER_ARGS)["parameters"][pipeline]
    for name, value in (changes or {}).items():
        *parents, last = name.split(".")
        here = section
        for parent in parents:
            here = here[parent]
        here[last] = value
    return dict(section)


def open_folder(folder: Path, threads: int | None) -> None:
    """Make the folder, log to it, hold it against a second process, and give torch so many threads.

    Raises filelock.Timeout where another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if threads:
        torch.set_num_threads(threads)
    handlers: list[logging.Handler] = [logging.StreamHandler(), logging.FileHandler(folder / "log.txt")]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", handlers=handlers, force=True)
    lock = FileLock(folder / ".lock")
    lock.acquire(timeout=0)
    _held.append(lock)


class FirstBatches:
    """The first batches of an epoch."""

    def __init__(self, batches: Batches, count: int) -> None:
        self.batches, self.count = batches, count

    def __len__(self) -> int:
        return self.count

    def epoch(self, number: int, device: torch.device | None = None) -> Iterator[Batch]:
        """Yield them."""
        return islice(self.batches.epoch(number, device), self.count)


def markdown(table: pd.DataFrame, digits: int = 3) -> str:
    """Return the rows as a table for docs/benchmarks.md."""
    shown = table.reset_index()

    def cell(value: object) -> str:
        return f"{value:.{digits}f}" if isinstance(value, float) else str(value)

    lines = ["| " + " | ".join(map(str, shown.columns)) + " |", "|" + "---|" * len(shown.columns)]
    return "\n".join([*lines, *("| " + " | ".join(map(cell, row)) + " |" for row in shown.itertuples(index=False))])


def machine() -> str:
    """Return date and machine, for the line above a table."""
    place = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} threads"
    return f"{datetime.now(UTC):%Y-%m-%d}, {place}, Python {platform.python_version()}, torch {torch.__version__}"
