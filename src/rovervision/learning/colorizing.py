"""Colour for whole images of any size, with a trained colorizer. The image's own lightness is kept."""

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from rovervision.errors import RovervisionError
from rovervision.imaging.color import fit_gamut, lab_to_rgb, rgb_to_lab
from rovervision.imaging.color_priors import look_up
from rovervision.learning.colorizers import ModelConfig, ResidualColorizer, build_colorizer, pad_to_multiple
from rovervision.learning.weights import Weights

Float = NDArray[np.float32]

_BAND_PX = 256
"""Rows that are converted at a time, so that memory does not grow with a copy of the image in every colour space."""


class ApplyConfig(BaseModel):
    """How a trained colorizer is used on whole images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    work_tiles: float = Field(default=1.5, gt=0, le=16)
    """The network sees the image with its short side reduced to so many training tiles, near the scale that it learnt
    at; lightness stays at full resolution."""

    def work_px(self, weights: Weights) -> int:
        """Return the short side, in pixels, at which this colorizer sees an image."""
        return round(self.work_tiles * int(weights.header["tile_px"]))


_LONGEST = 16
"""A strip is reduced further, so that its long side is at most so many of those short sides."""


def load_colorizer(weights: Weights) -> ResidualColorizer:
    """Return the colorizer that a weights file describes, ready for use. Raises RovervisionError where it does not."""
    try:
        config = ModelConfig.model_validate(weights.header["model"])
        model = build_colorizer(weights.tensors["tables"], config)
        model.load_state_dict(weights.tensors)
    except (KeyError, ValueError, RuntimeError) as error:
        raise RovervisionError(
            f"These weights are not a colorizer of this version of rovervision ({error}). Train one again with: "
            "kedro run --pipelines colorization"
        ) from error
    return model.eval()


def colorize(image: NDArray[Any], model: ResidualColorizer, work_px: int, camera: int = 0) -> NDArray[np.uint8]:
    """Return the image in colour.

    Args:
        image: (H, W) gray or (H, W, 3) sRGB, uint8 or uint16. Of a colour image only the lightness is used.
        model: a trained colorizer, in evaluation mode.
        work_px: short side at which the network sees the image (see `ApplyConfig`); smaller images stay as they are.
        camera: number of the camera among those learnt from; 0 where it is none of them.

    Returns:
        (H, W, 3) uint8 sRGB. Its lightness is the image's own, up to the rounding to 8 bits; where sRGB cannot show
        the colour at that lightness, chroma gives way.
    """
    correction = _correction(_reduced_lightness(image, work_px), model)
    height, width = image.shape[:2]
    table = model.tables[camera].cpu().numpy()
    result = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _BAND_PX):
        rows = slice(top, min(top + _BAND_PX, height))
        L = lightness_of(image[rows])
        ab = look_up(L, table) + _enlarge(correction, rows, height, width)
        result[rows] = lab_to_rgb(fit_gamut(np.concatenate([L[..., None], ab], axis=-1)))
    return result


def lightness_of(image: NDArray[Any]) -> Float:
    """Return CIE L in 0..100 of gamma-encoded gray (H, W) or sRGB (H, W, 3), uint8 or uint16. (H, W) float32."""
    unit = image if image.dtype == np.uint8 else image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    return rgb_to_lab(unit if image.ndim == 3 else np.repeat(unit[..., None], 3, axis=-1))[..., 0]


def _reduced_lightness(image: NDArray[Any], work_px: int) -> Float:
    height, width = image.shape[:2]
    scale = min(1.0, work_px / min(height, width), _LONGEST * work_px / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    reduced = image if scale == 1.0 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return lightness_of(reduced)


@torch.no_grad()
def _correction(lightness: Float, model: ResidualColorizer) -> Float:
    """Return what the network adds to the table, (h/4, w/4, 2)."""
    device = model.tables.device
    padded = pad_to_multiple(torch.from_numpy(lightness)[None, None].to(device), 4)
    return model.correction(padded)[0].permute(1, 2, 0).cpu().numpy()


def _enlarge(correction: Float, rows: slice, height: int, width: int) -> Float:
    """Return rows of the correction, enlarged to (height, width) by bilinear interpolation. (rows, width, 2)."""
    top, bottom, down = _neighbours(np.arange(rows.start, rows.stop), height, correction.shape[0])
    left, right, across = _neighbours(np.arange(width), width, correction.shape[1])
    band = correction[top] + down[:, None, None] * (correction[bottom] - correction[top])
    return band[:, left] + across[None, :, None] * (band[:, right] - band[:, left])


def _neighbours(position: NDArray[np.int64], size: int, coarse_size: int) -> tuple[NDArray[Any], NDArray[Any], Float]:
    """Return, for pixels of a row of `size`, the coarse cells on both sides and the share of the second."""
    center = ((position + 0.5) * (coarse_size / size) - 0.5).clip(0, coarse_size - 1)
    low = np.floor(center).astype(np.int64)
    return low, np.minimum(low + 1, coarse_size - 1), (center - low).astype(np.float32)
