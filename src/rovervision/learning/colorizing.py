"""Colour for whole images of any size, with a trained colorizer. The image's own lightness is kept."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from rovervision.errors import RovervisionError
from rovervision.imaging.color_priors import LIGHTNESS_BINS
from rovervision.imaging.shard_plan import WorkersConfig
from rovervision.learning.colorizers import Colorizer, ModelConfig, build_colorizer
from rovervision.learning.rendering import levels_of, lightness_levels, lightness_of, luminance, render
from rovervision.learning.weights import Weights
from rovervision.learning.white_balance import RELEASED, Gains, display_gains
from rovervision.learning.working_copy import WorkingCopy, is_all_picture, picture_share, working_copy

__all__ = [
    "ApplyConfig", "ColorPlan", "colorize", "doubt_map", "gains_for", "lightness_of", "load_colorizer", "paint",
    "plan_colors",
]  # fmt: skip

Float = NDArray[np.float32]
WhiteBalance = Literal["released", "display"]

_BAND_PIXELS = 2**16
"""Pixels that are coloured at a time: few enough that all that is computed of them stays in a processor's cache."""

_NETWORK_THREADS = 1
"""Sums of parts depend, in the last bit, on how many parts there are. So the number is the same on every machine; the
network sees a small copy only, and folders are coloured an image to a thread."""


class ApplyConfig(BaseModel):
    """How a trained colorizer is used on whole images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    work_tiles: float = Field(default=1.5, gt=0, le=16)
    """The network sees the image with its short side reduced to so many training tiles, near the scale that it learnt
    at; lightness stays at full resolution."""
    white_balance: WhiteBalance = "released"
    """released: the colours that the archives publish; display: toward a white light, for looking at."""
    doubt: bool = False
    """Write how far off the colours may be beside each image."""
    workers: WorkersConfig = WorkersConfig()
    """Who colours the images."""

    def work_px(self, weights: Weights) -> int:
        """Return the short side, in pixels, at which this colorizer sees an image."""
        return round(self.work_tiles * int(weights.header["tile_px"]))


@dataclass(frozen=True)
class ColorPlan:
    """What a network makes of an image: small, and all that is needed to colour it at full size."""

    copy: WorkingCopy
    """What the network saw, and where in the image it is."""
    correction: Float
    """(h, w, 2) ab in Lab units, added to the table's; it covers the picture."""
    table: Float
    """(101, 2) ab at each whole lightness."""


def load_colorizer(weights: Weights) -> Colorizer:
    """Return the colorizer that a weights file describes, ready for use. Raises RovervisionError where it does not."""
    try:
        config = ModelConfig.model_validate(weights.header["model"])
        model = build_colorizer(weights.tensors["tables"], config)
        model.load_state_dict(weights.tensors)
    except (KeyError, ValueError, RuntimeError) as error:
        first = str(error).partition("\n")[0].rstrip(":")
        raise RovervisionError(
            f"These weights are not a colorizer of this version of rovervision ({first}). Train one again with: "
            "kedro run --pipelines colorization"
        ) from error
    return model.eval()


def colorize(image: NDArray[Any], model: Colorizer, work_px: int, camera: int = 0) -> NDArray[np.uint8]:
    """Return the image in colour.

    Args:
        image: (H, W) gray or (H, W, 3) sRGB, uint8 or uint16. Of a colour image only the lightness is used.
        model: a trained colorizer, in evaluation mode.
        work_px: short side at which the network sees the picture (see `ApplyConfig`); smaller ones stay as they are.
        camera: number of the camera among those learnt from; 0 where it is none of them.

    Returns:
        (H, W, 3) uint8 sRGB. Its lightness is the image's own, up to the rounding to 8 bits; where sRGB cannot show
        the colour at that lightness, chroma gives way. Black borders, and what lies outside a round picture, stay gray.
    """
    return paint(image, plan_colors(image, model, work_px, camera))


def plan_colors(image: NDArray[Any], model: Colorizer, work_px: int, camera: int = 0) -> ColorPlan:
    """Have the network look at an image. Arguments as of `colorize`."""
    _check(image)
    copy = working_copy(image, work_px, model.stride_px)
    return ColorPlan(copy, _look(model.correction, model, copy.lightness), model.tables[camera].cpu().numpy())


def paint(image: NDArray[Any], plan: ColorPlan, gains: Gains = RELEASED) -> NDArray[np.uint8]:
    """Return the image in the colours of a plan: (H, W, 3) uint8 sRGB, linear light times the gains.

    Bands of rows are done in threads; neither their size nor their number shows in the result.
    """
    height, width = image.shape[:2]
    result = np.empty((height, width, 3), np.uint8)
    Y, L = lightness_levels(image)
    table = _table_at(L, plan.table)

    def paint_band(rows: slice) -> None:
        levels = levels_of(image[rows])
        a, b = (_in_picture(part[levels], plan.correction[..., c], plan.copy, rows) for c, part in enumerate(table))
        result[rows] = render(Y[levels], L[levels], a, b, gains)

    _for_bands(height, width, paint_band)
    return result


