"""Performing many independent tasks by a choice of workers: threads, processes, or a Dask cluster."""

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from rovervision.datasets.dask_work import Lost, perform_by_dask
from rovervision.datasets.process_work import WorkerProcesses, WorkersLostError
from rovervision.imaging.shard_plan import WorkersConfig

Receipt = TypeVar("Receipt")
_WINDOW = 2  # tasks handed out for each worker: one at work, one that waits for it


def perform(
    tasks: Mapping[str, Callable[[], Receipt]], workers: WorkersConfig, lost: Lost[Receipt] | None = None
) -> Generator[tuple[str, Receipt], None, None]:
    """Perform every task and yield its name and what it returned, in the order in which they end.

    A task does its own writing, and returns only what the caller must know of it. Whatever ends the iteration early, a
    signal too, ends the workers: processes are killed, and of the threads only the tasks at work are waited for.

    Args:
        tasks: Name -> callable. For processes and Dask both must survive pickling. The text of a task, str(task),
            stands in the message where it is given up.
        workers: Who performs them.
        lost: Called with the name of a task that ended its worker `attempts` times, and that number; what it returns
            stands in the place of the task's own receipt, and the others go on. Without it, such a task ends all.

    Raises:
        RovervisionError: A task ended its worker `attempts` times, and there is no `lost`.
        Exception: Whatever a task raises, which is not tried again.
    """
    if not tasks:
        return
    count = min(workers.count or usable_cores(), len(tasks))
    if workers.kind == "dask":
        yield from perform_by_dask(tasks, workers, count, lost)
    elif workers.kind == "processes":
        with WorkerProcesses(count, workers.attempts) as processes:
            yield from _perform(tasks, count, processes.call, processes.kill, lost)
    else:
        yield from _perform(tasks, count, _call)


def _perform(
    tasks: Mapping[str, Callable[[], Receipt]],
    count: int,
    call: Callable[[Callable[[], Receipt]], Receipt],
    kill: Callable[[], None] | None = None,
    lost: Lost[Receipt] | None = None,
) -> Iterator[tuple[str, Receipt]]:
    """Hand the tasks out to `count` threads; `kill` ends what the threads wait for when they are to stop early."""
    waiting = iter(tasks.items())
    names: dict[Future[Receipt], str] = {}
    with ThreadPoolExecutor(count) as pool:
        try:
            for name, task in waiting:
                names[pool.submit(call, task)] = name
                if len(names) >= count * _WINDOW:
                    yield from _ended(names, lost)
            while names:
                yield from _ended(names, lost)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            if kill:
                kill()
            raise


def _ended(names: dict[Future[Receipt], str], lost: Lost[Receipt] | None) -> Iterator[tuple[str, Receipt]]:
    """Wait for at least one task, and take those that have ended out of `names`."""
    done, _ = wait(names, return_when=FIRST_COMPLETED)
    for future in done:
        name = names.pop(future)
        try:
            receipt = future.result()
        except WorkersLostError as error:
            if lost is None:
                raise
            receipt = lost(name, error.attempts)
        yield name, receipt


def _call(task: Callable[[], Any]) -> Any:
    return task()


def usable_cores() -> int:
    """Return the cores that this process may use; macOS and Windows only tell how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
