"""The measure by which codes are compared: what differs between likes counts little, what differs besides counts much.

Relevant component analysis (Bar-Hillel et al., ICML 2003): codes are whitened by the covariance within pairs that are
known to show the same, here of the other eye and of neighbours in time. It needs no labels and is exact in one step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor


class MetricConfig(BaseModel):
    """How codes are measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["plain", "relevant"] = "relevant"
    """plain: codes as the encoder gives them. relevant: whitened by how companions differ."""
    ridge: float = Field(default=0.3, gt=0, le=10)
    """Added to the covariance within pairs, as a share of the mean variance: more trusts the pairs less."""


_NUMBERS_MAX, _MAIN_AXES = 512, 256
"""The work grows with the cube of the numbers in a code."""


@dataclass(frozen=True)
class CodeMetric:
    """What turns the codes of one encoder, or of two, into those that are compared."""

    means: tuple[NDArray[np.float32], ...]
    """Of each encoder's codes; none: codes stay as they are."""
    shares: tuple[float, ...]
    """How much of a distance comes from each encoder; their sum is 1."""
    matrix: NDArray[np.float32] | None
    """(D, d) that joined codes are multiplied with; None: they are not."""

    def apply(self, parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return (N, D) codes of the codes of each encoder, (N, D_i)."""
        if not self.means:
            return parts[0]
        joined = joined_codes(parts, self.means, self.shares)
        return joined if self.matrix is None else joined @ self.matrix

    def tensors(self) -> dict[str, Tensor]:
        """Return the arrays by name, as safetensors keeps them."""
        named = {f"metric.mean_{number}": mean for number, mean in enumerate(self.means)}
        named |= {} if self.matrix is None else {"metric.matrix": self.matrix}
        return {name: torch.from_numpy(array) for name, array in named.items()}

    @classmethod
    def restore(cls, tensors: dict[str, Tensor], shares: Sequence[float]) -> "CodeMetric":
        """Return the metric that `tensors` were taken of; names without `metric.`."""
        means = tuple(tensors[f"mean_{number}"].numpy() for number in range(len(tensors) - ("matrix" in tensors)))
        return cls(means, tuple(shares), tensors["matrix"].numpy() if "matrix" in tensors else None)


def fit_metric(
    parts: Sequence[NDArray[np.float32]], pairs: NDArray[np.int64], shares: Sequence[float], config: MetricConfig
) -> CodeMetric:
    """Return the metric of one encoder's codes, or of two encoders' together.

    Args:
        parts: (N, D_i) codes of each encoder.
        pairs: (n, 2) rows of likes. Without any, all directions count alike.
        shares: how much of a distance comes from each encoder.
        config: the kind of metric.
    """
    if config.kind == "plain" and len(parts) == 1:
        return CodeMetric((), (1.0,), None)
    means = tuple(part.mean(axis=0, dtype=np.float64).astype(np.float32) for part in parts)
    if config.kind == "plain":
        return CodeMetric(means, tuple(shares), None)
    matrix = relevant_components(joined_codes(parts, means, shares), pairs, config.ridge)
    return CodeMetric(means, tuple(shares), matrix)


def joined_codes(
    parts: Sequence[NDArray[np.float32]], means: Sequence[NDArray[np.float32]], shares: Sequence[float]
) -> NDArray[np.float32]:
    """Return codes less their mean, of length one, times the root of the encoder's share, side by side."""
    centered = [part - mean for part, mean in zip(parts, means, strict=True)]
    lengths = [np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-6) for part in centered]
    scaled = [np.sqrt(share) * part / long for share, part, long in zip(shares, centered, lengths, strict=True)]
    return np.concatenate(scaled, axis=1).astype(np.float32)


def relevant_components(codes: NDArray[np.float32], pairs: NDArray[np.int64], ridge: float) -> NDArray[np.float32]:
    """Return the matrix W^(-1/2) of W, the covariance within pairs with a ridge on its diagonal. (D, D), symmetric.

    W is estimated as if there were D pairs more that differ alike in all directions, as any two codes would: where
    there are few pairs, they say little.

    Codes of more than 512 numbers are brought to their 256 main axes first: (D, 256).
    """
    if codes.shape[1] > _NUMBERS_MAX:
        axes = main_axes(codes, min(_MAIN_AXES, len(codes)))
        return axes @ relevant_components(codes @ axes, pairs, ridge)
    dim = codes.shape[1]
    spread = float(codes.var(axis=0, dtype=np.float64).mean())
    apart = (codes[pairs[:, 0]] - codes[pairs[:, 1]]).astype(np.float64)
    prior = dim * spread * np.eye(dim)
    within = (apart.T @ apart / 2 + prior) / (len(pairs) + dim) + (ridge * spread + 1e-9) * np.eye(dim)
    values, vectors = np.linalg.eigh(within)
    matrix = (vectors / np.sqrt(values)) @ vectors.T
    return (matrix * np.sqrt(values.mean())).astype(np.float32)


def main_axes(codes: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return the main axes of codes as columns, (D, count)."""
    from sklearn.decomposition import PCA

    return PCA(count, svd_solver="randomized", random_state=0).fit(codes).components_.T.astype(np.float32)
