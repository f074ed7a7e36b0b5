"""How good a colouring is: per image, per region, with an interval that knows that a sol's images are alike."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.imaging.color_difference import ciede2000
from rovervision.imaging.color_priors import ColorPriors, look_up, own_lookup

Float = NDArray[np.float32]

LOW_CHROMA = 8.0
"""Below this chroma C* a pixel counts as white, gray or black: on Mars that is nearly always hardware."""


def score_colors(lab: Float, ab: Float, regions: Mapping[str, NDArray[np.bool_]]) -> dict[str, float]:
    """Score predicted colours of one image against its true ones. All differences are CIEDE2000.

    Args:
        lab: (H, W, 3) float32, the true colours.
        ab: (H, W, 2) float32, the predicted ones; the lightness is the true one.
        regions: name → (H, W) mask; a score `ciede2000_<name>` is given for each, NaN where it is empty.

    Returns:
        ciede2000: mean over pixels. ciede2000_low_chroma: the same where the true C* is below 8.
        ab_mae: mean absolute error of a and b. chroma, predicted_chroma: mean C* of the truth and of the prediction.
        tint_error: difference of the two mean colours. structure_error: what is left once predicted ab is shifted
        to the true mean.
    """
    true_ab = lab[..., 1:]
    error = ciede2000(lab, _join(lab, ab))
    chroma, predicted_chroma = np.hypot(true_ab[..., 0], true_ab[..., 1]), np.hypot(ab[..., 0], ab[..., 1])
    shift = (true_ab - ab).mean(axis=(0, 1))
    mean_lab = lab.mean(axis=(0, 1))
    scores = {
        "ciede2000": float(error.mean()),
        "ciede2000_low_chroma": mean_where(error, chroma < LOW_CHROMA),
        "ab_mae": float(np.abs(true_ab - ab).mean()),
        "chroma": float(chroma.mean()),
        "predicted_chroma": float(predicted_chroma.mean()),
        "tint_error": float(ciede2000(mean_lab, np.concatenate([mean_lab[:1], mean_lab[1:] - shift]))),
        "structure_error": float(ciede2000(lab, _join(lab, ab + shift)).mean()),
    }
    return scores | {f"ciede2000_{name}": mean_where(error, mask) for name, mask in regions.items()}


def reference_colors(lab: Float, priors: ColorPriors, camera: str, coarse: int = 4) -> dict[str, Float]:
    """Return the ab of every baseline and oracle for one image, (H, W, 2) each.

    Baselines know the training set only. Oracles know something of the answer, and are the floor for what they know:
    the image's mean colour, its own table by lightness, its ab at a quarter of the resolution.
    """
    L, true_ab = lab[..., 0], lab[..., 1:]
    table = look_up(L, priors.lookup)
    height, width = L.shape
    small = cv2.resize(true_ab, (max(1, width // coarse), max(1, height // coarse)), interpolation=cv2.INTER_AREA)
    return {
        "gray": np.zeros_like(true_ab),
        "global_mean": np.broadcast_to(priors.mean_ab, true_ab.shape).astype(np.float32),
        "lightness_table": table,
        "camera_table": look_up(L, priors.table(camera)),
        "oracle_table_and_tint": table + (true_ab - table).mean(axis=(0, 1)),
        "oracle_own_table": look_up(L, own_lookup(lab)),
        "oracle_quarter_resolution": cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR),
    }


def mean_where(values: Float, mask: NDArray[np.bool_]) -> float:
    """Return the mean of the masked values, NaN where there is none."""
    return float(values[mask].mean()) if mask.any() else float("nan")


def bootstrap_interval(
    values: NDArray[np.float64], groups: NDArray[np.object_], draws: int, seed: int, level: float = 0.95
) -> tuple[float, float]:
    """Return an interval for the mean, drawing whole groups (sols) with replacement: percentile bootstrap.

    Images of one sol are near copies of one another; drawing single images would promise too much.

    Args:
        values: (N,) one score per image. groups: (N,) the sol of each.
        draws: number of resamples. seed: of the draws. level: share of the draws inside.
    """
    _, index = np.unique(groups.astype(str), return_inverse=True)
    sums, counts = np.bincount(index, values), np.bincount(index)
    picks = np.random.default_rng(seed).integers(0, len(sums), (draws, len(sums)))
    means = sums[picks].sum(1) / counts[picks].sum(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _join(lab: Float, ab: Float) -> Float:
    return np.concatenate([lab[..., :1], ab], axis=-1).astype(np.float32)
