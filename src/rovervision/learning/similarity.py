"""What is alike, and what is like nothing else."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rovervision.errors import RovervisionError
from rovervision.learning.code_space import check_codes

_ROWS = 1024
"""Queries that are worked on at a time."""


def nearest(
    codes: NDArray[np.floating],
    queries: NDArray[np.floating],
    count: int,
    engine: Literal["auto", "exact", "faiss"] = "auto",
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows of the nearest codes and their Euclidean distances, nearest first. Exact, in bounded memory.

    Args:
        codes: (N, D). Divide them by their length where angles are meant.
        queries: (Q, D).
        count: neighbours of each; all where there are no more. A query that is among the codes finds itself.
        engine: `exact` is scikit-learn's; `faiss` searches exhaustively as well (extra `map`), and may choose otherwise
            only among codes equally far to float32's accuracy; `auto` takes it where it is installed.

    Returns:
        (Q, count) row numbers and (Q, count) distances.

    Raises:
        RovervisionError: no codes, other lengths, NaN; faiss is asked for and absent.
    """
    check_codes(codes)
    check_codes(queries, dim=codes.shape[1])
    count = min(count, len(codes))
    if count < 1:
        raise RovervisionError(f"{count} nearest frames cannot be listed. Ask for 1 or more.")
    index = None if engine == "exact" else _faiss_index(codes, must=engine == "faiss")
    rows = _nearest_exactly(codes, queries, count) if index is None else _nearest_by_faiss(index, queries, count)
    return _sorted_by_distance(codes, queries, rows)


def outliers(
    codes: NDArray[np.floating], count: int, neighbour: int = 5
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows of the codes that are like no other, farthest first, and how far.

    An outlier is far from its `neighbour`-th neighbour (Ramaswamy, Rastogi & Shim 2000): one odd frame counts, and also
    a handful of frames of one odd thing, where they are fewer than that.

    Args:
        codes: (N, D), N at least 2.
        count: how many; all where there are no more.
        neighbour: which neighbour; the last where there are fewer.

    Returns:
        (count,) row numbers and (count,) distances.

    Raises:
        RovervisionError: fewer than two codes, or NaN.
    """
    check_codes(codes, least=2)
    _, distances = nearest(codes, codes, min(neighbour, len(codes) - 1) + 1)  # each is its own nearest
    order = np.argsort(-distances[:, -1], kind="stable")[:count]
    return order.astype(np.int64), distances[order, -1]


def _nearest_exactly(codes: NDArray[np.floating], queries: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(np.asarray(codes, np.float32))
    return np.asarray(search.kneighbors(np.asarray(queries, np.float32), return_distance=False), np.int64)


def _faiss_index(codes: NDArray[np.floating], must: bool) -> object | None:
    try:
        import faiss
    except ImportError as error:
        if must:
            raise RovervisionError(
                "FAISS is not installed. Install it with: pip install 'rovervision[map]'. Or take the engine exact."
            ) from error
        return None
    index = faiss.IndexFlatL2(codes.shape[1])
    index.add(np.ascontiguousarray(codes, np.float32))
    return index


def _nearest_by_faiss(index: object, queries: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    _, rows = index.search(np.ascontiguousarray(queries, np.float32), count)  # type: ignore[attr-defined]
    return np.asarray(rows, np.int64)


def _sorted_by_distance(
    codes: NDArray[np.floating], queries: NDArray[np.floating], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return rows by distance, taken of differences: |q|² + |c|² - 2qc loses the small ones to rounding."""
    distances = np.empty(rows.shape, np.float64)
    for at in range(0, len(queries), _ROWS):
        near = np.asarray(codes[rows[at : at + _ROWS].ravel()], np.float64).reshape(*rows[at : at + _ROWS].shape, -1)
        distances[at : at + _ROWS] = np.linalg.norm(near - queries[at : at + _ROWS, None], axis=2)
    order = np.lexsort((rows, distances), axis=1)
    return np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1).astype(np.float32)
