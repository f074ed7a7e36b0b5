"""Codes in two dimensions, for maps."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class ReductionConfig(BaseModel):
    """How codes are brought to two dimensions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pca", "tsne", "umap", "lle"] = "tsne"
    """umap needs the extra `map`."""
    pca_dim: int = Field(default=50, ge=2)
    """Codes are turned to so many main axes first, as van der Maaten & Hinton advise for t-SNE."""
    neighbours: int = Field(default=15, ge=2)
    """umap and lle: how many neighbours a code is placed by."""
    perplexity: float = Field(default=30.0, ge=2)
    """tsne: about how many neighbours a code is placed by; lowered where there are fewer than three times as many."""
    iterations: int = Field(default=500, ge=250)
    """tsne: steps."""
    fit_tiles: int = Field(default=5000, ge=10)
    """tsne, umap and lle are laid out with at most so many codes, drawn by the seed; the others are placed at the
    mean of their nearest three of these."""


def reduce_codes(codes: NDArray[np.floating], config: ReductionConfig, seed: int) -> NDArray[np.float32]:
    """Return places on a map. (N, D) to (N, 2) float32; the same for the same seed."""
    raise NotImplementedError
