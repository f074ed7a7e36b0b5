"""Tiles that a denoiser makes up, by number: the same seed and number give the same tile."""

import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from rovervision.errors import RovervisionError
from rovervision.learning.denoiser import CHANGES, Conditions
from rovervision.learning.exported_denoiser import open_denoiser
from rovervision.learning.samplers import SamplerConfig, generators, sample
from rovervision.learning.weights import Weights

logger = logging.getLogger(__name__)

_LINES = 10
"""A long generation tells its progress in about so many lines."""


@dataclass(frozen=True)
class Wish:
    """What generated tiles shall show. None: as often as in training."""

    class_name: str | None = None
    camera: str | None = None


ANYTHING = Wish()


class TileMaker:
    """Makes tiles of one model, sampler and seed.

    Args:
        weights: a trained denoiser; its header's `pairs` are rows of camera number, class number and how many training
            tiles have both.
        sampler: how.
        seed: with a tile's number, decides camera, class and noise.
        device: where.
        wish: what the tiles shall show.

    Raises:
        RovervisionError: The model knows no such class or camera, or has not seen the one by the other.
    """

    def __init__(
        self, weights: Weights, sampler: SamplerConfig, seed: int, device: str | torch.device, wish: Wish = ANYTHING
    ) -> None:
        self.sampler, self.seed, self.device = sampler, seed, torch.device(device)
        self.conditions = Conditions.from_json(weights.header["conditions"])
        self.pairs = _fitting_pairs(np.array(weights.header["pairs"], np.int64).reshape(-1, 3), self.conditions, wish)
        self.tile_px = int(weights.header["denoiser"]["tile_px"])
        self.name = model_name(weights)
        self._model = open_denoiser(weights, self.device)

    def conditions_of(self, indices: Sequence[int]) -> NDArray[np.int64]:
        """Return numbers of camera and class of each tile, as frequent as in training. (N, 2)."""
        shares = np.cumsum(self.pairs[:, 2]) / self.pairs[:, 2].sum()
        drawn = [np.random.default_rng([self.seed, index, 1]).random() for index in indices]
        return self.pairs[np.searchsorted(shares, drawn, side="right").clip(max=len(shares) - 1), :2]

    def names_of(self, numbers: NDArray[np.int64]) -> tuple[list[str | None], list[str | None]]:
        """Return names of cameras and of classes; None for any."""
        cameras, classes = (None, *self.conditions.cameras), (None, *self.conditions.classes)
        return [cameras[camera] for camera, _ in numbers], [classes[class_] for _, class_ in numbers]

    def make(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        """Return the tiles of these numbers. (N, tile_px, tile_px, 3) uint8 sRGB."""
        condition = torch.zeros(len(indices), 2 + CHANGES)
        condition[:, :2] = torch.from_numpy(self.conditions_of(indices))
        images = sample(self._model, condition.to(self.device), generators(self.seed, indices), self.sampler)
        return to_pixels(images)

    def origin(self, indices: Sequence[int]) -> str:
        """Return a hash of all that these tiles follow from."""
        digest = hashlib.sha256(f"{self.sampler.model_dump_json()}{self.seed}{list(indices)}".encode())
        digest.update(self.pairs.tobytes())
        digest.update(self.name.encode())
        return digest.hexdigest()[:16]


def to_pixels(images: torch.Tensor) -> NDArray[np.uint8]:
    """Return images in -1..1 as sRGB bytes. (N, 3, P, P) to (N, P, P, 3)."""
    unit = ((images + 1) * 127.5).round().clamp(0, 255)
    return unit.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()


def model_name(weights: Weights) -> str:
    """Return a name that only these weights have: a hash of every tensor, and what they are told."""
    digest = hashlib.sha256(str(weights.header["conditions"]).encode())
    for name in sorted(weights.tensors):
        digest.update(name.encode() + weights.tensors[name].detach().cpu().contiguous().numpy().tobytes())
    return f"{weights.header['denoiser']['schedule']}-{digest.hexdigest()[:12]}"


class Progress:
    """Tells how many of `total` tiles are made and how long the others will take, in few lines."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.started = total, 0, time.monotonic()

    def add(self, count: int) -> None:
        """Count tiles that were made."""
        told = self.done * _LINES // self.total
        self.done += count
        if self.done * _LINES // self.total > told:
            left_s = (time.monotonic() - self.started) / self.done * (self.total - self.done)
            logger.info("%d of %d tiles generated  %d:%02d left", self.done, self.total, *divmod(round(left_s), 60))


class Block:
    """Tiles that are made together the first time that one of them is asked for. Threads may ask at the same time."""

    def __init__(self, maker: TileMaker, indices: Sequence[int], progress: Progress) -> None:
        self.maker, self.indices, self.progress = maker, list(indices), progress
        self._lock = threading.Lock()
        self._tiles: NDArray[np.uint8] | None = None

    def tiles(self) -> NDArray[np.uint8]:
        """Return all of them. (N, P, P, 3) uint8."""
        with self._lock:
            if self._tiles is None:
                self._tiles = self.maker.make(self.indices)
                self.progress.add(len(self.indices))
            return self._tiles


def blocks(maker: TileMaker, count: int, batch_size: int) -> list[Block]:
    """Return tiles 0 to count - 1 in blocks of one batch."""
    progress = Progress(count)
    tops = range(0, count, batch_size)
    return [Block(maker, range(top, min(top + batch_size, count)), progress) for top in tops]


def _fitting_pairs(pairs: NDArray[np.int64], conditions: Conditions, wish: Wish) -> NDArray[np.int64]:
    """Return the pairs of camera and class that are wished for."""
    wanted = []
    for column, (what, name, known) in enumerate(
        (("camera", wish.camera, conditions.cameras), ("class", wish.class_name, conditions.classes))
    ):
        if name is not None and name not in known:
            raise RovervisionError(
                f"This denoiser knows no {what} '{name}'. It knows {', '.join(known) or f'no {what} at all'}."
            )
        wanted.append(np.full(len(pairs), True) if name is None else pairs[:, column] == known.index(name) + 1)
    fitting = pairs[wanted[0] & wanted[1]]
    if len(fitting) == 0:
        raise RovervisionError(
            f"No training tile of the class {wish.class_name} was taken by {wish.camera}. Name only one of the two."
        )
    return fitting
