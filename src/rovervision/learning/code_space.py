"""The space that clusters live in: codes centred, turned to their main axes, and brought to length one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rovervision.errors import RovervisionError

CHUNK_ROWS = 8192
"""Codes that are worked on at a time: memory is bounded, whatever their number."""

_AXES_ROWS = 20_000
"""Main axes are found on at most so many codes: their number decides no more than the third digit."""


@dataclass(frozen=True)
class CodeSpace:
    """An affine map of codes, and whether its results are brought to length one."""

    mean: NDArray[np.float32]
    """(D,) what is subtracted."""
    components: NDArray[np.float32]
    """(d, D) main axes as rows; with D rows of the identity where no axes are sought."""
    normalize: bool
    """Divide each result by its Euclidean length: distances are then those of angles."""

    def project(self, codes: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the places of codes. (N, D) to (N, d) float32; a code at the mean itself stays at zero."""
        check_codes(codes, dim=len(self.mean))
        places = np.empty((len(codes), len(self.components)), np.float32)
        for start in range(0, len(codes), CHUNK_ROWS):
            chunk = (np.asarray(codes[start : start + CHUNK_ROWS], np.float32) - self.mean) @ self.components.T
            if self.normalize:
                chunk /= np.maximum(np.linalg.norm(chunk, axis=1, keepdims=True), 1e-12)
            places[start : start + CHUNK_ROWS] = chunk
        return places


def fit_space(codes: NDArray[np.floating], dim: int | None, normalize: bool, seed: int) -> CodeSpace:
    """Return the space of codes: mean, the `dim` main axes (fewer where the codes have no more), and length.

    Args:
        codes: (N, D) finite numbers, N at least 2.
        dim: number of main axes (principal component analysis); None: all D directions as they are.
        normalize: bring places to length one.
        seed: decides which codes axes are found on, where there are more than 20,000.

    Raises:
        RovervisionError: the codes are too few, not finite, or all the same.
    """
    from sklearn.decomposition import PCA

    check_codes(codes, least=2)
    check_varied(codes)
    if dim is None:
        mean = np.asarray(codes, np.float64).mean(0)
        return CodeSpace(mean.astype(np.float32), np.eye(codes.shape[1], dtype=np.float32), normalize)
    rows = sample_rows(len(codes), _AXES_ROWS, seed)
    sample = np.asarray(codes[rows], np.float64)
    axes = PCA(min(dim, *sample.shape), random_state=seed).fit(sample)
    return CodeSpace(axes.mean_.astype(np.float32), axes.components_.astype(np.float32), normalize)


def sample_rows(n_rows: int, most: int | None, seed: int) -> NDArray[np.intp]:
    """Return at most `most` different row numbers, ascending; all where there are no more, or `most` is None."""
    if most is None or n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, most, replace=False))


def check_codes(codes: NDArray[np.floating], least: int = 1, dim: int | None = None) -> None:
    """Raise RovervisionError unless codes are (N, D) finite numbers, N at least `least`, D as given."""
    if codes.ndim != 2 or codes.shape[1] == 0:
        raise RovervisionError(f"Codes must be a table, one row per image: these have the shape {codes.shape}.")
    if len(codes) < least:
        raise RovervisionError(
            f"There are {len(codes)} images, too few to compare: at least {least} are needed. Give more images."
        )
    if dim is not None and codes.shape[1] != dim:
        raise RovervisionError(
            f"Codes have {codes.shape[1]} numbers and the fitted clusters know {dim}: they come from another encoder. "
            "Embed with the encoder that the clusters were made with, or cluster again."
        )
    bad = [start + int(np.argmin(fine)) for start, fine in _finite_rows(codes) if not fine.all()]
    if bad:
        raise RovervisionError(
            f"The code of image {bad[0]} is not finite (NaN or infinity). The encoder's training has diverged: "
            "lower its learning rate and train again."
        )


def check_varied(codes: NDArray[np.floating]) -> None:
    """Raise RovervisionError where all codes are the same: nothing could be told apart."""
    if all((codes[start : start + CHUNK_ROWS] == codes[0]).all() for start in range(0, len(codes), CHUNK_ROWS)):
        raise RovervisionError(
            f"All {len(codes)} codes are the same, so no clusters can be told apart. Either all images are the same, "
            "or the encoder's training has collapsed: lower its learning rate and train again."
        )


def _finite_rows(codes: NDArray[np.floating]) -> list[tuple[int, NDArray[np.bool_]]]:
    starts = range(0, len(codes), CHUNK_ROWS)
    return [(start, np.isfinite(codes[start : start + CHUNK_ROWS]).all(1)) for start in starts]
