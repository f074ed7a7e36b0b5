"""A map of doubt as a picture that people and programs can read."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rovervision.imaging.png_text import with_text

STEPS_PER_UNIT = 10
"""A pixel's number is its expected error in tenths of CIEDE2000, up to 25.5."""

BRIGHTEST = 10.0
"""Expected error that is drawn in the brightest colour; larger ones look the same."""


def draw_doubt(doubt: NDArray[np.float32]) -> bytes:
    """Return PNG bytes of an expected error, (H, W) in units of CIEDE2000.

    Pixels are numbers (see `STEPS_PER_UNIT`) with a palette that draws them from dark blue over gray to yellow:
    cividis, even in lightness and readable by the colour-blind (Nunez, Anderton and Renslow, PLOS ONE 13(7), 2018).
    """
    from matplotlib import colormaps

    numbers = np.clip(np.rint(doubt * STEPS_PER_UNIT), 0, 255).astype(np.uint8)
    shades = np.minimum(np.arange(256) / (STEPS_PER_UNIT * BRIGHTEST), 1)
    palette = np.rint(colormaps["cividis"](shades)[:, :3] * 255).astype(np.uint8)
    picture = Image.fromarray(numbers).convert("P")
    picture.putpalette(palette.tobytes())
    file = io.BytesIO()
    picture.save(file, format="PNG", compress_level=3)
    return with_text(file.getvalue(), {"Description": f"Expected CIEDE2000 error in steps of {1 / STEPS_PER_UNIT}"})
