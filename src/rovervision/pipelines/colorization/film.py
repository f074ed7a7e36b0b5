"""A film of gray frames in colour, in the order in which they were taken."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import PurePosixPath
from typing import Any

import cv2
import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.color import rgb_to_lab
from rovervision.imaging.decoding import decode_image, is_pds3, to_uint8
from rovervision.imaging.montage import spread
from rovervision.imaging.tints import Colors, TintSmoother, flicker, look_of
from rovervision.imaging.video import (
    Byte,
    Film,
    FilmConfig,
    FilmFrame,
    caption_strip,
    film_size,
    letterbox,
    side_by_side,
)
from rovervision.learning.colorizers import number_cameras
from rovervision.learning.colorizing import lightness_of, load_colorizer, paint, plan_colors
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization.config import ColorizationConfig
from rovervision.sources.frame import StoredFile
from rovervision.sources.local_folder import describe_folders
from rovervision.sources.mars_time import lander
from rovervision.sources.product_names import ProductName, parse_product_name
from rovervision.sources.spacecraft_clocks import has_clock, sol_of_sclk

_SIZES_LOOKED_AT = 24
"""Frames, evenly spread, whose sizes decide that of the film."""

_SPARSE = 4
"""Flicker is measured on every fourth row and column."""


@dataclass(frozen=True)
class Shot:
    """One file of a film, as its name and folders tell it."""

    key: str
    rover: str
    camera: str
    sol: int | None
    sclk_s: float | None

    @property
    def place(self) -> str:
        """`rover/camera`."""
        return f"{self.rover}/{self.camera}"

    def caption(self) -> str:
        """Return rover, camera and sol as far as they are known, else the file's name."""
        known = [self.rover.title(), self.camera.replace("_", " ")] if self.rover != "unknown" else []
        known += [f"sol {self.sol}"] if self.sol is not None else []
        return "  ·  ".join(known) or PurePosixPath(self.key).stem


def shot_of(key: str) -> Shot:
    """Return what the path of a file tells. A sol that no name tells is reckoned from the spacecraft clock."""
    path = PurePosixPath(key)
    rover, camera, sol = describe_folders((), path.parts[:-1])
    name = parse_product_name(path.name)
    if name is None:
        return Shot(key, rover, camera, sol, None)
    return Shot(key, name.rover, name.camera, _sol_of(name) if sol is None else sol, name.sclk_s)


def _sol_of(name: ProductName) -> int | None:
    if name.sol is not None or name.sclk_s is None or not has_clock(name.rover):
        return name.sol
    sol = sol_of_sclk(name.rover, name.sclk_s)
    return sol if sol >= lander(name.rover).first_sol else None


def in_order(shots: list[Shot]) -> list[Shot]:
    """Sort by rover, sol and clock, and where these say nothing by name, numbers in it by their value."""

    def place(shot: Shot) -> tuple[Any, ...]:
        sol = math.inf if shot.sol is None else shot.sol
        clock_s = math.inf if shot.sclk_s is None else shot.sclk_s
        return shot.rover, sol, clock_s, natural(shot.key)

    return sorted(shots, key=place)


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts `2.png` before `10.png`."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(1, int(part), "") if number % 2 else (0, 0, part) for number, part in enumerate(parts)]


def render_film(images: Mapping[str, StoredFile], colorizer: Weights, config: ColorizationConfig) -> Film:
    """Promise a film of the images in colour. No image is read before the film is made, and each only then."""
    shots = in_order([shot_of(key) for key in images])
    wanted = [shot for shot in shots if not config.film.cameras or shot.place in config.film.cameras]
    if images and not wanted:
        found = ", ".join(sorted({shot.place for shot in shots})[:12])
        raise RovervisionError(
            f"None of the {len(images)} frames is of {', '.join(config.film.cameras)} (colorization.film.cameras). "
            f"There are frames of: {found}."
        )
    painter = Painter(colorizer, config)
    return Film(_frames(images, wanted, painter, config.film), len(wanted), config.film.fps)


def _frames(
    images: Mapping[str, StoredFile], shots: list[Shot], painter: "Painter", config: FilmConfig
) -> Iterator[FilmFrame]:
    size: tuple[int, int] | None = None
    numbers = count()
    for shot in shots:
        about = {"file": shot.key, "rover": shot.rover, "camera": shot.camera, "sol": shot.sol, "sclk_s": shot.sclk_s}
        try:
            gray = gray_picture(images[shot.key])
        except RovervisionError as error:
            yield FilmFrame(None, about | {"failure": str(error)})
            continue
        size = size or film_size(_sizes(images, shots) or [gray.shape[:2]], config.side_px)
        gray = letterbox(gray, *size)
        colored, facts = painter.paint(gray, shot)
        yield FilmFrame(lay_out(gray, colored, shot, config), about | {"frame": next(numbers)} | facts)


