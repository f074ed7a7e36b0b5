"""A trained colorizer as one function over arrays, for MLflow and for anyone who has only the weights file."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rovervision.learning.colorizing import colorize, load_colorizer
from rovervision.learning.weights import read_weights


def open_colorizer(files: Mapping[str, str]) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Return a function that colours a batch of gray images.

    Args:
        files: `weights` → path of a colorizer's safetensors file.

    Returns:
        (N, H, W, 1) uint8 gray to (N, H, W, 3) uint8 sRGB, each image on its own.
    """
    weights = read_weights(Path(files["weights"]))
    model, work_px = load_colorizer(weights), int(weights.header["work_px"])

    def colorize_batch(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.stack([colorize(np.ascontiguousarray(image[..., 0]), model, work_px) for image in images])

    return colorize_batch