def gains_for(plan: ColorPlan, white_balance: WhiteBalance) -> Gains:
    """Return the gains of a white balance, told by the colours of a plan at its own resolution."""
    if white_balance == "released":
        return RELEASED
    size = plan.correction.shape[1], plan.correction.shape[0]
    L: Float = np.asarray(cv2.resize(plan.copy.lightness, size, interpolation=cv2.INTER_AREA), np.float32)
    a, b = (part + plan.correction[..., c] for c, part in enumerate(_table_at(L, plan.table)))
    return display_gains(render(luminance(L), L, a, b))


def doubt_map(image: NDArray[Any], model: Colorizer, work_px: int) -> Float | None:
    """Return the error to expect of each pixel's colour, (H, W) float32 in units of CIEDE2000; 0 outside the picture.

    None where the model's kind knows no doubt. Arguments as of `colorize`.
    """
    ask = getattr(model, "doubt", None)
    if ask is None:
        return None
    _check(image)
    height, width = image.shape[:2]
    copy = working_copy(image, work_px, model.stride_px)
    cells = _look(ask, model, copy.lightness)[..., 0]
    result = np.zeros((height, width), np.float32)

    def fill_band(rows: slice) -> None:
        result[rows] = _in_picture(result[rows], cells, copy, rows)

    _for_bands(height, width, fill_band)
    return result


def _check(image: NDArray[Any]) -> None:
    is_image = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if not is_image or image.size == 0 or image.dtype not in (np.uint8, np.uint16):
        raise RovervisionError(
            f"An array of shape {image.shape} and type {image.dtype} is no image that can be coloured. Give (H, W) "
            "gray or (H, W, 3) sRGB, uint8 or uint16."
        )


@torch.no_grad()
def _look(ask: Callable[[torch.Tensor], torch.Tensor], model: Colorizer, lightness: Float) -> Float:
    """Return what the network answers to the working copy's lightness, (h, w, channels) float32."""
    given = torch.from_numpy(lightness)[None, None].to(model.tables.device)
    with _fixed_threads():
        return ask(given)[0].permute(1, 2, 0).to(torch.float32).cpu().numpy()


@contextmanager
def _fixed_threads() -> Iterator[None]:
    """Let torch compute in a fixed number of threads; OpenMP keeps that number for each calling thread apart."""
    before = torch.get_num_threads()  # the first question of a thread also settles its number
    torch.set_num_threads(_NETWORK_THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _table_at(L: Float, table: Float) -> tuple[Float, Float]:
    levels = np.arange(LIGHTNESS_BINS)
    a, b = (np.interp(L, levels, table[:, c]).astype(np.float32) for c in (0, 1))
    return a, b


def _for_bands(height: int, width: int, work: Callable[[slice], None]) -> None:
    """Do the work for all rows, a band at a time, in threads."""
    step = max(1, _BAND_PIXELS // width)
    bands = [slice(top, min(top + step, height)) for top in range(0, height, step)]
    with ThreadPoolExecutor(min(len(bands), torch.get_num_threads())) as threads:
        for _ in threads.map(work, bands):
            pass


def _in_picture(below: Float, cells: Float, copy: WorkingCopy, rows: slice) -> Float:
    """Return rows of an image's plane with the enlarged cells added, and 0 where the image is no picture.

    Args:
        below: (rows, W) what the cells are added to; changed in place.
        cells: (h, w) over the picture.
        copy: where the picture is.
        rows: which rows of the image.
    """
    content, width = copy.content, below.shape[1]
    top, bottom = max(rows.start, content.top_px), min(rows.stop, content.bottom_px)
    if top < bottom:
        inside = slice(top - content.top_px, bottom - content.top_px)
        below[top - rows.start : bottom - rows.start, content.left_px : content.right_px] += _enlarged(
            cells, inside, content.height_px, content.width_px
        )
    return below if is_all_picture(copy, rows, width) else below * picture_share(copy, rows, width)


def _enlarged(cells: Float, rows: slice, height: int, width: int) -> Float:
    """Return rows of the cells enlarged to (height, width), bilinear between the centres of cells. (rows, width)."""
    center = ((np.arange(rows.start, rows.stop) + 0.5) * (len(cells) / height) - 0.5).clip(0, len(cells) - 1)
    above = np.floor(center).astype(np.intp)
    below = np.minimum(above + 1, len(cells) - 1)
    share = (center - above).astype(np.float32)[:, None]
    lines = cells[above] + share * (cells[below] - cells[above])
    return np.asarray(cv2.resize(lines, (width, len(lines)), interpolation=cv2.INTER_LINEAR), np.float32)
