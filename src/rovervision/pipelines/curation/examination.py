"""One look at a frame: decode once, take every measure, cut every candidate tile."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.bayer import debayer, mosaic_score
from rovervision.imaging.cutting import boxes_for
from rovervision.imaging.decoding import decode_image, to_uint8
from rovervision.imaging.framing import Box, Content, content_box
from rovervision.imaging.planes import Planes, color_difference, planes_of
from rovervision.imaging.quality import COLOR_DIFFERENCE_MIN, MEASURES, measure, perceptual_hash, thumbnail
from rovervision.imaging.tiles import ExaminedShard, cut_region_tile, cut_tile
from rovervision.imaging.vignettes import inscribed, outside_frac, round_vignette
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.sources.frame import StoredFile

CANDIDATE_COLUMNS = ("frame_id", "left_px", "top_px", "side_px", "is_color")


NOTHING_LISTED: Mapping[str, Any] = {}

_TEXTS = ("not_examined", "examination_failure", "mask_failure", "phash")
_FLAGS = ("is_color", "is_mosaic")
_BLANK = dict.fromkeys(MEASURES, math.nan) | dict.fromkeys((*_TEXTS, "thumbnail")) | dict.fromkeys(_FLAGS, False)


class Examination(NamedTuple):
    """What one frame gave: a row of results, and boxes with their tiles and region tiles (none where it failed)."""

    row: dict[str, Any]
    boxes: list[Box]
    tiles: list[np.ndarray]
    regions: list[np.ndarray]


class Upright(NamedTuple):
    """A picture as it is meant to be seen, and what was done to make it so."""

    planes: Planes
    unfiltered: np.ndarray
    """(H, W) uint8 channel maxima before debayering, which would blend a border's last lines with the picture."""
    color_difference: float
    """Of the stored channels, before a gray picture in three of them became gray."""
    mosaic_score: float
    is_debayered: bool


def examine_shard(
    frames: pd.DataFrame, images: Mapping[str, StoredFile], masks: Mapping[str, StoredFile], config: CurationConfig
) -> ExaminedShard:
    """Return the examined shard of these frames; a frame that cannot be read becomes a row that says why."""
    ids = frames["frame_id"].tolist()
    names = [name for name in ("frame_id", "sample_type", "color_type") if name in frames]
    listed = frames[names].to_dict("records")
    found = [
        examine_frame(images.get(key), masks.get(key), config, facts) for key, facts in zip(ids, listed, strict=True)
    ]
    candidates = [(key, *box, one.row["is_color"]) for key, one in zip(ids, found, strict=True) for box in one.boxes]
    return ExaminedShard(
        frames=pd.concat([frames.drop(columns="record", errors="ignore"), _table(found, frames.index)], axis=1),
        candidates=pd.DataFrame(candidates, columns=list(CANDIDATE_COLUMNS)).astype(
            {"left_px": "int64", "top_px": "int64", "side_px": "int64", "is_color": "bool"}
        ),
        pixels=_stacked([tile for one in found for tile in one.tiles], (config.tile_px, config.tile_px, 3)),
        regions=_stacked([tile for one in found for tile in one.regions], (config.tile_px, config.tile_px)),
    )


def examine_frame(
    image: StoredFile | None,
    mask: StoredFile | None,
    config: CurationConfig,
    listed: Mapping[str, Any] = NOTHING_LISTED,
) -> Examination:
    """Return what the frame gives; the row says in `not_examined` why it gives nothing.

    listed: what the archive says of the frame, of which `sample_type` and `color_type` become measures; `frame_id`
    decides where random tiles are cut.
    """
    try:
        if image is None:
            raise RovervisionError("the image was not fetched")
        stored = to_uint8(decode_image(image.read()))
        upright = upright_picture(stored, config)
        regions, mask_failure = read_regions(mask, stored.shape[:2])
    except RovervisionError as failure:
        kind = "not_fetched" if image is None or image.failure else "undecodable"
        return Examination(_BLANK | {"not_examined": kind, "examination_failure": str(failure)}, [], [], [])
    picture = upright.planes.picture
    content, row = examine_pixels(upright)
    row |= _stored_measures(stored, upright, image, listed)
    row["mask_failure"] = mask_failure
    boxes = [
        Box(box.left_px + content.left_px, box.top_px + content.top_px, box.side_px)
        for box in boxes_for(content.height_px, content.width_px, config.cutting, str(listed.get("frame_id", "")))
    ]
    tiles = [cut_tile(picture, box, config.tile_px) for box in boxes]
    return Examination(_BLANK | row, boxes, tiles, [_region_tile(regions, box, config.tile_px) for box in boxes])


