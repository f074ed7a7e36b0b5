"""Natural colour from three narrow bands: red, green and blue frames of one scene, aligned and composed.

Pancam's left eye sees 602, 535 and 483 nm through its filters L4, L5 and L6 (Bell et al. 2003, J. Geophys. Res.
108(E12), 8063, table 4), near enough to the primaries of a screen.

What is known and what is not: every band of a browse image or a raw product was companded and stretched on its own, by
amounts that its bytes do not tell. As far as that was one factor of light for each band, colours *within* a composed
image differ as they did on Mars, up to these factors; a stretch that also moved the black point leaves a cast in the
shadows. The factors are set so that the image's mean has the colour of Martian surface as Curiosity's cameras show it.
A scene that is mostly something else, sky or hardware, is tinted by as much as it differs from surface. Absolute colour
needs calibrated products.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from rovervision.errors import RovervisionError
from rovervision.imaging.color import decode_gamma, encode_gamma, to_bytes

Float = NDArray[np.float32]
Byte = NDArray[np.uint8]

BANDS: Final = {"red": "4", "green": "5", "blue": "6"}
"""Channel → character of the Pancam filter."""


class TripletConfig(BaseModel):
    """Which frames make a triplet, and how its colours are set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    camera: str = "pancam_left"
    window_s: float = Field(default=300.0, gt=0, le=86400)
    """Longest time from the first to the last exposure of a triplet: later, shadows have moved."""
    shift_max_px: float = Field(default=8.0, ge=0, le=64)
    """Largest shift of a band against green; more means another pointing."""
    correlation_min: float = Field(default=0.5, ge=-1, le=1)
    """Smallest correlation of an aligned band with green; less means another scene, or a damaged frame."""
    surface_rgb: tuple[int, int, int] = (152, 128, 91)
    """Colour of the mean of a composed image, sRGB 0..255: of Curiosity's Mastcam set mars32k. Only its ratios count;
    three equal numbers make a gray world."""


@dataclass(frozen=True)
class Alignment:
    """How a band lies on the green one."""

    right_px: float
    down_px: float
    """What the band's content stands to the right and below of green's."""
    correlation: float
    """Of the aligned bands, -1 to 1."""


@dataclass(frozen=True)
class Composition:
    """Natural colour, and how it came about."""

    rgb: Byte
    """(H, W, 3) sRGB: the part of green's frame that all three bands see."""
    left_px: int
    top_px: int
    """Where that part lies in green's frame."""
    alignments: Mapping[str, Alignment]
    """Of red and blue."""
    gains: tuple[float, float, float]
    """What linear light of each band was multiplied with."""


def find_triplets(frames: pd.DataFrame, config: TripletConfig) -> pd.DataFrame:
    """Return the triplets among frames, each frame in at most one, the closest in time first.

    Args:
        frames: one row per frame: frame_id, rover, camera, sequence, product_type, sample_type, filter, sclk_s.
        config: camera and window.

    Returns:
        red, green, blue (frame ids), rover, camera, sequence, product_type, sample_type, span_s (from the first to the
        last exposure), sclk_s (of green); sorted by rover and clock. All three frames agree in what is not a time.
    """
    alike = ["rover", "camera", "sequence", "product_type", "sample_type"]
    known = frames[(frames["camera"] == config.camera) & frames["sclk_s"].notna()]
    rows = []
    for same, group in known.groupby(alike):
        rows += [dict(zip(alike, same, strict=True)) | row for row in _triplets_of(group, config.window_s)]
    table = pd.DataFrame(rows, columns=[*BANDS, *alike, "span_s", "sclk_s"])
    return table.sort_values(["rover", "sclk_s", "green"]).reset_index(drop=True)


def _triplets_of(group: pd.DataFrame, window_s: float) -> list[dict[str, Any]]:
    """Return the triplets of frames that differ in filter and time alone."""
    bands = {name: group[group["filter"] == mark].sort_values(["sclk_s", "frame_id"]) for name, mark in BANDS.items()}
    found = []
    for green_s, green_id in _times(bands["green"]):
        for red_s, red_id in _within(bands["red"], green_s, window_s):
            for blue_s, blue_id in _within(bands["blue"], green_s, window_s):
                span_s = max(red_s, green_s, blue_s) - min(red_s, green_s, blue_s)
                if span_s <= window_s:
                    found.append((span_s, green_s, red_id, green_id, blue_id))
    taken: set[str] = set()
    triplets = []
    for span_s, green_s, *ids in sorted(found):
        if taken.isdisjoint(ids):
            taken.update(ids)
            triplets.append(dict(zip(BANDS, ids, strict=True)) | {"span_s": span_s, "sclk_s": green_s})
    return triplets


def _times(band: pd.DataFrame) -> list[tuple[float, str]]:
    return list(zip(band["sclk_s"], band["frame_id"], strict=True))


def _within(band: pd.DataFrame, moment_s: float, window_s: float) -> list[tuple[float, str]]:
    """Return the rows of a table sorted by time that lie within a window on both sides of a moment."""
    times = band["sclk_s"].to_numpy()
    start, stop = np.searchsorted(times, moment_s - window_s), np.searchsorted(times, moment_s + window_s, "right")
    return _times(band.iloc[start:stop])


