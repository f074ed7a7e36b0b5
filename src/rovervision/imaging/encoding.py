"""Images to bytes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.errors import RovervisionError


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Return PNG bytes of (H, W) gray or (H, W, 3) sRGB uint8."""
    done, buffer = cv2.imencode(".png", image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise RovervisionError(f"An image of shape {image.shape} cannot be written as PNG: make it smaller.")
    return buffer.tobytes()
