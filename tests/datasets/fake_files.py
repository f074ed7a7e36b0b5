"""Promises of small files that note each call, refuse, or end the process that keeps them."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np

from rovervision.errors import RovervisionError
from rovervision.imaging.shard_plan import WorkersConfig


@dataclass(frozen=True)
class Body:
    """A promise of file `number`; every call leaves a file NUMBER.PID.* in the journal."""

    number: int
    journal: Path
    origin: str | None = "1"
    takes_s: float = 0.0
    n_deaths: int = 0
    """Calls that end the process, before one succeeds."""
    refusal: str = ""

    def __call__(self) -> bytes:
        (self.journal / f"{self.number}.{os.getpid()}.{uuid4().hex}").touch()
        time.sleep(self.takes_s)
        if len(list(self.journal.glob(f"{self.number}.*"))) <= self.n_deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.refusal == "unreadable":
            raise RovervisionError(f"number {self.number} is no image")
        if self.refusal:
            raise ValueError(self.refusal)
        return np.random.default_rng(self.number).bytes(200 + self.number)


class FilePlan(dict[str, Body]):
    """Files and the workers that are to make them."""

    def __init__(self, bodies: list[Body], workers: WorkersConfig) -> None:
        super().__init__({f"sol{body.number % 3}/{body.number}.png": body for body in bodies})
        self.workers = workers
