"""Codes in two dimensions, for maps."""

import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from rovervision.errors import RovervisionError
from rovervision.learning.code_space import check_codes, check_varied, fit_space, sample_rows

_ANCHORS = 3
_LLE_ROWS = 2000
"""Locally linear embedding is laid out with no more codes: its eigenvectors take minutes for 5,000."""


class ReductionConfig(BaseModel):
    """How codes are brought to two dimensions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pca", "tsne", "umap", "lle"] = "tsne"
    """umap needs the extra `map`."""
    pca_dim: int = Field(default=50, ge=2)
    """Codes are turned to so many main axes first, as van der Maaten & Hinton 2008 do for t-SNE (30)."""
    neighbours: int = Field(default=15, ge=2)
    """umap and lle: how many neighbours a code is placed by; all, where there are no more."""
    perplexity: float = Field(default=30.0, ge=2)
    """tsne: about how many neighbours a code is placed by; a third of the codes, where that is less."""
    iterations: int = Field(default=500, ge=250)
    """tsne: steps, of which the first 250 gather."""
    fit_tiles: int = Field(default=5000, ge=10)
    """tsne, umap and lle (2,000 at most) are laid out with at most so many codes, drawn by the seed; each other one is
    placed amid its three nearest of these."""


def reduce_codes(codes: NDArray[np.floating], config: ReductionConfig, seed: int) -> NDArray[np.float32]:
    """Return places on a map. (N, D) to (N, 2) float32, of no unit; the same for the same seed.

    Distances on a pca map are those of the codes as far as two axes tell them; on the others only neighbourhood
    counts.

    Raises RovervisionError for fewer than 4 codes (2 for pca), codes that are all the same or not finite, and umap
    without its package.
    """
    check_codes(codes, least=2 if config.kind == "pca" else 4)
    check_varied(codes)
    places = fit_space(codes, 2 if config.kind == "pca" else config.pca_dim, False, seed).project(codes)
    places = np.pad(places, ((0, 0), (0, max(0, 2 - places.shape[1]))))  # codes of one number lie on a line
    if config.kind == "pca":
        return places
    most = min(config.fit_tiles, _LLE_ROWS) if config.kind == "lle" else config.fit_tiles
    rows = sample_rows(len(places), most, seed)
    laid_out = _LAYOUTS[config.kind](places[rows], config, seed)
    return laid_out if len(rows) == len(places) else _amid_anchors(places, places[rows], laid_out, rows)


def lay_out_by_umap(places: NDArray[np.float32], dim: int, neighbours: int, seed: int) -> NDArray[np.float32]:
    """Return places of UMAP (McInnes, Healy & Melville 2018). (N, d) to (N, dim).

    Raises RovervisionError where the package umap-learn is absent.
    """
    try:
        from umap import UMAP
    except ImportError as error:
        raise RovervisionError(
            "UMAP needs the package umap-learn. Install it with: pip install 'rovervision[map]'. Or take tsne or pca."
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that one seed means one thread, and that tiny graphs fall apart
        umap = UMAP(
            n_components=dim, n_neighbors=min(neighbours, len(places) - 1), random_state=seed, n_jobs=1,
            init="spectral" if len(places) > 4 * dim else "random",
        )  # fmt: skip
        return np.asarray(umap.fit_transform(places), np.float32)


def _lay_out_by_umap(places: NDArray[np.float32], config: ReductionConfig, seed: int) -> NDArray[np.float32]:
    return lay_out_by_umap(places, 2, config.neighbours, seed)


def _lay_out_by_tsne(places: NDArray[np.float32], config: ReductionConfig, seed: int) -> NDArray[np.float32]:
    """van der Maaten & Hinton 2008; started on the main axes (Kobak & Berens 2019)."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(config.perplexity, max(1.0, (len(places) - 1) / 3))
    with threadpool_limits(1):  # sums by several threads come out in the order in which these finish
        tsne = TSNE(perplexity=perplexity, max_iter=config.iterations, init="pca", random_state=seed)
        return np.asarray(tsne.fit_transform(places), np.float32)


def _lay_out_linearly(places: NDArray[np.float32], config: ReductionConfig, seed: int) -> NDArray[np.float32]:
    """Locally linear embedding (Roweis & Saul 2000)."""
    from sklearn.manifold import LocallyLinearEmbedding

    neighbours = min(config.neighbours, len(places) - 1)
    # the dense solver is exact, and small ones end in it anyhow
    solver = "dense" if len(places) <= 1000 else "auto"
    embedding = LocallyLinearEmbedding(n_neighbors=neighbours, eigen_solver=solver, random_state=seed)
    try:
        return np.asarray(embedding.fit_transform(places.astype(np.float64)), np.float32)
    except (ValueError, RuntimeError, np.linalg.LinAlgError) as error:
        raise RovervisionError(
            f"Locally linear embedding found no map ({error}): many codes are nearly the same. Take tsne or pca."
        ) from error


_LAYOUTS = {"tsne": _lay_out_by_tsne, "umap": _lay_out_by_umap, "lle": _lay_out_linearly}


def _amid_anchors(
    places: NDArray[np.float32], anchors: NDArray[np.float32], laid_out: NDArray[np.float32], rows: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the map of all places: anchors where they were laid out, the others at the mean of their nearest three."""
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=_ANCHORS).fit(anchors).kneighbors(places, return_distance=False)
    placed = laid_out[near].mean(1)
    placed[rows] = laid_out
    return placed.astype(np.float32)
