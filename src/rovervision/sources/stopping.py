"""Work that is given up in the middle: waits end early where nobody needs their outcome any more.

Whoever runs calls in threads makes an event and lets each thread heed it; whatever may take long in such a call asks
here. A thread that heeds nothing, such as the main one, waits as usual.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_HEEDED: Final[ContextVar[threading.Event | None]] = ContextVar("_HEEDED", default=None)


class GivenUp(BaseException):
    """Nobody waits for this call any more. Not an Exception, so that nothing retries it or counts it as a failure."""


@contextmanager
def heeding(stop: threading.Event) -> Iterator[None]:
    """Let `pause` and `check_wanted` raise GivenUp in this thread once the event is set."""
    before = _HEEDED.set(stop)
    try:
        yield
    finally:
        _HEEDED.reset(before)


def check_wanted() -> None:
    """Raise GivenUp where this thread's work is not wanted any more."""
    stop = _HEEDED.get()
    if stop is not None and stop.is_set():
        raise GivenUp


def pause(wait_s: float) -> None:
    """Wait, at most until the work is given up: then raise GivenUp at once."""
    stop = _HEEDED.get()
    if stop is None:
        time.sleep(wait_s)
    elif stop.wait(wait_s):
        raise GivenUp
