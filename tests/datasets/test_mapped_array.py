"""Mapped arrays are arrays, and go to other processes without their bytes."""

import copy
import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from rovervision.datasets.mapped_array import MappedArray, map_array
from rovervision.errors import RovervisionError

SHAPE = (50, 16, 16, 3)


@pytest.fixture
def mapped(tmp_path: Path) -> MappedArray:
    np.save(tmp_path / "pixels.npy", values())
    return map_array(tmp_path / "pixels.npy")


def values() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)


def test_it_is_the_file_and_read_only(mapped: MappedArray) -> None:
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, values())
    with pytest.raises(ValueError, match="read-only"):
        mapped[0] = 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 50), stop=st.integers(0, 50), inner=st.integers(0, 15))
def test_consecutive_views_go_as_their_place(mapped: MappedArray, start: int, stop: int, inner: int) -> None:
    for view in (mapped[start:stop], mapped[start:stop][:3], mapped[min(start, 49)], mapped[min(start, 49), inner]):
        sent = pickle.dumps(view)
        back = pickle.loads(sent)
        np.testing.assert_array_equal(back, view)
        assert back.shape == view.shape
        if view.size > 500:
            assert len(sent) < 500
            assert isinstance(back, MappedArray)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_whole_array_goes_as_its_path_and_on_from_there(mapped: MappedArray, protocol: int) -> None:
    once = pickle.loads(pickle.dumps(mapped, protocol))
    again = pickle.dumps(once[7:], protocol)
    assert len(again) < 500
    np.testing.assert_array_equal(pickle.loads(again), values()[7:])


def test_what_is_no_view_is_a_plain_array_and_goes_as_its_bytes(mapped: MappedArray) -> None:
    for plain in (mapped[[3, 1]], mapped[mapped[:, 0, 0, 0] > 99], mapped + 1, mapped.sum(axis=0), np.copy(mapped)):
        assert type(plain) is np.ndarray
    assert isinstance(mapped.sum(), np.integer)
    strided = mapped[::2, :, ::3]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(strided)), strided)
    np.testing.assert_array_equal(copy.deepcopy(mapped), values())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells which memory is mapped files")
def test_released_memory_is_given_back_and_read_again(tmp_path: Path) -> None:
    def mapped_kb() -> int:
        return int(Path("/proc/self/status").read_text().partition("RssFile:")[2].split()[0])

    np.save(tmp_path / "large.npy", np.full((32, 2**20), 7, np.uint8))
    large = map_array(tmp_path / "large.npy")
    assert large.sum() == 7 * 32 * 2**20
    before = mapped_kb()
    large[3:].release()
    assert before - mapped_kb() > 30_000
    assert (large == 7).all()


@pytest.mark.parametrize("change", ["written anew", "gone"])
def test_a_file_that_was_replaced_is_not_taken_for_the_old_one(
    mapped: MappedArray, change: str, tmp_path: Path
) -> None:
    sent = pickle.dumps(mapped)
    (tmp_path / "pixels.npy").unlink()
    if change == "written anew":
        np.save(tmp_path / "pixels.npy", 255 - values())
    with pytest.raises(RovervisionError, match="Load it again"):
        pickle.loads(sent)
    np.testing.assert_array_equal(mapped, values())


class Tiles(Dataset):
    """What a training set of tiles is to torch: an array and row numbers."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = pixels

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, bool]:
        return torch.from_numpy(np.array(self.pixels[row])), isinstance(self.pixels, MappedArray)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_data_loader_read_the_file_itself(mapped: MappedArray, method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    loader = DataLoader(Tiles(mapped), batch_size=10, num_workers=1, multiprocessing_context=method)
    batches = list(loader)
    np.testing.assert_array_equal(torch.cat([pixels for pixels, _ in batches]), values())
    assert all(is_mapped.all() for _, is_mapped in batches)
    assert len(pickle.dumps(Tiles(mapped))) < 1000
