"""Batches of tiles for encoders: pairs of views that belong together, or single views. All follows from a seed."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rovervision.imaging.descriptors import resize
from rovervision.learning.positive_pairs import Companions
from rovervision.learning.views import ViewConfig, cut_out, make_views

_MONITOR = 2**31
"""The number in the place of the epoch's where the same views are wanted each time."""


class TileBatches:
    """Epochs of single images as the network takes them.

    Args:
        pixels: (N, P, P, 3) uint8 sRGB; may be a memory map.
        rows: the tiles to use, as row numbers.
        batch_size: tiles per batch. All batches are of one size: the rest of an epoch is left out.
        input_px: side that tiles are brought to.
        views: how they are changed; of it, autoencoders know the rectangle and the mirror.
        seed: with the epoch's number, the only source of randomness.
        epoch_tiles: tiles in an epoch; None: as many as there are.
        fixed: every epoch is the same, in the order of the rows, for a loss that is to be compared.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        rows: NDArray[np.int64],
        batch_size: int,
        input_px: int,
        views: ViewConfig,
        seed: int,
        epoch_tiles: int | None = None,
        fixed: bool = False,
    ) -> None:
        self.pixels, self.rows, self.input_px, self.views, self.seed = pixels, np.asarray(rows), input_px, views, seed
        self.batch_size, self.fixed = min(batch_size, len(rows)), fixed
        self.epoch_tiles = len(self.rows) if fixed or epoch_tiles is None else epoch_tiles

    def __len__(self) -> int:
        return max(1, self.epoch_tiles // self.batch_size)

    def epoch(self, number: int, device: torch.device | None = None) -> Iterator[tuple[Tensor, ...]]:
        """Yield batches; epochs count from 0."""
        rng = np.random.default_rng([self.seed, _MONITOR if self.fixed else number])
        order = self._order(rng)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            yield self._batch(order[start : start + self.batch_size], rng, device)

    def _batch(
        self, rows: NDArray[np.int64], rng: np.random.Generator, device: torch.device | None
    ) -> tuple[Tensor, ...]:
        return (cut_out(self._unit(rows, device), self.views.area_min, self.views.flip, rng),)

    def _unit(self, rows: NDArray[np.int64], device: torch.device | None) -> Tensor:
        return to_unit(self.pixels[rows], self.input_px, device)

    def _order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        if self.fixed:
            return self.rows
        rounds = math.ceil(self.epoch_tiles / len(self.rows))
        return np.concatenate([rng.permutation(self.rows) for _ in range(rounds)])


class PairBatches(TileBatches):
    """Epochs of (view, view, sequence, sequence): of a tile, and of it or its companion.

    Args, besides those of `TileBatches`:
        companions: of all tiles; those of other rows than `rows` are not drawn.
        share: so often the second view is of a companion.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        rows: NDArray[np.int64],
        batch_size: int,
        input_px: int,
        views: ViewConfig,
        seed: int,
        companions: Companions,
        share: float,
        epoch_tiles: int | None = None,
        fixed: bool = False,
    ) -> None:
        super().__init__(pixels, rows, batch_size, input_px, views, seed, epoch_tiles, fixed)
        self.companions, self.share = companions.among(self.rows), share

    def _batch(
        self, rows: NDArray[np.int64], rng: np.random.Generator, device: torch.device | None
    ) -> tuple[Tensor, ...]:
        others = self.companions.draw(rows, self.share, rng)
        views = [make_views(self._unit(chosen, device), self.views, rng) for chosen in (rows, others)]
        sequences = [torch.from_numpy(self.companions.sequences[chosen]).to(device) for chosen in (rows, others)]
        return (*views, *sequences)


def to_unit(pixels: NDArray[np.uint8], input_px: int, device: torch.device | None) -> Tensor:
    """Return images as networks take them. (N, P, P, 3) uint8 to (N, 3, input_px, input_px) in 0..1."""
    resized = np.ascontiguousarray(resize(pixels, input_px))
    return torch.from_numpy(resized).to(device).permute(0, 3, 1, 2).to(torch.float32) / 255
