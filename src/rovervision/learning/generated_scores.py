"""How good generated tiles are: distances between two sets of codes or pixels, each a plain function of arrays.

Codes are (N, D) floats of one encoder. `real` is what the generated set is compared with.
"""

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

Codes = NDArray[np.floating]


def frechet_distance(real: Codes, generated: Codes) -> float:
    """Return the Fréchet distance of the Gaussians fitted to two sets (Heusel et al., NeurIPS 2017, equation 6).

    |m - m'|² + tr(C + C' - 2 (C C')^½): the squared Wasserstein-2 distance of the Gaussians. It grows as samples
    get fewer, so compare it only at equal counts.
    """
    one, other = (np.asarray(each, np.float64) for each in (real, generated))
    apart = one.mean(0) - other.mean(0)
    covariances = [np.atleast_2d(np.cov(each, rowvar=False)) for each in (one, other)]
    half = scipy.linalg.cholesky(covariances[0] + 1e-12 * np.eye(len(covariances[0])), lower=True)
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(half.T @ covariances[1] @ half), 0, None)).sum()
    return float(max(apart @ apart + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * shared, 0))


def kernel_distance(real: Codes, generated: Codes) -> float:
    """Return the unbiased squared maximum mean discrepancy with the kernel (x·y / D + 1)³ (Bińkowski et al., 2018).

    Its expectation does not depend on the counts; it is zero for equal distributions and may come out below.
    """
    one, other = (np.asarray(each, np.float64) for each in (real, generated))

    def kernel(a: Codes, b: Codes) -> Codes:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def mean_of_pairs(a: Codes) -> float:
        of_all = kernel(a, a)
        return float((of_all.sum() - np.trace(of_all)) / (len(a) * (len(a) - 1)))

    return mean_of_pairs(one) + mean_of_pairs(other) - 2 * float(kernel(one, other).mean())


def neighbourhoods(real: Codes, generated: Codes, k: int = 5) -> dict[str, float]:
    """Return precision and recall (Kynkäänniemi et al., 2019), density and coverage (Naeem et al., 2020).

    A neighbourhood is the ball around an image out to its k-th nearest in its own set. precision: share of the
    generated in any real one. recall: the same the other way round. density: in how many real ones a generated lies,
    over k; 1 for equal sets, above where it keeps to the middle. coverage: share of the real ones that hold any.
    """
    from sklearn.metrics import pairwise_distances  # half a second that no other command should cost

    between = pairwise_distances(real, generated)
    of_real, of_generated = (np.sort(pairwise_distances(each), axis=1)[:, k] for each in (real, generated))
    inside = between <= of_real[:, None]
    return {
        "precision": float(inside.any(axis=0).mean()),
        "recall": float((between <= of_generated[None]).any(axis=1).mean()),
        "density": float(inside.sum(axis=0).mean() / k),
        "coverage": float(inside.any(axis=1).mean()),
    }


def power_spectrum(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean power of lightness at each whole spatial frequency, 1 to P/2 cycles a tile. (P / 2,) > 0.

    pixels: (N, P, P, 3). Lightness is the mean of the three channels over 255; a Hann window hides the tile's edges.
    """
    side = pixels.shape[1]
    gray = pixels.mean(axis=3) / 255
    window = np.outer(np.hanning(side), np.hanning(side))
    power = (np.abs(np.fft.fft2((gray - gray.mean(axis=(1, 2), keepdims=True)) * window)) ** 2).mean(axis=0)
    steps = np.fft.fftfreq(side, 1 / side)
    radius = np.rint(np.hypot(steps[:, None], steps[None])).astype(int)
    sums, counts = (np.bincount(radius.ravel(), each)[1 : side // 2 + 1] for each in (power.ravel(), np.ones(side**2)))
    return sums / counts + 1e-12


def spectrum_distance(real: NDArray[np.uint8], generated: NDArray[np.uint8]) -> float:
    """Return the root mean square difference of the decadic logarithms of two mean power spectra."""
    return float(np.sqrt(np.mean((np.log10(power_spectrum(real)) - np.log10(power_spectrum(generated))) ** 2)))


def mean_color_distance(real: NDArray[np.uint8], generated: NDArray[np.uint8]) -> float:
    """Return the Wasserstein-1 distance of the tiles' mean red, green and blue, averaged over the three, in 0..255."""
    shares = (np.arange(1000) + 0.5) / 1000
    quantiles = [np.quantile(each.mean(axis=(1, 2)), shares, axis=0) for each in (real, generated)]
    return float(np.abs(quantiles[0] - quantiles[1]).mean())


def memorised_share(generated_far: Codes, held_out_far: Codes, quantile: float = 0.01) -> float:
    """Return the share of the generated that lie nearer to a training tile than this quantile of held-out real ones.

    Both are distances to the nearest training tile. What is drawn like held-out tiles gives the quantile itself.
    """
    return float((generated_far < np.quantile(held_out_far, quantile)).mean())
