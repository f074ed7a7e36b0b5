"""What can be measured of a picture, and rules that judge a frame by its measures."""

import functools
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from rovervision.imaging.framing import Content, channel_maximum, dark_lines

COLOR_DIFFERENCE_MIN = 3.0
"""Mean absolute difference between channels, in 8-bit levels, above which a picture has colour."""

THUMBNAIL_PX = 32
"""Side of the gray thumbnail that the perceptual hash and the duplicate check work on."""

_SATURATED = 250
_BLACK = 5

MEASURES: Mapping[str, str] = {
    "decoded_width_px": "width of the decoded image",
    "decoded_height_px": "height of the decoded image",
    "short_side_px": "short side of the picture inside black borders",
    "aspect": "long side over short side of the picture inside black borders",
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
    "saturation": "mean of (max - min) / max over the channels, 0 to 1",
    "red_blue_log2": "log2 of mean red over mean blue",
    "green_log2": "log2 of mean green over the geometric mean of red and blue",
}
"""Every number that `measure` gives, by name; rules may speak of these."""


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


def color_difference(image: np.ndarray) -> float:
    """Return the mean absolute difference between the channels of an (H, W, 3) uint8 image; 0 for (H, W)."""
    if image.ndim == 2:
        return 0.0
    red, green, blue = cv2.split(image)
    pairs = ((red, green), (green, blue), (blue, red))
    return float(np.mean([cv2.mean(cv2.absdiff(one, other))[0] for one, other in pairs]))


def gray_of(image: np.ndarray) -> np.ndarray:
    """Return (H, W) uint8 luma (Rec. 601: 0.299 R + 0.587 G + 0.114 B) of an RGB image; gray passes through."""
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def measure(image: np.ndarray, content: Content) -> dict[str, float]:
    """Return all `MEASURES` but mosaic_score of an (H, W) or (H, W, 3) uint8 image; statistics are of the content."""
    left, top, right, bottom = content
    picture = np.ascontiguousarray(image[top:bottom, left:right])
    gray = gray_of(picture)
    return (
        frame_measures(image, content)
        | histogram_measures(picture, gray)
        | detail_measures(gray)
        | color_measures(picture)
        | {"missing_frac": missing_frac(picture)}
    )


def frame_measures(image: np.ndarray, content: Content) -> dict[str, float]:
    """Return sizes, aspect and border share."""
    height, width = image.shape[:2]
    sides = sorted((content.height_px, content.width_px))
    beside = max(content.left_px, width - content.right_px) / width
    above = max(content.top_px, height - content.bottom_px) / height
    return {
        "decoded_width_px": float(width),
        "decoded_height_px": float(height),
        "short_side_px": float(sides[0]),
        "aspect": sides[1] / sides[0],
        "border_frac": 1.0 - content.height_px * content.width_px / (height * width),
        "edge_frac": max(beside, above),
    }


def histogram_measures(picture: np.ndarray, gray: np.ndarray) -> dict[str, float]:
    """Return what the histogram of gray tells: entropy, mean, contrast, dark and overexposed shares."""
    share = cv2.calcHist([gray], [0], None, [256], [0, 256]).ravel().astype(np.float64) / gray.size
    present = share[share > 0]
    low, high = np.searchsorted(np.cumsum(share), (0.02, 0.98))
    brightest = channel_maximum(picture)
    return {
        "entropy_bits": max(0.0, -float(np.sum(present * np.log2(present)))),
        "mean_luminance": float(share @ np.arange(256)),
        "contrast": float(high - low),
        "dark_frac": float(share[: _BLACK + 1].sum()),
        "overexposed_frac": float(np.count_nonzero(brightest >= _SATURATED) / gray.size),
    }


def detail_measures(gray: np.ndarray) -> dict[str, float]:
    """Return the median local variance (Gaussian 9x9 of x^2 minus that of x, squared) and the Laplacian's variance."""
    values = gray.astype(np.float32)
    mean = cv2.GaussianBlur(values, (9, 9), 0)
    variance = cv2.GaussianBlur(values * values, (9, 9), 0) - mean * mean
    _, deviation = cv2.meanStdDev(cv2.Laplacian(gray, cv2.CV_32F))
    return {
        "spatial_variance": max(0.0, float(np.median(variance))),
        "laplacian_variance": float(deviation[0, 0] ** 2),
    }


def color_measures(picture: np.ndarray) -> dict[str, float]:
    """Return colourfulness and the balance of the channels; 0 for gray."""
    names = ("color_difference", "saturation", "red_blue_log2", "green_log2")
    if picture.ndim == 2:
        return dict.fromkeys(names, 0.0)
    maximum, minimum = channel_maximum(picture), functools.reduce(cv2.min, cv2.split(picture))
    saturation = cv2.divide(cv2.subtract(maximum, minimum), np.maximum(maximum, 1), dtype=cv2.CV_32F)
    red, green, blue = (np.log2(max(level, 0.5)) for level in cv2.mean(picture)[:3])
    values = (color_difference(picture), cv2.mean(saturation)[0], red - blue, green - (red + blue) / 2)
    return dict(zip(names, map(float, values), strict=True))


def missing_frac(picture: np.ndarray) -> float:
    """Return the larger of the shares of rows and of columns that are gaps inside the picture: data that never came.

    A gap is a run of at least 3 dark, constant lines (as in `framing.dark_lines`) with lit lines right on both sides;
    shadows and night fade and are none. Gaps at an edge are borders, which `content_box` has taken away.
    """
    brightest = channel_maximum(picture)
    return max(_gap_share(brightest), _gap_share(brightest.T))


def _gap_share(lines: np.ndarray, shortest_px: int = 3, blend_px: int = 2) -> float:
    """Return the share of lines in gaps; up to `blend_px` lines beside a gap may be half dark from compression."""
    dark, unlit_share = dark_lines(lines)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], dark.view(np.int8), [0]))))
    missing = 0
    for start, stop in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
        before, after = start - 1 - blend_px, stop + blend_px
        inside = before >= 0 and after < len(dark) and stop - start >= shortest_px
        if inside and max(unlit_share[before], unlit_share[after]) <= 0.5:
            missing += stop - start
    return missing / len(dark)


def thumbnail(gray: np.ndarray) -> np.ndarray:
    """Return the (32, 32) uint8 area average of an (H, W) uint8 image; the aspect is given up."""
    return cv2.resize(gray, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)


def perceptual_hash(small: np.ndarray) -> int:
    """Return the 64-bit pHash of a (32, 32) uint8 thumbnail.

    The lowest 8 x 8 DCT frequencies, each compared with the median of all but the constant one (Zauner, 2010).
    """
    low = cv2.dct(small.astype(np.float32))[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
