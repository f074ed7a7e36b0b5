"""Worker processes on this machine, of which any may be lost: its task is tried anew, the others work on."""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Final, Self

from rovervision.errors import RovervisionError

START_METHOD: Final = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
"""A fork of this process itself would copy its threads' locks in whatever state they are."""


class WorkersLostError(RovervisionError):
    """A task that no worker survives."""

    def __init__(self, task: str, attempts: int) -> None:
        super().__init__(given_up(task, attempts))
        self.attempts = attempts


class WorkerProcesses:
    """`count` processes, each in a pool of its own: pools break as a whole, and so it is known whose task did it."""

    def __init__(self, count: int, attempts: int) -> None:
        self._workers = [_WorkerProcess(attempts) for _ in range(count)]
        self._idle: SimpleQueue[_WorkerProcess] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end(at_once=error is not None)

    def call(self, task: Callable[[], Any]) -> Any:
        """Perform a task in the next idle process and return its result. For as many threads as there are processes."""
        worker = self._idle.get()
        try:
            return worker.call(task)
        finally:
            self._idle.put(worker)

    def kill(self) -> None:
        """End every process at once; tasks at work fail."""
        for worker in self._workers:
            worker.end(at_once=True)


class _WorkerProcess:
    """One process, started when it is first needed and again when it was lost."""

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._pid = 0
        self._is_over = False

    def call(self, task: Callable[[], Any]) -> Any:
        for _ in range(self._attempts):
            try:
                return self._started().submit(call_on_one_core, task).result()
            except BrokenProcessPool:
                self._drop()
        raise WorkersLostError(str(task), self._attempts)

    def end(self, *, at_once: bool) -> None:
        with self._lock:
            self._is_over = True
            if at_once and self._pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        self._drop()

    def _started(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._is_over:
                raise RovervisionError("The workers were stopped.")
            if self._pool is None:
                context = multiprocessing.get_context(START_METHOD)
                self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin)
                self._pid = self._pool.submit(os.getpid).result()
            return self._pool

    def _drop(self) -> None:
        with self._lock:
            pool, self._pool, self._pid = self._pool, None, 0
        if pool:
            pool.shutdown(cancel_futures=True)


def given_up(task: str, attempts: int) -> str:
    """Return the sentence for a task that no worker survives."""
    return (
        f"{task} ended its worker {attempts} times. Most often the memory did not suffice: take fewer workers "
        "(`workers.count`) or smaller shards. If it fails even so, one of its images crashes its decoder: leave that "
        "one out. What was finished stays, and the same command goes on from there."
    )


def work_on_one_core() -> None:
    """Keep libraries from starting threads of their own, of which each worker would have as many as there are cores."""
    import cv2

    cv2.setNumThreads(1)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def call_on_one_core(task: Callable[[], Any]) -> Any:
    """Perform a task in a worker; it may have brought libraries along that the worker did not have when it began."""
    work_on_one_core()
    return task()


def _begin() -> None:
    """Make a new process a worker: Ctrl-C is its parent's business, and it does not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
