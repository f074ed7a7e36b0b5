"""Several networks of one kind, whose corrections are averaged: what one of them learnt by chance counts less."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rovervision.learning.colorizer import FOLDS, Colorizer
from rovervision.learning.pretrained import EncoderWeights
from rovervision.learning.residual import ResidualColorizer
from rovervision.learning.shared_batches import AllRows


class EnsembleColorizer(Colorizer):
    """The mean of its members, each trained on its own and without some of the groups (bagging, Breiman 1996).

    Args:
        members: colorizers over the same tables.
        member_frac: share of the folds of training groups that a member learns from.
    """

    members: nn.ModuleList
    side_heads = ResidualColorizer.side_heads

    def __init__(self, members: Sequence[ResidualColorizer], member_frac: float) -> None:
        super().__init__(members[0].tables)
        self.members, self.member_frac, self.all_rows = nn.ModuleList(members), member_frac, AllRows()

    def each(self) -> list[ResidualColorizer]:
        """Return the members."""
        return [member for member in self.members if isinstance(member, ResidualColorizer)]

    def correction(self, lightness: Tensor) -> Tensor:
        """Return the mean of the members' corrections. (N, 1, H, W) to (N, 2, H/4, W/4)."""
        return torch.stack([member.correction(lightness) for member in self.each()]).mean(dim=0)

    def doubt(self, lightness: Tensor) -> Tensor:
        """Return the mean of the members' doubts. (N, 1, H, W) to (N, 1, H/4, W/4)."""
        return torch.stack([member.doubt(lightness) for member in self.each()]).mean(dim=0)

    def loss(self, lightness: Tensor, camera: Tensor, ab: Tensor, fold: Tensor | None = None) -> Tensor:
        """Return the mean of the members' losses, each over the tiles that it learns from.

        Where several processes share the batch, each of their losses counts by its share of the batch's tiles; a member
        must count by its share of those that it learns from.
        """
        if fold is None:
            return torch.stack([member.loss(lightness, camera, ab) for member in self.each()]).mean()
        folds, place = self.all_rows(fold), self.all_rows.place(len(fold))
        losses = []
        for number, member in enumerate(self.each()):
            learns = learnt_by(number, len(self.members), self.member_frac, folds)
            own = learns[place]
            if own.any():
                weight = own.sum() / learns.sum() * (len(folds) / len(fold))
                losses.append(weight * member.loss(lightness[own], camera[own], ab[own]))
        return torch.stack(losses).sum() / len(self.members) if losses else lightness.new_zeros(())

    def take_encoder(self, weights: EncoderWeights) -> None:
        """Set every member's encoder to its ImageNet weights, where the configuration asks for one."""
        for member in self.each():
            member.take_encoder(weights)


def learnt_by(member: int, members: int, member_frac: float, fold: Tensor) -> Tensor:
    """Return which tiles a member learns from. (N,) int64 folds to (N,) bool, never all False.

    Members leave out neighbouring folds, starting at evenly spaced ones. Where that leaves a batch without any tile,
    the member takes them all.
    """
    left_out = round((1 - member_frac) * FOLDS)
    learns = (fold - round(member * FOLDS / members)) % FOLDS >= left_out
    return learns if bool(learns.any()) else torch.ones_like(learns)
