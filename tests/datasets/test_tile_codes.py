"""Codes come back as they were, mapped and without a pickle; a save that fails leaves what was there."""

from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from rovervision.datasets.tile_codes import TileCodesDataset
from rovervision.errors import RovervisionError
from rovervision.learning.codes import TileCodes


def codes(count: int = 5, dim: int = 3) -> TileCodes:
    values = np.random.default_rng(0).normal(size=(count, dim)).astype(np.float32)
    return TileCodes(values, tuple(f"tile_{row}" for row in range(count)))


@pytest.mark.parametrize("count", [0, 1, 7])
def test_codes_come_back_mapped(tmp_path: Path, count: int) -> None:
    dataset = TileCodesDataset(filepath=str(tmp_path / "deep" / "tile_codes"))
    assert not dataset.exists()
    dataset.save(codes(count))
    loaded = dataset.load()
    assert dataset.exists()
    np.testing.assert_array_equal(loaded.codes, codes(count).codes)
    assert loaded.tile_ids == codes(count).tile_ids
    assert isinstance(loaded.codes, np.memmap)


def test_mapped_codes_can_be_saved_over_themselves(tmp_path: Path) -> None:
    dataset = TileCodesDataset(filepath=str(tmp_path / "tile_codes"))
    dataset.save(codes(7))
    dataset.save(dataset.load())
    np.testing.assert_array_equal(dataset.load().codes, codes(7).codes)


def test_codes_that_are_a_pickle_are_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "tile_codes"
    dataset = TileCodesDataset(filepath=str(folder))
    dataset.save(codes())
    np.save(folder / "codes.npy", np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match="Python objects"):
        dataset.load()


def test_missing_codes_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="kedro run --pipelines clustering"):
        TileCodesDataset(filepath=str(tmp_path / "nowhere")).load()


def test_codes_of_other_shapes_or_tiles_are_refused() -> None:
    with pytest.raises(RovervisionError, match=r"must be \(N, D\) float32"):
        TileCodes(np.zeros((2, 3)), ("a", "b"))  # type: ignore[arg-type]
    with pytest.raises(RovervisionError, match="5 codes for 1 tiles"):
        TileCodes(codes().codes, ("a",))
    codes().check_tiles([f"tile_{row}" for row in range(5)])
    with pytest.raises(RovervisionError, match="curation has run since"):
        codes().check_tiles([f"tile_{row}" for row in (1, 0, 2, 3, 4)])
