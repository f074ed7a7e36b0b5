"""Batches made by a thread while the device still works on those before them."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item], count: int) -> Iterator[Item]:
    """Yield the same items in the same order, with up to `count` of them made beforehand by a thread; 0: no thread."""
    if count == 0:
        yield from items
        return
    end = object()
    worker = ThreadPoolExecutor(1, "batches")
    try:
        pending = deque(worker.submit(next, items, end) for _ in range(count))
        while (item := pending.popleft().result()) is not end:
            pending.append(worker.submit(next, items, end))
            yield item  # type: ignore[misc]
    finally:
        worker.shutdown(cancel_futures=True)