def _sizes(images: Mapping[str, StoredFile], shots: list[Shot]) -> list[tuple[int, int]]:
    sizes = []
    for row in spread(len(shots), _SIZES_LOOKED_AT):
        try:
            sizes.append(gray_picture(images[shots[row].key]).shape[:2])
        except RovervisionError:
            continue
    return sizes


def gray_picture(file: StoredFile) -> Byte:
    """Return a file's picture as (H, W) uint8 gray; of 16 bits the upper 8 count, as on a screen."""
    data = file.read()
    image = decode_image(data)
    if is_pds3(data):
        image = to_uint8(image)
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def lay_out(gray: Byte, colored: Byte, shot: Shot, config: FilmConfig) -> Byte:
    """Return one picture of the film: the colours, beside the gray and above a caption where these are wanted."""
    picture = side_by_side(gray, colored) if config.split else colored
    if config.caption:
        picture = np.concatenate([picture, caption_strip(shot.caption(), picture.shape[1])])
    return picture


class Painter:
    """Colours the frames of a film one after the other, with a tint that stays steady within a sequence."""

    def __init__(self, colorizer: Weights, config: ColorizationConfig) -> None:
        self._model = load_colorizer(colorizer)
        self._work_px = config.apply.work_px(colorizer)
        self._cameras = colorizer.header["cameras"]
        self._tint = config.film.tint
        self._smoothers: dict[str, TintSmoother] = {}
        self._before: dict[str, tuple[Colors, Colors]] = {}

    def paint(self, gray: Byte, shot: Shot) -> tuple[Byte, dict[str, Any]]:
        """Return the next frame in colour, and what the film's list says of its tint and flicker."""
        camera = int(number_cameras([shot.place], self._cameras)[0])
        plan = plan_colors(gray, self._model, self._work_px, camera)
        tint = plan.correction.mean(axis=(0, 1))
        smoother = self._smoothers.setdefault(shot.place, TintSmoother(self._tint))
        before, smoothed = smoother.sequence, smoother.step(tint, look_of(plan.copy.lightness, shot.sol))
        shift = (smoothed - tint).astype(np.float32)
        colored = paint(gray, replace(plan, correction=plan.correction + shift))
        ab = rgb_to_lab(np.ascontiguousarray(colored[::_SPARSE, ::_SPARSE]))[..., 1:]
        lightness = lightness_of(gray[::_SPARSE, ::_SPARSE])
        colors = Colors(lightness, ab - shift), Colors(lightness, ab)
        facts = {"sequence": smoother.sequence, "tint_a": float(tint[0]), "tint_b": float(tint[1])}
        facts |= {"smooth_tint_a": float(smoothed[0]), "smooth_tint_b": float(smoothed[1])}
        if before == smoother.sequence:
            facts |= _flicker(self._before[shot.place], colors)
        self._before[shot.place] = colors
        return colored, facts


def _flicker(before: tuple[Colors, Colors], now: tuple[Colors, Colors]) -> dict[str, float]:
    (alone, n_still), (smoothed, _) = (flicker(*pair) for pair in zip(before, now, strict=True))
    return {"still_frac": n_still / now[0].lightness.size, "flicker_alone": alone, "flicker_smoothed": smoothed}


def measure_film(film_frames: pd.DataFrame) -> dict[str, float]:
    """Return a film's figures: frames shown and skipped, sequences, and how much its static pixels flicker.

    flicker_alone is the mean change of ab from frame to frame as each frame is coloured on its own, flicker_smoothed
    the same with the smoothed tint; both over all pixels that are static between two frames of one sequence.
    """
    if film_frames.empty:
        return {}
    shown = film_frames[film_frames["failure"].isna()]
    figures: dict[str, float] = {"frames": len(shown), "skipped": len(film_frames) - len(shown)}
    figures["sequences"] = len(shown.drop_duplicates(["rover", "camera", "sequence"]))
    compared = shown[shown["still_frac"] > 0]
    if len(compared):
        for name in ("flicker_alone", "flicker_smoothed"):
            figures[name] = round(float(np.average(compared[name], weights=compared["still_frac"])), 4)
        figures["still_frac"] = round(float(compared["still_frac"].mean()), 4)
    return figures
