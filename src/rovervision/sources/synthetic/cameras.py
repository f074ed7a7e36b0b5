"""The cameras of the synthetic archive: where they sit, how they see, what they send."""

from dataclasses import dataclass
from typing import Final, Literal

Sensor = Literal["color", "gray", "mosaic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One camera in one mode. A mode that always sends Bayer mosaics is a camera of its own here."""

    key: str
    rover: str
    instrument: str
    """Its plain name, as `sources.product_names` reads it from a file name; a pair differs by eye."""
    eye: Literal["L", "R"]
    sensor: Sensor
    aspect: float
    """Height over width."""
    focal: float
    """Focal length in image widths."""
    height_m: float
    """Above the ground."""
    baseline_m: float
    """Distance between the two eyes of the pair."""
    tint: tuple[float, float, float]
    """White balance: factors of linear R, G, B."""
    suffix: str
    jpeg_quality: int
    vignette: float
    """Light lost in the corners, 0 to 1."""
    noise: float
    """Standard deviation of the sensor noise at mid-gray, in 8-bit counts."""
    fisheye: float = 0.0
    """Barrel distortion: radius shrinks by this share at the corners."""

    @property
    def offset_m(self) -> float:
        """Where the eye sits to the right of the pair's middle."""
        return self.baseline_m * (0.5 if self.eye == "R" else -0.5)


def _pair(key: str, names: tuple[str, str], **traits: object) -> dict[str, Camera]:
    eyes: tuple[Literal["L"], Literal["R"]] = ("L", "R")
    return {
        f"{key}_{eye}": Camera(key=f"{key}_{eye}", instrument=name, eye=eye, **traits)  # type: ignore[arg-type]
        for eye, name in zip(eyes, names, strict=True)
    }


_NAVCAM = {
    "rover": "perseverance",
    "aspect": 0.75,
    "focal": 0.8,
    "height_m": 2.0,
    "baseline_m": 0.42,
    "suffix": ".png",
    "jpeg_quality": 95,
    "vignette": 0.22,
    "noise": 1.2,
}
_ZCAM = {
    "rover": "perseverance",
    "aspect": 0.727,
    "focal": 1.7,
    "height_m": 2.0,
    "baseline_m": 0.244,
    "suffix": ".png",
    "jpeg_quality": 92,
    "vignette": 0.06,
    "noise": 0.8,
}
_MAST = {
    "rover": "curiosity",
    "aspect": 0.89,
    "focal": 1.5,
    "height_m": 1.97,
    "baseline_m": 0.245,
    "suffix": ".jpg",
    "vignette": 0.08,
    "noise": 1.0,
}
_NAV = {
    "rover": "curiosity",
    "aspect": 1.0,
    "focal": 1.1,
    "height_m": 1.9,
    "baseline_m": 0.42,
    "suffix": ".JPG",
    "jpeg_quality": 92,
    "vignette": 0.18,
    "noise": 1.6,
}
_HAZ = {
    "rover": "opportunity",
    "aspect": 1.0,
    "focal": 0.52,
    "height_m": 0.52,
    "baseline_m": 0.10,
    "suffix": ".jpg",
    "jpeg_quality": 88,
    "vignette": 0.35,
    "noise": 1.8,
    "fisheye": 0.22,
}

CAMERAS: Final[dict[str, Camera]] = {
    **_pair("navcam", ("navcam_left", "navcam_right"), sensor="color", tint=(0.86, 1.05, 0.96), **_NAVCAM),
    **_pair("zcam", ("mastcamz_left", "mastcamz_right"), sensor="color", tint=(1.0, 1.02, 1.08), **_ZCAM),
    **_pair("zcam_raw", ("mastcamz_left", "mastcamz_right"), sensor="mosaic", tint=(0.95, 1.0, 0.9), **_ZCAM),
    **_pair(
        "mast", ("mastcam_left", "mastcam_right"), sensor="color", tint=(1.04, 0.97, 0.98), jpeg_quality=90, **_MAST
    ),
    **_pair(
        "mast_raw", ("mastcam_left", "mastcam_right"), sensor="mosaic", tint=(1.0, 1.0, 0.9), jpeg_quality=97, **_MAST
    ),
    **_pair("nav", ("navcam_left", "navcam_right"), sensor="gray", tint=(1.0, 1.0, 1.0), **_NAV),
    **_pair("haz", ("front_hazcam_left", "front_hazcam_right"), sensor="gray", tint=(1.0, 1.0, 1.0), **_HAZ),
}
"""Key → camera. The keys stand in a frame's record as `camera_mode`."""


def frame_size(camera: Camera, image_px: int, *, aspect: float | None = None) -> tuple[int, int]:
    """Return (width, height) in pixels, both even, the longest side near `image_px`."""
    ratio = camera.aspect if aspect is None else aspect
    return image_px // 2 * 2, max(16, round(image_px * ratio / 2) * 2)
