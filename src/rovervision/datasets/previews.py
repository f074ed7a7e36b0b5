"""What Kedro-Viz shows of a dataset when its box is opened: the first rows of a table, some pictures on one sheet."""

import base64
from collections.abc import Iterable, Sequence
from itertools import islice
from math import ceil, sqrt
from typing import Any

import cv2
import numpy as np
import pandas as pd
from kedro_datasets._typing import ImagePreview, TablePreview

from rovervision.errors import RovervisionError
from rovervision.imaging.decoding import decode_image, to_uint8
from rovervision.imaging.encoding import encode_png
from rovervision.imaging.montage import contact_sheet
from rovervision.sources.frame import StoredFile

CELL_PX = 128
SHEET_ASPECT = 1.5
"""Width over height of the place where Kedro-Viz shows a picture; it stretches what is of another shape."""


def preview_table(table: pd.DataFrame) -> TablePreview:
    """Return a table as Kedro-Viz reads it, without columns of bytes; arrays are shown as text."""
    shown = table.drop(columns=[name for name in table if _holds(table[name], bytes)])
    texts = {name: shown[name].map(_as_text) for name in shown if _holds(shown[name], np.ndarray)}
    split: dict[str, Any] = shown.assign(**texts).to_dict(orient="split")
    return TablePreview(split)


def preview_files(files: Iterable[StoredFile], count: int) -> ImagePreview:
    """Return a sheet of the first images that can be read, `count` at most; empty where there is none."""
    return preview_pictures(list(islice(_readable(files), count)))


def preview_pictures(pictures: Sequence[np.ndarray]) -> ImagePreview:
    """Return uint8 pictures, (h, w) or (h, w, 3) sRGB, of any sizes, on one sheet for Kedro-Viz; empty of none."""
    if not pictures:
        return ImagePreview("")
    cells = [boxed(picture, CELL_PX) for picture in pictures]
    sheet = contact_sheet(cells, columns=min(len(cells), ceil(sqrt(SHEET_ASPECT * len(cells)))))
    return ImagePreview(base64.b64encode(encode_png(sheet)).decode())


def boxed(picture: np.ndarray, side_px: int) -> np.ndarray:
    """Return a picture in the middle of a white square of `side_px`, as large as fits, its aspect kept; uint8 RGB."""
    height, width = picture.shape[:2]
    scale = side_px / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    square = np.full((side_px, side_px, 3), 255, np.uint8)
    top, left = (side_px - size[1]) // 2, (side_px - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small if small.ndim == 3 else small[..., None]
    return square


def _readable(files: Iterable[StoredFile]) -> Iterable[np.ndarray]:
    for file in files:
        try:
            image = decode_image(file.read())
        except (RovervisionError, OSError):
            continue  # what could not be had or read is told elsewhere
        yield to_uint8(image)


def _holds(column: "pd.Series[Any]", kind: type) -> bool:
    return any(isinstance(value, kind) for value in column)


def _as_text(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, np.ndarray) else value
