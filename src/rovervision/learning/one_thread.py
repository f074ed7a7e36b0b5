"""Computing in one thread, where sums must not depend, in the last bit, on how many parts they are made of."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from threadpoolctl import threadpool_limits

_LOCK: Final = threading.Lock()
_LIMITS: Final[list[Any]] = []
"""A limit for each thread that asks for one now; the libraries' own number returns with the last of them."""


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Let torch and BLAS compute in the calling thread alone. For several threads at once, too."""
    before = torch.get_num_threads()
    with _LOCK:
        _LIMITS.append(threadpool_limits(1) if not _LIMITS else _LIMITS[0])
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        with _LOCK:
            last = _LIMITS.pop()
            if not _LIMITS:
                last.restore_original_limits()
