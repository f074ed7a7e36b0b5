"""Memory-mapped arrays that go to other processes as a path; NumPy's own memory maps go as a copy of all they map."""

import mmap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rovervision.errors import RovervisionError


class _Place(NamedTuple):
    """The file behind an array, as it was when it was opened."""

    path: str
    stamp: tuple[int, int]
    """Size in bytes and time of the last change in ns."""
    start_bytes: int
    """Where the mapped data begin in the file."""
    address: int
    """Where they begin in the memory of this process."""


class MappedArray(np.memmap):
    """A read-only memory map of a .npy file. Views of consecutive items pickle as their place in the file.

    Whatever is computed from it, or picked from it out of order, is a plain array.
    """

    _mmap: mmap.mmap | None
    _place: _Place | None = None

    def __array_finalize__(self, obj: Any) -> None:
        super().__array_finalize__(obj)
        self._place = getattr(obj, "_place", None) if getattr(self, "_mmap", None) is not None else None

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Any:
        plain = array.view(np.ndarray)
        return plain[()] if return_scalar else plain

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return found.view(np.ndarray) if isinstance(found, MappedArray) and found._place is None else found

    def release(self) -> None:
        """Give the memory of what was read so far back to the system; it is read again where it is asked for again.

        The system would do so by itself under pressure. Who passes over a whole file once need not wait for that.
        """
        if self._mmap is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._mmap.madvise(mmap.MADV_DONTNEED)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self._place is None or not self.flags.c_contiguous:
            return self.view(np.ndarray).__reduce_ex__(protocol)
        start = self._place.start_bytes + self.ctypes.data - self._place.address
        return _opened_again, (self._place.path, self._place.stamp, start, self.dtype.str, self.shape)

    def __reduce__(self) -> Any:
        return self.__reduce_ex__(2)


def map_array(path: Path) -> MappedArray:
    """Return the array of a .npy file, mapped and read-only."""
    stamp = _stamp(path)
    mapped = np.load(path, mmap_mode="r")
    return _placed(mapped, str(path.absolute()), stamp, mapped.offset)


def _opened_again(path: str, stamp: tuple[int, int], start: int, dtype: str, shape: tuple[int, ...]) -> MappedArray:
    try:
        is_same = _stamp(Path(path)) == stamp
    except FileNotFoundError:
        is_same = False
    if not is_same:
        raise RovervisionError(f"{path} is no longer the file that was opened: it was written anew. Load it again.")
    return _placed(np.memmap(path, dtype=dtype, mode="r", offset=start, shape=shape), path, stamp, start)


def _placed(mapped: np.memmap, path: str, stamp: tuple[int, int], start: int) -> MappedArray:
    array = mapped.view(MappedArray)
    array._place = _Place(path, stamp, start, array.ctypes.data)
    return array


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns
