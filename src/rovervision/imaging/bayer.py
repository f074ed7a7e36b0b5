"""Colour filter mosaics: telling one from an ordinary gray picture, and making a colour picture of it."""

import cv2
import numpy as np

_BINOMIAL = np.array([0.25, 0.5, 0.25], np.float32)
"""Removes every frequency of a 2 x 2 pattern exactly, and passes linear gradients."""


def mosaic_score(gray: np.ndarray) -> float:
    """Return in [0, 1] how much of the finest detail of (H, W) uint8 repeats every 2 x 2 pixels as a Bayer mosaic does.

    The image minus its binomial blur keeps the finest detail r. The mean of r at each of the four 2 x 2 phases gives
    three amplitudes: along rows, along columns, and the checkerboard. A mosaic (R G / G B) has the first two alike, so
    only the smaller of them counts: interlaced lines alone score 0. The score is the energy of the pattern over the
    energy of r. r is clipped at four times its median size, so that a few hard edges do not decide.
    """
    even = gray[: gray.shape[0] // 2 * 2, : gray.shape[1] // 2 * 2].astype(np.float32)
    if min(even.shape) < 8:
        return 0.0
    detail = even - cv2.sepFilter2D(even, cv2.CV_32F, _BINOMIAL, _BINOMIAL, borderType=cv2.BORDER_REFLECT_101)
    limit = 4.0 * float(np.median(np.abs(detail[::3, ::3]))) + 1.0
    detail = np.clip(detail, -limit, limit)
    energy = cv2.norm(detail, cv2.NORM_L2SQR) / detail.size
    if energy < 1e-3:
        return 0.0
    rows, columns, checkers = _pattern_amplitudes(detail)
    axial = min(abs(rows), abs(columns))
    return (checkers**2 + 2.0 * axial**2) / energy


def _pattern_amplitudes(detail: np.ndarray) -> tuple[float, float, float]:
    """Return the amplitudes of alternation by row, by column, and as a checkerboard."""
    a, b = float(detail[0::2, 0::2].mean()), float(detail[0::2, 1::2].mean())
    c, d = float(detail[1::2, 0::2].mean()), float(detail[1::2, 1::2].mean())
    return (a + b - c - d) / 4.0, (a - b + c - d) / 4.0, (a - b - c + d) / 4.0


def debayer(mosaic: np.ndarray) -> np.ndarray:
    """Return the (H, W, 3) RGB picture of an (H, W) uint8 or uint16 mosaic whose top left 2 x 2 pixels are R G / G B.

    Mastcam, Mastcam-Z, MAHLI and MARDI deliver this order. Edge-aware interpolation; white balance is not touched.
    OpenCV names a pattern by its second row's second and third pixels: R G / G B is its "BG", and RGB out.
    """
    return cv2.cvtColor(np.ascontiguousarray(mosaic), cv2.COLOR_BayerBG2RGB_EA)
