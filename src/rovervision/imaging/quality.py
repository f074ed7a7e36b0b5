"""What can be measured of a picture, and rules that judge a frame by its measures."""

import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from rovervision.imaging.blockiness import blockiness
from rovervision.imaging.framing import Content
from rovervision.imaging.losses import blank_frac, missing_frac, stripe_level
from rovervision.imaging.planes import Planes, color_difference, planes_of

COLOR_DIFFERENCE_MIN = 3.0
"""Mean absolute difference between channels, in 8-bit levels, above which a picture has colour."""

THUMBNAIL_PX = 32
"""Side of the gray thumbnail that the perceptual hash and the duplicate check work on."""

_SATURATED = 250
_BLACK = 5
_LEVELS = np.arange(256)
_GAUSSIAN = cv2.getGaussianKernel(9, 0, cv2.CV_32F)

MEASURES: Mapping[str, str] = {
    "decoded_width_px": "width of the decoded image",
    "decoded_height_px": "height of the decoded image",
    "short_side_px": "short side of the picture, inside black borders and a round vignette",
    "aspect": "long side over short side of that picture",
    "border_frac": "share of the image that is black border",
    "edge_frac": "largest share of the width or height that is black at one edge",
    "color_difference": "mean absolute difference between channels, 0 to 255",
    "mosaic_score": "share of the finest detail that is a Bayer pattern, 0 to 1 (before debayering)",
    "entropy_bits": "Shannon entropy of the 256-bin gray histogram, 0 to 8",
    "spatial_variance": "median local variance of gray, Gaussian 9x9",
    "laplacian_variance": "variance of the Laplacian of gray",
    "mean_luminance": "mean gray, 0 to 255",
    "contrast": "98th minus 2nd percentile of gray, 0 to 255",
    "dark_frac": f"share of pixels whose gray is at most {_BLACK}",
    "overexposed_frac": f"share of pixels with a channel at {_SATURATED} or more",
    "missing_frac": "share of rows or columns inside the picture that are black gaps",
    "blank_frac": "share of the picture in blank rectangles of one value, black or gray",
    "stripe_level": "upper quartile of the steps between a line's mean and its neighbours', 0 to 255",
    "blockiness": "steps across the JPEG grid over steps inside its blocks, 1 where there is no grid",
    "vignette_frac": "share of the image inside black borders that lies outside a round vignette",
    "saturation": "mean of (max - min) / max over the channels, 0 to 1",
    "red_blue_log2": "log2 of mean red over mean blue",
    "green_log2": "log2 of mean green over the geometric mean of red and blue",
    "channels": "channels of the decoded image, 1 or 3",
    "is_gray_in_rgb": "1 where a gray picture is stored in three channels, else 0",
    "is_subframe": "1 where the archive calls it a subframe, else 0",
    "is_narrow_band": "1 where the archive names a narrow-band filter, else 0",
    "file_bytes": "size of the file",
}
"""Every number that an examined frame has, by name; rules may speak of these."""


class Rule(BaseModel):
    """One check: the measure must lie within [minimum, maximum]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str
    minimum: float | None = None
    maximum: float | None = None
    color_only: bool = False
    """True where the measure says nothing about gray pictures."""

    @model_validator(mode="after")
    def _is_a_check(self) -> "Rule":
        if self.measure not in MEASURES:
            raise ValueError(f"there is no measure {self.measure!r}; there are {', '.join(MEASURES)}")
        if self.minimum is None and self.maximum is None:
            raise ValueError(f"a rule on {self.measure} needs a minimum or a maximum")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"a rule on {self.measure} has minimum {self.minimum} above maximum {self.maximum}")
        return self

    def finding(self, value: float) -> str | None:
        """Return None where the value passes, else a phrase with value and broken limit. NaN passes nothing."""
        if self.minimum is not None and not value >= self.minimum:
            return f"{self.measure} {value:.4g} is below {self.minimum:g}"
        if self.maximum is not None and not value <= self.maximum:
            return f"{self.measure} {value:.4g} is above {self.maximum:g}"
        return None


def findings(measures: Mapping[str, Any], rules: Mapping[str, Rule | None], is_color: bool) -> dict[str, str]:
    """Return reason -> finding for every rule that these measures break, in the order of the rules; None is no rule."""
    failed = {}
    for reason, rule in rules.items():
        if rule is None or (rule.color_only and not is_color):
            continue
        phrase = rule.finding(float(measures[rule.measure]))
        if phrase is not None:
            failed[reason] = phrase
    return failed


def gray_of(image: np.ndarray) -> np.ndarray:
    """Return (H, W) uint8 luma (Rec. 601: 0.299 R + 0.587 G + 0.114 B) of an RGB image; gray passes through."""
    return planes_of(image).gray


def measure(planes: Planes, borders: Content, content: Content) -> dict[str, float]:
    """Return what is measured of pixels.

    borders: the rectangle inside black borders. content: the one inside a round vignette too, else the same; statistics
    are of what lies in it.
    """
    inside = planes.inside(content)
    laplacian = cv2.Laplacian(inside.gray, cv2.CV_16S)
    return (
        frame_measures(planes.gray.shape, borders)
        | side_measures(content)
        | histogram_measures(inside)
        | {"spatial_variance": spatial_variance(inside.gray), "laplacian_variance": _variance(laplacian)}
        | color_measures(inside)
        | {
            "missing_frac": missing_frac(inside.maximum),
            "blank_frac": blank_frac(inside.gray, inside.maximum, laplacian),
            "stripe_level": stripe_level(inside.gray),
            "blockiness": blockiness(inside.gray),
        }
    )


def frame_measures(shape: tuple[int, ...], borders: Content) -> dict[str, float]:
    """Return the size of an image of this shape, and its share of black borders."""
    height, width = shape
    beside = max(borders.left_px, width - borders.right_px) / width
    above = max(borders.top_px, height - borders.bottom_px) / height
    return {
        "decoded_width_px": float(width),
        "decoded_height_px": float(height),
        "border_frac": 1.0 - borders.height_px * borders.width_px / (height * width),
        "edge_frac": max(beside, above),
    }


def side_measures(content: Content) -> dict[str, float]:
    """Return the picture's short side and aspect."""
    short, long = sorted((content.height_px, content.width_px))
    return {"short_side_px": float(short), "aspect": long / short}


