"""A folder, a file, or nothing: what a person names is what is read."""

from pathlib import Path

import pytest
from kedro.io import DatasetError

from rovervision.datasets.named_images import NamedImagesDataset


def test_nothing_named_is_no_image() -> None:
    dataset = NamedImagesDataset(filepath=None)
    assert dataset.exists()
    assert dataset.load() == {}


def test_one_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.png", "deep/b.JPG", "notes.txt"):
        (tmp_path / name).write_bytes(name.encode())
    assert {key: file.read() for key, file in NamedImagesDataset(filepath=str(tmp_path)).load().items()} == {
        "a.png": b"a.png",
        "deep/b.JPG": b"deep/b.JPG",
    }
    alone = NamedImagesDataset(filepath=str(tmp_path / "a.png")).load()
    assert [(key, file.read()) for key, file in alone.items()] == [("a.png", b"a.png")]


def test_what_is_not_there_is_a_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    dataset = NamedImagesDataset(filepath=str(tmp_path / "no"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="There is no image and no folder"):
        dataset.load()
    with pytest.raises(DatasetError, match="only read"):
        dataset.save({})  # type: ignore[arg-type]
