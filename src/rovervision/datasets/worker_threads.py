"""Calls in threads that a person can stop at any moment."""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from queue import SimpleQueue
from typing import Final, Generic, TypeVar

from rovervision.sources.stopping import heeding

_T = TypeVar("_T")
_GRACE_S: Final = 2.0
"""So long the threads are waited for when the work is given up."""
_AHEAD: Final = 4
"""Calls for each thread that may be made before their results are read: whoever reads may want no more."""


class _Team(Generic[_T]):
    """Threads that take call after call. They are daemons: one that hangs in the network keeps no process alive."""

    def __init__(self, calls: Iterable[Callable[[], _T]], size: int) -> None:
        self._calls = iter(calls)
        self._taking = threading.Lock()
        self._room = threading.Semaphore(size * _AHEAD)
        self._stop = threading.Event()
        self._ended: SimpleQueue[tuple[_T] | BaseException | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(size)]

    def results(self) -> Iterator[_T]:
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            while (ended := self._ended.get()) is not None:
                if isinstance(ended, BaseException):
                    raise ended
                self._room.release()
                yield ended[0]

    def give_up(self) -> None:
        self._stop.set()
        self._room.release(len(self._threads))
        until_s = time.monotonic() + _GRACE_S
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, until_s - time.monotonic()))

    def _work(self) -> None:
        try:
            with heeding(self._stop):
                while (call := self._next()) is not None:
                    self._ended.put((call(),))
        except BaseException as error:  # raised again where the results are read
            self._ended.put(error)
        finally:
            self._ended.put(None)

    def _next(self) -> Callable[[], _T] | None:
        self._room.acquire()
        with self._taking:
            return None if self._stop.is_set() else next(self._calls, None)


def in_threads(calls: Iterable[Callable[[], _T]], threads: int) -> Generator[_T, None, None]:
    """Make calls in threads and yield what they return as they end; the error of a call is raised.

    However that ends before all is done (an error, a signal, a reader who has enough), no further call begins, waits
    that heed `sources.stopping` end at once, and the threads are waited for, two seconds at most.
    """
    team = _Team(calls, threads)
    try:
        yield from team.results()
    finally:
        team.give_up()