def examine_pixels(upright: Upright) -> tuple[Content, dict[str, Any]]:
    """Return the rectangle that is picture, and every measure of the pixels with thumbnail and perceptual hash."""
    planes = upright.planes
    borders = content_box(upright.unfiltered)
    content, vignette_frac = inside_vignette(planes, borders)
    row: dict[str, Any] = measure(planes, borders, content) | {"vignette_frac": vignette_frac}
    small = thumbnail(planes.inside(content).gray)
    row |= {"phash": f"{perceptual_hash(small):016x}", "thumbnail": small.tobytes()}
    return content, row


def inside_vignette(planes: Planes, borders: Content) -> tuple[Content, float]:
    """Return the rectangle inside a round vignette, and the share outside the circle; the borders where none is."""
    circle = round_vignette(planes.inside(borders).maximum)
    if circle is None:
        return borders, 0.0
    inner = inscribed(circle, borders.width_px, borders.height_px)
    left, top = borders.left_px, borders.top_px
    content = Content(left + inner.left_px, top + inner.top_px, left + inner.right_px, top + inner.bottom_px)
    return content, outside_frac(circle, borders.width_px, borders.height_px)


def upright_picture(image: np.ndarray, config: CurationConfig) -> Upright:
    """Return an (H, W) or (H, W, 3) uint8 image as gray or colour, whichever it is.

    Gray that is stored as RGB becomes gray (the green channel; the three differ by compression noise at most), and a
    gray Bayer mosaic becomes colour.
    """
    planes = planes_of(image)
    difference = color_difference(planes)
    if difference > COLOR_DIFFERENCE_MIN:
        return Upright(planes, planes.maximum, difference, 0.0, False)
    gray = image if image.ndim == 2 else cv2.extractChannel(image, 1)
    score = mosaic_score(gray)
    is_mosaic = score >= config.mosaic_score_min
    return Upright(planes_of(debayer(gray) if is_mosaic else gray), gray, difference, score, is_mosaic)


def _stored_measures(
    stored: np.ndarray, upright: Upright, image: StoredFile, listed: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what file and listing tell beside the pixels."""
    planes = upright.planes
    n_channels = 1 if stored.ndim == 2 else stored.shape[2]
    measures = {
        "mosaic_score": upright.mosaic_score,
        "channels": float(n_channels),
        "is_gray_in_rgb": float(n_channels == 3 and planes.is_gray),
        "is_subframe": float(listed.get("sample_type") == "subframe"),
        "is_narrow_band": float(listed.get("color_type") == "narrow_band"),
        "file_bytes": float(image.n_bytes),
    }
    if planes.is_gray:
        measures["color_difference"] = upright.color_difference
    return {**measures, "is_color": not planes.is_gray, "is_mosaic": upright.is_debayered}


def read_regions(mask: StoredFile | None, shape: tuple[int, int]) -> tuple[np.ndarray | None, str | None]:
    """Return the (H, W) uint8 region numbers, None where none are known, and why a mask that exists is not used."""
    if mask is None:
        return None, None
    try:
        regions = decode_image(mask.read())
    except RovervisionError as failure:
        return None, str(failure)
    if regions.shape != shape or regions.dtype != np.uint8:
        return None, f"the mask is {regions.shape} {regions.dtype}, the image {shape}"
    return regions, None


def _region_tile(regions: np.ndarray | None, box: Box, tile_px: int) -> np.ndarray:
    return np.zeros((tile_px, tile_px), np.uint8) if regions is None else cut_region_tile(regions, box, tile_px)


def _table(found: Sequence[Examination], index: pd.Index) -> pd.DataFrame:
    """Return the rows as a table, with the same column types also where all frames failed or none did."""
    columns = {name: [one.row[name] for one in found] for name in _BLANK}
    kinds = {**dict.fromkeys(MEASURES, "float64"), **dict.fromkeys(_TEXTS, "string"), "thumbnail": "object"}
    kinds |= dict.fromkeys(_FLAGS, "bool")
    return pd.DataFrame({name: pd.Series(values, index, kinds[name]) for name, values in columns.items()})


def _stacked(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return np.stack(arrays) if arrays else np.empty((0, *shape), np.uint8)
