"""The kinds of colorizer: one configuration, one way to build them, one form of weights."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, field_validator
from torch import Tensor, nn

from rovervision.imaging.color_bins import ColorBins
from rovervision.imaging.color_priors import ColorPriors
from rovervision.learning.classification import ClassificationColorizer, ClassificationConfig
from rovervision.learning.colorizer import COARSE, FOLDS, Colorizer, any_camera, pad_to_multiple
from rovervision.learning.ensemble import EnsembleColorizer
from rovervision.learning.kinds import known_kind
from rovervision.learning.originals import MarginalColorizer, RegressionColorizer
from rovervision.learning.residual import ResidualColorizer, ResidualConfig

__all__ = [
    "COARSE", "FOLDS", "KINDS", "ClassificationConfig", "Colorizer", "Kind", "ModelConfig", "ResidualColorizer",
    "ResidualConfig", "any_camera", "build_colorizer", "number_cameras", "pad_to_multiple", "stack_tables",
]  # fmt: skip

Kind = Literal["residual", "classification", "regression", "classification_marginal"]
KINDS: tuple[str, ...] = get_args(Kind)


class ModelConfig(BaseModel):
    """Which colorizer; each kind that can be told something has a section of its own, read for that kind only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "residual"
    residual: ResidualConfig = ResidualConfig()
    classification: ClassificationConfig = ClassificationConfig()

    @field_validator("kind", mode="before")
    @classmethod
    def _is_known(cls, kind: Any) -> Any:
        return known_kind(kind, KINDS)


GRAY_ONLY = ColorBins(np.zeros((1, 2), np.float32), np.ones(1, np.float32))
"""What a classification knows before it is told which colours occur; weights that are loaded tell it."""


def build_colorizer(tables: Tensor, config: ModelConfig, bins: ColorBins = GRAY_ONLY) -> Colorizer:
    """Return an untrained colorizer. Its weights come from torch's generator: see `training.seeded`.

    Args:
        tables: (1 + C, 101, 2) starting tables; kinds that use none have as many of zeros.
        config: the kind, and what it is told.
        bins: the colours that occur, for classification. Not needed where weights are loaded afterwards.
    """
    match config.kind:
        case "classification":
            return ClassificationColorizer(tables, config.classification, bins)
        case "regression":
            return RegressionColorizer(tables)
        case "classification_marginal":
            return MarginalColorizer(tables)
    if config.residual.members == 1:
        return ResidualColorizer(tables, config.residual)
    members = [ResidualColorizer(tables, config.residual) for _ in range(config.residual.members)]
    return EnsembleColorizer(members, config.residual.member_frac)


def has_batch_statistics(model: nn.Module) -> bool:
    """Tell whether the model's answer, while it trains, depends on batch mates."""
    return any(isinstance(module, nn.BatchNorm2d) for module in model.modules())


def stack_tables(priors: ColorPriors, camera_share: float) -> tuple[Tensor, tuple[str, ...]]:
    """Return the tables that a colorizer starts from, (1 + C, 101, 2), and the C cameras' names in that order.

    A camera that nobody could name has no table of its own.
    """
    names = tuple(name for name in priors.by_camera if "unknown" not in name.split("/"))
    own = (camera_share * priors.by_camera[name] + (1 - camera_share) * priors.lookup for name in names)
    return torch.from_numpy(np.stack([priors.lookup, *own]).astype(np.float32)), names


def number_cameras(names: Sequence[str], known: Sequence[str]) -> Tensor:
    """Return camera numbers: 1 for the first known camera, and so on; 0 for one that is not known. (N,) int64."""
    numbers = {name: number for number, name in enumerate(known, start=1)}
    return torch.tensor([numbers.get(name, 0) for name in names], dtype=torch.int64)
