"""What Kedro-Viz shows of tables and of pictures."""

import base64
import inspect
import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.datasets.image_folder import ImageFolderDataset
from rovervision.datasets.metric_history import MetricHistoryDataset
from rovervision.datasets.parquet_with_bytes import ParquetWithBytesDataset
from rovervision.datasets.previews import CELL_PX, boxed, preview_files, preview_pictures, preview_table
from rovervision.datasets.tile_store import TileStoreDataset
from rovervision.sources.frame import StoredFile


def decoded(preview: str) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(base64.b64decode(preview), np.uint8), cv2.IMREAD_COLOR_RGB)


def stored(key: str, data: bytes) -> StoredFile:
    return StoredFile(key, key, len(data), "", None, lambda: data)


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([(), (3,)]))
def test_a_picture_in_its_box_keeps_its_aspect_and_is_not_cut(
    height: int, width: int, channels: tuple[int, ...]
) -> None:
    box = boxed(np.zeros((height, width, *channels), np.uint8), 60)
    assert box.shape == (60, 60, 3)
    dark = (box == 0).all(axis=2)
    rows, columns = int(dark.any(axis=1).sum()), int(dark.any(axis=0).sum())
    assert max(rows, columns) == 60
    assert abs(rows * width - columns * height) <= max(height, width)  # to a pixel


def test_pictures_of_all_sizes_stand_on_one_sheet() -> None:
    assert preview_pictures([]) == ""
    sheet = decoded(preview_pictures([np.full((30, 50), 10, np.uint8), np.full((90, 20, 3), (200, 0, 0), np.uint8)]))
    assert sheet.shape[0] == CELL_PX
    assert tuple(sheet[CELL_PX // 2, CELL_PX // 2]) == (10, 10, 10)
    assert tuple(sheet[CELL_PX // 2, CELL_PX + 4 + CELL_PX // 2]) == (200, 0, 0)


def test_files_that_cannot_be_read_are_passed_over() -> None:
    whole = cv2.imencode(".png", np.full((9, 9), 40, np.uint16))[1].tobytes()
    sheet = decoded(preview_files([stored("bad", b"no image"), stored("good", whole)], 1))
    assert sheet.shape == (CELL_PX, CELL_PX, 3)
    assert preview_files([stored("bad", b"no image")], 5) == ""


def test_a_table_with_bytes_and_lists_becomes_what_a_page_can_show() -> None:
    table = pd.DataFrame(
        {"frame_id": ["a", "b"], "thumbnail": [b"\x97", None], "reasons": [np.array(["x", "y"]), np.array([])]}
    )
    shown = preview_table(table)
    assert shown["columns"] == ["frame_id", "reasons"]
    assert shown["data"] == [["a", "x, y"], ["b", ""]]
    json.dumps(shown)


def test_the_types_tell_kedro_viz_how_to_draw_them() -> None:
    drawn = {ImageFolderDataset: "ImagePreview", TileStoreDataset: "ImagePreview"}
    drawn |= {ParquetWithBytesDataset: "TablePreview", MetricHistoryDataset: "TablePreview"}
    for kind, name in drawn.items():
        assert inspect.signature(kind.preview).return_annotation.__name__ == name


def test_bytes_at_rest_are_shown(tmp_path: Path) -> None:
    dataset = ParquetWithBytesDataset(filepath=str(tmp_path / "frames.parquet"))
    dataset.save(pd.DataFrame({"n": range(9), "thumbnail": [b"\x97"] * 9}))
    assert dataset.preview(nrows=2)["data"] == [[0], [1]]
    with pytest.raises(UnicodeDecodeError):  # why the class is there: Kedro-Viz answers with an error to bytes
        from fastapi.encoders import jsonable_encoder

        jsonable_encoder({"thumbnail": b"\x97"})
