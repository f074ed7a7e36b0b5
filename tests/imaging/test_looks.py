"""A look is the same whether it comes from a tile's pixels or from a table's columns."""

from pathlib import Path

import numpy as np

from rovervision.imaging.looks import looks_of_rows, looks_of_tiles
from rovervision.imaging.quality import THUMBNAIL_PX, perceptual_hash


def test_looks_of_tiles_read_memory_maps_and_are_those_of_each_alone(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    looks = looks_of_tiles(np.load(tmp_path / "pixels.npy", mmap_mode="r"))
    assert looks.thumbnails.shape == (5, THUMBNAIL_PX, THUMBNAIL_PX)
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    halves = luma.reshape(5, 32, 2, 32, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(looks.thumbnails, halves, atol=1.0)
    assert looks.hashes.tolist() == [perceptual_hash(each) for each in looks.thumbnails]


def test_looks_of_rows_are_what_was_written() -> None:
    looks = looks_of_tiles(np.random.default_rng(1).integers(0, 256, (4, 40, 40, 3), dtype=np.uint8))
    again = looks_of_rows(
        [f"{number:016x}" for number in looks.hashes.tolist()], [each.tobytes() for each in looks.thumbnails]
    )
    np.testing.assert_array_equal(again.hashes, looks.hashes)
    np.testing.assert_array_equal(again.thumbnails, looks.thumbnails)


def test_no_pictures_have_no_looks() -> None:
    for looks in (looks_of_tiles(np.empty((0, 64, 64, 3), np.uint8)), looks_of_rows([], [])):
        assert looks.hashes.shape == (0,)
        assert looks.hashes.dtype == np.uint64
        assert looks.thumbnails.shape == (0, THUMBNAIL_PX, THUMBNAIL_PX)
