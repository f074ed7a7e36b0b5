"""Films: pictures of one size in a row, with what each shows."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel, ConfigDict, Field

from rovervision.imaging.tints import TintConfig

Byte = NDArray[np.uint8]


class FilmConfig(BaseModel):
    """What a film shows, and how fast."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fps: float = Field(default=5.0, ge=0.1, le=60)
    """Frames per second."""
    side_px: int = Field(default=1024, ge=64, le=3840)
    """Longest side of a picture; larger frames are reduced, and the commonest size is never enlarged."""
    split: bool = False
    """The gray frame on the left, its colouring on the right."""
    caption: bool = True
    """A strip below the picture that names rover, camera and sol."""
    cameras: tuple[str, ...] = ()
    """Only these, as `rover/camera`; empty takes all."""
    tint: TintConfig = TintConfig()


@dataclass(frozen=True)
class FilmFrame:
    """One file of a film: its picture, or why there is none."""

    pixels: Byte | None
    """(H, W, 3) uint8 sRGB, H and W even and the same in the whole film; None where the file shows nothing."""
    record: dict[str, Any]
    """What is known of the frame: one row of the film's list."""


@dataclass(frozen=True)
class Film:
    """A film that has not been made yet. Memory holds one frame of it at a time."""

    frames: Iterable[FilmFrame]
    """Read once, in order."""
    n_files: int
    """Files that will be looked at."""
    fps: float


def film_size(sizes: Sequence[tuple[int, int]], side_px: int) -> tuple[int, int]:
    """Return the (height, width) of a film's pictures: the commonest size, reduced until its long side is `side_px`.

    Both are even, as H.264 in yuv420p needs, and at least 2. Of equally common sizes, the one that came first.
    """
    height, width = Counter(sizes).most_common(1)[0][0]
    scale = min(1.0, side_px / max(height, width))
    return max(2, round(height * scale / 2) * 2), max(2, round(width * scale / 2) * 2)


def letterbox(image: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Return an (H, W) or (H, W, 3) image at another size, undistorted and centred, with black beside it."""
    scale = min(height / image.shape[0], width / image.shape[1])
    inner = max(1, min(width, round(image.shape[1] * scale))), max(1, min(height, round(image.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = image if inner == image.shape[1::-1] else cv2.resize(image, inner, interpolation=how)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    boxed = np.zeros((height, width, *image.shape[2:]), image.dtype)
    boxed[top : top + inner[1], left : left + inner[0]] = resized
    return boxed


def side_by_side(gray: Byte, colored: Byte) -> Byte:
    """Return (H, W) gray and (H, W, 3) colour as one (H, 2W, 3) picture."""
    return np.concatenate([np.repeat(gray[..., None], 3, axis=-1), colored], axis=1)


def caption_strip(text: str, width_px: int) -> Byte:
    """Return (h, width_px, 3): light text on black, as large as fits; h is even and grows with the width."""
    height_px = max(16, width_px // 40 * 2)
    strip = Image.new("RGB", (width_px, height_px))
    font = _font(round(height_px * 0.62))
    length_px = font.getlength(text)
    if length_px > 0.94 * width_px:
        font = _font(max(6, int(height_px * 0.62 * 0.94 * width_px / length_px)))
    place = (round(0.03 * width_px), height_px / 2)
    ImageDraw.Draw(strip).text(place, text, fill=(230, 230, 230), font=font, anchor="lm")
    return np.asarray(strip)


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)  # Aileron, which Pillow brings