def align(green: Byte, band: Byte, search_px: int) -> Alignment:
    """Return the shift of a band against green, to a part of a pixel, and how well they then agree.

    Normalised cross-correlation finds the whole pixels, the enhanced correlation coefficient (Evangelidis and Psarakis
    2008) the rest; neither minds another gain or offset. Where they find nothing, the correlation is 0.

    Args:
        green: (H, W) uint8. band: the same.
        search_px: largest shift that is looked for, along each axis; at most a quarter of a side is.
    """
    one, other = (image.astype(np.float32) / np.float32(255) for image in (green, band))
    if min(one.std(), other.std()) < 1e-4:
        return Alignment(0.0, 0.0, 0.0)
    reach = min(search_px, min(one.shape) // 4)
    core = one[reach : one.shape[0] - reach, reach : one.shape[1] - reach]
    _, _, _, (column, row) = cv2.minMaxLoc(cv2.matchTemplate(other, core, cv2.TM_CCOEFF_NORMED))
    start = np.array([[1, 0, column - reach], [0, 1, row - reach]], np.float32)
    steps = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-6)
    try:
        correlation, found = cv2.findTransformECC(one, other, start, cv2.MOTION_TRANSLATION, steps)
    except cv2.error:  # it raises where it does not converge
        return Alignment(float(column - reach), float(row - reach), 0.0)
    warp = np.asarray(found)
    return Alignment(float(warp[0, 2]), float(warp[1, 2]), float(correlation))


def compose(red: Byte, green: Byte, blue: Byte, config: TripletConfig) -> Composition:
    """Return the natural colour of three bands of one scene, (H, W) uint8 each.

    Raises RovervisionError where a band does not lie on the green one.
    """
    if not red.shape == green.shape == blue.shape:
        raise RovervisionError(f"The bands are of different sizes: {red.shape}, {green.shape}, {blue.shape}.")
    if min(green.shape) < 16:
        raise RovervisionError(f"Bands of {green.shape[1]} x {green.shape[0]} pixels are too small to align.")
    search_px = 2 * int(np.ceil(config.shift_max_px)) + 8  # far enough to tell another pointing from another scene
    alignments = {name: align(green, band, search_px) for name, band in (("red", red), ("blue", blue))}
    for name, found in alignments.items():
        _check(name, found, config)
    still = Alignment(0.0, 0.0, 1.0)
    bands = ((red, alignments["red"]), (green, still), (blue, alignments["blue"]))
    rows, columns = _common(green.shape, alignments)
    linear = decode_gamma(np.stack([_moved(band, found)[rows, columns] for band, found in bands], axis=-1))
    gains = balance_gains(linear, config.surface_rgb)
    rgb = to_bytes(encode_gamma(linear * np.array(gains, np.float32)))
    return Composition(rgb, columns.start, rows.start, alignments, gains)


def _check(name: str, found: Alignment, config: TripletConfig) -> None:
    if found.correlation < config.correlation_min:
        raise RovervisionError(
            f"The {name} band does not agree with the green one: their correlation is {found.correlation:.2f}, below "
            f"{config.correlation_min:g} (colorization.truth.correlation_min)."
        )
    if max(abs(found.right_px), abs(found.down_px)) > config.shift_max_px:
        raise RovervisionError(
            f"The {name} band lies {found.right_px:.1f} pixels to the right of the green one and {found.down_px:.1f} "
            f"below it, more than {config.shift_max_px:g} (colorization.truth.shift_max_px): another pointing."
        )


def _moved(band: Byte, found: Alignment) -> Float:
    """Return a band, 0..1, at green's places."""
    warp = np.array([[1, 0, found.right_px], [0, 1, found.down_px]], np.float32)
    flags, unit = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, band.astype(np.float32) / np.float32(255)
    moved = cv2.warpAffine(unit, warp, band.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved.clip(0, 1), np.float32)


def _common(shape: tuple[int, ...], alignments: Mapping[str, Alignment]) -> tuple[slice, slice]:
    """Return the rows and columns of green's frame that every band covers."""

    def span(size: int, shifts: list[float]) -> slice:
        return slice(int(np.ceil(max(0.0, *(-each for each in shifts)))), size - int(np.ceil(max(0.0, *shifts))))

    return (
        span(shape[0], [each.down_px for each in alignments.values()]),
        span(shape[1], [each.right_px for each in alignments.values()]),
    )


def balance_gains(linear: Float, surface_rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    """Return gains of linear light by which an image's mean gets the hue and saturation of a colour.

    Pixels that are nearly black or saturated in a band do not count. Green keeps its gain of 1 unless red or blue
    would then be cut off at more than 0.5 % of the pixels; all three are lowered together there, so that no hue shifts.

    Args:
        linear: (H, W, 3) linear light, 0..1.
        surface_rgb: sRGB, 0..255.
    """
    counted = ((linear > 0.002) & (linear < 0.98)).all(axis=-1)
    mean = linear[counted].mean(axis=0) if counted.any() else linear.mean(axis=(0, 1))
    target = decode_gamma(np.asarray(surface_rgb, np.float32) / np.float32(255))
    gains = (target / target[1]) * (mean[1] / np.maximum(mean, 1e-6))
    brightest = float(np.quantile((linear * gains).max(axis=-1), 0.995))
    red, green, blue = gains / max(1.0, brightest)
    return float(red), float(green), float(blue)
