"""Plans of what a small model makes, whose openings and uses are noted."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import torch

from rovervision.imaging.shard_plan import WorkersConfig
from rovervision.learning.model_use import ModelAtHand, ModelPlan, ModelUse, PiecedTablePlan
from rovervision.learning.weights import Weights


def model_of(journal: Path, value: float = 2.0) -> ModelAtHand:
    """A model that multiplies; each opening leaves a file open.PID.* in the journal."""
    return ModelAtHand({"factor": Weights({"value": torch.tensor([value] * 5000)})}, Opening(journal))


@dataclass(frozen=True)
class Opening:
    journal: Path

    def __call__(self, weights: Mapping[str, Weights]) -> float:
        (self.journal / f"open.{os.getpid()}.{uuid4().hex}").touch()
        return float(weights["factor"].tensors["value"][0])


@dataclass(frozen=True)
class Times:
    """What a use of the model is."""

    number: int
    takes_s: float = 0.0

    def __call__(self, factor: float) -> bytes:
        time.sleep(self.takes_s)
        return f"{os.path.sep}{self.number * factor}".encode()


def multiplying(model: ModelAtHand, count: int, workers: WorkersConfig, takes_s: float = 0.0) -> ModelPlan:
    """A plan of files that a model makes."""
    uses = {f"{number}.txt": ModelUse(Times(number, takes_s), model, f"origin {number}") for number in range(count)}
    return ModelPlan(uses, model=model, workers=workers)


@dataclass(frozen=True)
class Rows:
    """Some rows of a table; the odd ones have a failure, the killers end their process."""

    numbers: tuple[int, ...]
    journal: Path
    killers: tuple[int, ...] = ()

    def __call__(self, factor: float) -> bytes:
        for number in self.numbers:
            (self.journal / f"{number}.{os.getpid()}.{uuid4().hex}").touch()
            if number in self.killers:
                os.kill(os.getpid(), signal.SIGKILL)
        return parquet([row(number, factor) for number in self.numbers])


def row(number: int, factor: float) -> dict[str, Any]:
    if number >= 8:
        return {"number": number, "failure": "too large"}
    return {"number": number, "code": np.full(3, number * factor, np.float32)}


def parquet(rows: list[dict[str, Any]]) -> bytes:
    columns = ["number", "code", "failure"]
    table = pd.DataFrame([dict.fromkeys(columns) | each for each in rows], columns=columns)
    body: bytes = table.to_parquet(index=False)
    return body


def table_plan(
    model: ModelAtHand, journal: Path, count: int, workers: WorkersConfig, killers: tuple[int, ...] = (), size: int = 4
) -> PiecedTablePlan:
    """A plan of a table of `count` rows, `size` in a piece."""
    pieces = {f"{top:03d}.parquet": tuple(range(top, min(top + size, count))) for top in range(0, count, size)}

    def use(numbers: tuple[int, ...]) -> ModelUse:
        return ModelUse(Rows(numbers, journal, killers), model, f"{numbers} {killers}")

    return PiecedTablePlan(
        {piece: use(numbers) for piece, numbers in pieces.items()}, model=model, workers=workers,
        alone=lambda piece: {f"{number}.parquet": use((number,)) for number in pieces[piece]},
        failed=lambda name, sentence: parquet([{"number": int(name.partition(".")[0]), "failure": sentence}]),
    )  # fmt: skip
