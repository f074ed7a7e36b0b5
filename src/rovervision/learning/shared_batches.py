"""One batch that lies on several processes: its parts, and the layers that have to look at all of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from rovervision.learning.collectives import sum_over_ranks


@dataclass
class Share:
    """Which rows of the batch at hand this process has."""

    rank: int
    size: int
    """Of so many processes."""
    before: int = 0
    own: int = 0
    after: int = 0
    """Rows that lie on processes before this one, on it, and on those after it."""


def cut(rows: int, parts: int) -> list[slice]:
    """Return consecutive slices of so many rows that differ by one row at most; the larger ones first."""
    least, more = divmod(rows, parts)
    ends = [number * least + min(number, more) for number in range(parts + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]


class Parts:
    """Cuts batches into what this process computes at once.

    Args:
        share: which of how many processes this is; told the rows at hand.
        accumulate: so many pieces, one after the other.
        is_whole: the model looks at the whole batch, so a process without a row takes part all the same: it computes
            the first row, which counts for nothing.
    """

    def __init__(self, share: Share, accumulate: int, is_whole: bool) -> None:
        self.share, self.accumulate, self.is_whole = share, accumulate, is_whole

    def of(self, batch: tuple[Tensor, ...]) -> Iterator[tuple[tuple[Tensor, ...], int]]:
        """Yield the pieces of a batch, and how many of its rows each counts for."""
        rows = len(batch[0])
        if self.share.size == self.accumulate == 1:
            yield batch, rows
            return
        own = cut(rows, self.share.size)[self.share.rank]
        count = own.stop - own.start
        self.share.before, self.share.own, self.share.after = own.start, count, rows - own.stop
        if count == 0 and self.is_whole:
            yield tuple(each[:1] for each in batch), 0
        for piece in cut(count, min(count, self.accumulate)) if count else ():
            first, last = own.start + piece.start, own.start + piece.stop
            yield tuple(each[first:last] for each in batch), last - first


class AllRows(nn.Module):
    """The rows of a batch as they are; where several processes train together, those of all, in their order.

    A loss that compares the rows of a batch with one another passes them through this first.
    """

    share: Share | None = None

    def place(self, rows: int) -> slice:
        """Return where this process's rows, so many if it is alone, lie among all."""
        return slice(0, rows) if self.share is None else slice(self.share.before, self.share.before + self.share.own)

    def forward(self, own: Tensor) -> Tensor:
        """Return (N, ...) of this process's (n, ...)."""
        if self.share is None:
            return own
        counted = own[: self.share.own]
        return sum_over_ranks(F.pad(counted, (*(0, 0) * (own.ndim - 1), self.share.before, self.share.after)))


class SharedBatchNorm(_BatchNorm):
    """Batch normalisation by the mean and variance of the whole batch, which lies on several processes.

    torch's own `SyncBatchNorm` knows no CPU. Counts, means and squared deviations of the parts are put together as
    Chan, Golub and LeVeque do (The American Statistician 37, 1983, equation 2.1).

    Args:
        other: the layer whose place this one takes; parameters and buffers are the same objects.
        share: which part of the batch this process has.
    """

    def __init__(self, other: _BatchNorm, share: Share) -> None:
        super().__init__(other.num_features, other.eps, other.momentum, other.affine, other.track_running_stats)
        self.weight, self.bias = other.weight, other.bias
        self.running_mean, self.running_var = other.running_mean, other.running_var
        self.num_batches_tracked = other.num_batches_tracked
        self.share = share
        self.train(other.training)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, C, ...) normalised, of the same type."""
        if not self.training:
            return super().forward(x)
        count, mean, variance = self._moments(x.float().transpose(0, 1).flatten(1))
        if self.running_mean is not None and self.running_var is not None and self.momentum is not None:
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), self.momentum)
                if self.num_batches_tracked is not None:
                    self.num_batches_tracked.add_(1)
        shape = (1, -1, *[1] * (x.ndim - 2))
        scale = self.weight / torch.sqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return (x.float() * scale.view(shape) + shift.view(shape)).to(x.dtype)

    def _moments(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return number, means and variances over all processes. (C, n)."""
        values = values if self.share.own else values[:, :0]
        mean = values.sum(dim=1) / max(1, values.shape[1])
        deviation = (values - mean[:, None]).square().sum(dim=1)
        own = torch.cat([mean.new_full((1,), values.shape[1]), mean, deviation])
        after = self.share.size - self.share.rank - 1
        counts, means, deviations = sum_over_ranks(F.pad(own[None], (0, 0, self.share.rank, after))).split(
            [1, len(mean), len(mean)], dim=1
        )
        whole = counts.sum()
        mean = (counts * means).sum(dim=0) / whole
        return whole, mean, (deviations + counts * (means - mean) ** 2).sum(dim=0) / whole

    def _check_input_dim(self, input: Tensor) -> None:
        pass


def looks_across(model: nn.Module) -> bool:
    """Tell whether what a model does with a row in training depends on the other rows of the batch."""
    return any(isinstance(each, AllRows | _BatchNorm) for each in model.modules())


def share_batches(model: nn.Module, share: Share) -> None:
    """Make the layers that look at the whole batch look at all processes' parts of it."""
    for parent, name, layer in list(_layers(model)):
        if isinstance(layer, AllRows):
            layer.share = share
        elif isinstance(layer, _BatchNorm):
            setattr(parent, name, SharedBatchNorm(layer, share))


def _layers(model: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    for parent in model.modules():
        yield from ((parent, name, layer) for name, layer in parent.named_children())