def histogram_measures(planes: Planes) -> dict[str, float]:
    """Return what the histogram of gray tells: entropy, mean, contrast, dark and overexposed shares."""
    gray = planes.gray
    share = cv2.calcHist([gray], [0], None, [256], [0, 256]).ravel().astype(np.float64) / gray.size
    present = share[share > 0]
    low, high = np.searchsorted(np.cumsum(share), (0.02, 0.98))
    if planes.is_gray:
        overexposed = float(share[_SATURATED:].sum())
    else:
        burnt = cv2.threshold(planes.maximum, _SATURATED - 1, 1, cv2.THRESH_BINARY)[1]
        overexposed = cv2.countNonZero(burnt) / gray.size
    return {
        "entropy_bits": max(0.0, -float(present @ np.log2(present))),
        "mean_luminance": float(share @ _LEVELS),
        "contrast": float(high - low),
        "dark_frac": float(share[: _BLACK + 1].sum()),
        "overexposed_frac": overexposed,
    }


def spatial_variance(gray: np.ndarray) -> float:
    """Return the median over the pixels of G(x^2) - G(x)^2, to a quarter of a level squared.

    G is a Gaussian of 9 x 9 pixels, sigma 1.7, as OpenCV derives it from the size: the sharpness by which the Curiosity
    and Perseverance original judged its frames.
    """
    mean = cv2.sepFilter2D(gray, cv2.CV_32F, _GAUSSIAN, _GAUSSIAN)
    values = gray.astype(np.float32)
    squares = cv2.sepFilter2D(cv2.multiply(values, values, dst=values), cv2.CV_32F, _GAUSSIAN, _GAUSSIAN)
    variance = cv2.subtract(squares, cv2.multiply(mean, mean, dst=mean), dst=squares)
    # The largest variance of 8-bit numbers is 127.5 squared, so quarters of it fit 16 bits, whose median is cheap. The
    # half rounds, and keeps what should be 0 from turning negative.
    np.add(np.multiply(variance, 4.0, out=variance), 0.5, out=variance)
    quarters = variance.astype(np.uint16).ravel()
    place = quarters.size // 2
    quarters.partition(place)
    lower = quarters[place] if quarters.size % 2 else quarters[:place].max()
    return (float(lower) + float(quarters[place])) / 8.0


def _variance(values: np.ndarray) -> float:
    """Return the variance of (H, W) int16, from exact sums."""
    mean = cv2.sumElems(values)[0] / values.size
    return max(0.0, cv2.norm(values, cv2.NORM_L2SQR) / values.size - mean * mean)


def color_measures(planes: Planes) -> dict[str, float]:
    """Return colourfulness and the balance of the channels; 0 for gray."""
    names = ("color_difference", "saturation", "red_blue_log2", "green_log2")
    if planes.is_gray:
        return dict.fromkeys(names, 0.0)
    span = cv2.subtract(planes.maximum, planes.minimum)
    saturation = cv2.divide(span, np.maximum(planes.maximum, 1), scale=255)
    red, green, blue = (math.log2(max(level, 0.5)) for level in cv2.mean(planes.picture)[:3])
    whole = cv2.sumElems(saturation)[0] / (255.0 * span.size)
    values = (color_difference(planes), whole, red - blue, green - (red + blue) / 2)
    return dict(zip(names, values, strict=True))


def thumbnail(gray: np.ndarray) -> np.ndarray:
    """Return the (32, 32) uint8 area average of an (H, W) uint8 image; the aspect is given up.

    Halving comes first, while four pixels are left for each; it leaves out an odd last line, and costs a tenth.
    """
    while min(gray.shape) >= 4 * THUMBNAIL_PX:
        rows, columns = (side // 2 for side in gray.shape)
        gray = cv2.resize(gray[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
    return cv2.resize(gray, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)


def perceptual_hash(small: np.ndarray) -> int:
    """Return the 64-bit pHash of a (32, 32) uint8 thumbnail.

    The lowest 8 x 8 DCT frequencies, each compared with the median of all but the constant one (Zauner, 2010).
    """
    low = cv2.dct(small.astype(np.float32))[:8, :8].ravel()
    bits = low > np.partition(low[1:], 31)[31]
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
