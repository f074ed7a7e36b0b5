"""The door to one host: how many requests may be inside, how far apart they start, and when the host wants none."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rovervision.sources.http.transport import FetchError
from rovervision.sources.http.waits import spoken_wait
from rovervision.sources.stopping import check_wanted

_INSTANT_S: Final = 1e-6  # below it a clock may not move on
_FORGET_S: Final = 30.0
"""So long a host that never answered is not asked again, so that a thousand requests do not each find out."""


class HostGate:
    """Shared by all threads that ask one host. Times are in seconds of `clock`, which never goes back."""

    def __init__(
        self,
        host: str,
        connections: int,
        wait_max_s: float,
        clock: Callable[[], float],
        now: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        self.host: Final = host
        self.answered = False
        """True once the host has answered anything at all."""
        self.tried = False
        """True once a connection was attempted."""
        self._connections = connections
        self._wait_max_s = wait_max_s
        self._clock, self._now, self._sleep = clock, now, sleep
        self._free = threading.Condition()
        self._inside = 0
        self._of_this_thread = threading.local()
        self._spaced_from_s = float("-inf")
        self._held_until_s = float("-inf")
        self._missing: tuple[float, FetchError] | None = None

    @contextmanager
    def entered(self, spacing_s: float = 0.0) -> Iterator[None]:
        """Wait for a place and for the host's consent, and keep the place while the block runs.

        A thread that is inside already comes in again without a place: it would wait for itself.
        Raises FetchError("busy") where the host wants to be left alone for longer than `wait_max_s`.
        """
        nested: int = getattr(self._of_this_thread, "depth", 0)
        while (wait_s := self._try_to_enter(spacing_s, nested > 0)) > 0:
            self._sleep(wait_s)
        self._of_this_thread.depth = nested + 1
        try:
            yield
        finally:
            self._of_this_thread.depth = max(0, getattr(self._of_this_thread, "depth", 1) - 1)
            with self._free:
                self._inside -= not nested
                self._free.notify_all()  # one alone might find that it has to wait outside

    def hold(self, wait_s: float) -> None:
        """Let nobody in for so long. Raises FetchError("busy") where that is longer than `wait_max_s`."""
        with self._free:
            self._held_until_s = max(self._held_until_s, self._clock() + wait_s)
        self._check_patience(wait_s)

    def give_up(self, error: FetchError) -> None:
        """Remember that a host that never answered cannot be reached, or says nothing."""
        if error.reason in ("unreachable", "timeout") and not self.answered:
            self._missing = (self._clock() + _FORGET_S, error)

    def _try_to_enter(self, spacing_s: float, nested: bool) -> float:
        """Take a place and return 0, or return how long to wait outside before the next try."""
        with self._free:
            while True:
                check_wanted()
                self._check_presence()
                now_s = self._clock()
                held_s = self._held_until_s - now_s
                self._check_patience(held_s)
                wait_s = max(held_s, self._spaced_from_s + spacing_s - now_s if spacing_s > 0 else 0.0)
                if wait_s > _INSTANT_S:
                    return wait_s
                if nested or self._inside < self._connections:
                    break
                self._free.wait()
            self._inside += not nested
            if spacing_s > 0:
                self._spaced_from_s = now_s
            return 0.0

    def _check_patience(self, wait_s: float) -> None:
        if wait_s > self._wait_max_s:
            raise FetchError(
                "busy",
                f"{self.host} asks to be left alone until {spoken_wait(wait_s, self._now())}. Run the same command "
                "again then: what is whole is kept.",
                may_pass=False,
            )

    def _check_presence(self) -> None:
        if self._missing and not self.answered and self._clock() < self._missing[0]:
            error = self._missing[1]
            raise FetchError(error.reason, str(error), may_pass=False)
