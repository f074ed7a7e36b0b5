"""One look at a frame: decode once, take every measure, cut every candidate tile."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rovervision.errors import RovervisionError
from rovervision.imaging.bayer import debayer, mosaic_score
from rovervision.imaging.decoding import decode_image, to_uint8
from rovervision.imaging.framing import Box, content_box, square_boxes
from rovervision.imaging.quality import (
    COLOR_DIFFERENCE_MIN,
    MEASURES,
    color_difference,
    gray_of,
    measure,
    perceptual_hash,
    thumbnail,
)
from rovervision.imaging.tiles import ExaminedShard, cut_region_tile, cut_tile
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.sources.frame import StoredFile

CANDIDATE_COLUMNS = ("frame_id", "left_px", "top_px", "side_px", "is_color")


class Examination(NamedTuple):
    """What one frame gave: a row of results, and boxes with their tiles and region tiles (none where it failed)."""

    row: dict[str, Any]
    boxes: list[Box]
    tiles: list[np.ndarray]
    regions: list[np.ndarray]


def examine_shard(
    frames: pd.DataFrame, images: Mapping[str, StoredFile], masks: Mapping[str, StoredFile], config: CurationConfig
) -> ExaminedShard:
    """Return the examined shard of these frames; a frame that cannot be read becomes a row that says why."""
    ids = frames["frame_id"].tolist()
    found = [examine_frame(images.get(key), masks.get(key), config) for key in ids]
    rows = pd.DataFrame([one.row for one in found], index=frames.index)
    candidates = [(key, *box, one.row["is_color"]) for key, one in zip(ids, found, strict=True) for box in one.boxes]
    return ExaminedShard(
        frames=pd.concat([frames.drop(columns="record", errors="ignore"), _typed(rows)], axis=1),
        candidates=pd.DataFrame(candidates, columns=list(CANDIDATE_COLUMNS)).astype(
            {"left_px": "int64", "top_px": "int64", "side_px": "int64", "is_color": "bool"}
        ),
        pixels=_stacked([tile for one in found for tile in one.tiles], (config.tile_px, config.tile_px, 3)),
        regions=_stacked([tile for one in found for tile in one.regions], (config.tile_px, config.tile_px)),
    )


def examine_frame(image: StoredFile | None, mask: StoredFile | None, config: CurationConfig) -> Examination:
    """Return what the frame gives; the row says in `not_examined` why it gives nothing."""
    try:
        if image is None:
            raise RovervisionError("the image was not fetched")
        picture, score = upright_picture(to_uint8(decode_image(image.read())), config)
        regions, mask_failure = read_regions(mask, picture.shape[:2])
    except RovervisionError as failure:
        blank = dict.fromkeys(MEASURES, np.nan)
        kind = "not_fetched" if image is None or image.failure else "undecodable"
        return Examination(blank | _row(not_examined=kind, failure=str(failure)), [], [], [])
    content = content_box(picture)
    shift = content.left_px, content.top_px
    boxes = [
        Box(box.left_px + shift[0], box.top_px + shift[1], box.side_px)
        for box in square_boxes(content.height_px, content.width_px)
    ]
    small = thumbnail(gray_of(picture[content.top_px : content.bottom_px, content.left_px : content.right_px]))
    row = measure(picture, content) | {"mosaic_score": score}
    row |= _row(
        mask_failure=mask_failure,
        is_color=row["color_difference"] > COLOR_DIFFERENCE_MIN,
        is_mosaic=score >= config.mosaic_score_min,
        phash=f"{perceptual_hash(small):016x}",
        thumbnail=small.tobytes(),
    )
    tiles = [cut_tile(picture, box, config.tile_px) for box in boxes]
    return Examination(row, boxes, tiles, [cut_region_tile(regions, box, config.tile_px) for box in boxes])


def upright_picture(image: np.ndarray, config: CurationConfig) -> tuple[np.ndarray, float]:
    """Return an (H, W) gray or (H, W, 3) RGB uint8 picture, and its mosaic score.

    Gray that is stored as RGB becomes gray (the green channel; the three differ by compression noise at most), and a
    gray Bayer mosaic becomes colour.
    """
    if color_difference(image) > COLOR_DIFFERENCE_MIN:
        return image, 0.0
    gray = image if image.ndim == 2 else np.ascontiguousarray(image[..., 1])
    score = mosaic_score(gray)
    return (debayer(gray), score) if score >= config.mosaic_score_min else (gray, score)


def read_regions(mask: StoredFile | None, shape: tuple[int, int]) -> tuple[np.ndarray, str | None]:
    """Return the (H, W) uint8 region numbers, 0 where there is no mask, and why a mask that exists is not used."""
    unknown = np.zeros(shape, np.uint8)
    if mask is None:
        return unknown, None
    try:
        regions = decode_image(mask.read())
    except RovervisionError as failure:
        return unknown, str(failure)
    if regions.shape != shape or regions.dtype != np.uint8:
        return unknown, f"the mask is {regions.shape} {regions.dtype}, the image {shape}"
    return regions, None


def _row(
    *,
    not_examined: str | None = None,
    failure: str | None = None,
    mask_failure: str | None = None,
    is_color: bool = False,
    is_mosaic: bool = False,
    phash: str | None = None,
    thumbnail: bytes | None = None,
) -> dict[str, Any]:
    return {
        "not_examined": not_examined,
        "examination_failure": failure,
        "mask_failure": mask_failure,
        "is_color": is_color,
        "is_mosaic": is_mosaic,
        "phash": phash,
        "thumbnail": thumbnail,
    }


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the same column types for every shard, also where all its frames failed or none did."""
    texts = ("not_examined", "examination_failure", "mask_failure", "phash")
    kinds = {**dict.fromkeys(MEASURES, "float64"), **dict.fromkeys(texts, "string"), "thumbnail": "object"}
    return rows.astype(kinds | {"is_color": "bool", "is_mosaic": "bool"})


def _stacked(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return np.stack(arrays) if arrays else np.empty((0, *shape), np.uint8)
