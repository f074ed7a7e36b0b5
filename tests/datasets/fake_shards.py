"""Promises of small shards that note each call, take their time, fail, or end the process that keeps them."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd

from rovervision.imaging.tiles import ExaminedShard


def made(number: int) -> ExaminedShard:
    ids = [f"f{number}a", f"f{number}b"]
    frames = pd.DataFrame(
        {
            "frame_id": ids,
            "failure": pd.array([None, "torn"], "string"),
            "entropy_bits": [number / 7, np.nan],
            "thumbnail": [b"ab", None],
        }
    )
    candidates = pd.DataFrame({"frame_id": ids[:1], "left_px": [number]})
    pixels = np.random.default_rng(number).integers(0, 256, (1, 4, 4, 3), dtype=np.uint8)
    return ExaminedShard(frames, candidates, pixels, np.zeros((1, 4, 4), np.uint8))


@dataclass(frozen=True)
class Fake:
    """A promise of shard `number`; every call leaves a file NUMBER.PID.* in the journal."""

    number: int
    journal: Path
    origin: str | None = "1"
    takes_s: float = 0.0
    n_deaths: int = 0
    """Calls that end the process, before one succeeds."""

    @property
    def frame_ids(self) -> tuple[str, ...]:
        return f"f{self.number}a", f"f{self.number}b"

    def __call__(self) -> ExaminedShard:
        (self.journal / f"{self.number}.{os.getpid()}.{uuid4().hex}").touch()
        time.sleep(self.takes_s)
        if len(list(self.journal.glob(f"{self.number}.*"))) <= self.n_deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        return made(self.number)


def calls(journal: Path) -> dict[int, int]:
    """Count the calls of each promise."""
    numbers = [int(path.name.partition(".")[0]) for path in journal.iterdir()]
    return {number: numbers.count(number) for number in sorted(set(numbers))}


def processes(journal: Path) -> set[int]:
    """Return the processes that kept promises."""
    return {int(path.name.split(".")[1]) for path in journal.iterdir()}


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
