"""Workers of a Dask cluster: on this machine, at an address, or in jobs of Slurm."""

import contextlib
import logging
import os
import signal
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import uuid4

from rovervision.datasets.process_work import call_on_one_core, given_up
from rovervision.errors import RovervisionError
from rovervision.imaging.shard_plan import SlurmWorkers, WorkersConfig

if TYPE_CHECKING:
    from distributed import Client
    from distributed.deploy.cluster import Cluster

_logger = logging.getLogger(__name__)

Receipt = TypeVar("Receipt")
Lost = Callable[[str, int], Receipt]
"""What to answer for a task, by its name, that ended so many workers."""
_CONNECT_S: Final = 30
_LOOK_S: Final = 20  # between looks at whether there are workers
_WINDOW: Final = 2  # tasks handed out for each thread: one at work, one that waits for it
_SETTLE_S: Final = 0.3  # in which the scheduler tells of all tasks that one worker took with it
_LEAVE_FRAC: Final = 0.9  # of a job's time, at which its workers leave
_STAGGER_FRAC: Final = 0.05  # of a job's time, by which they leave earlier or later, so that not all do at once


def perform_by_dask(
    tasks: Mapping[str, Callable[[], Receipt]],
    workers: WorkersConfig,
    count: int,
    lost: Lost[Receipt] | None = None,
) -> Generator[tuple[str, Receipt], None, None]:
    """Perform tasks on a Dask cluster, few at a time, and yield names and results as they end.

    Dask itself tries the task of a lost worker anew. What a task returns passes through the scheduler: keep it small.
    A task that was given up with its workers may only have stood beside the one that ended them. So with `lost` (see
    `shard_work.perform`), such tasks are tried once more at the end, each alone.

    Raises:
        RovervisionError: Dask is not installed, the cluster cannot be reached or is lost, or a task ended too many
            workers and there is no `lost`.
        Exception: Whatever a task raises.
    """
    with _client(workers, count) as client, _reachable():
        from distributed import KilledWorker

        waiting = iter(tasks.items())
        names: dict[Any, str] = {}
        suspects: list[str] = []
        group = f"task-{uuid4().hex}"  # one for all, by which Dask learns how long a task takes
        least = 1 if workers.address else count

        def hand_out() -> None:
            # Where it would end all: as many as there are threads, for whatever waits behind another is blamed with it.
            threads = max(sum(client.nthreads().values()), least)
            room = threads * (1 if lost is None else _WINDOW) - len(names)
            for name, task in islice(waiting, max(room, 0)):
                names[client.submit(partial(call_on_one_core, task), key=(group, name), pure=False)] = name

        hand_out()
        while names:
            for future in _ended(client, names):
                try:
                    receipt = future.result()
                except KilledWorker as error:
                    if lost is None:
                        told = " or: ".join(str(tasks[name]) for name in _blamed(names))
                        raise RovervisionError(given_up(told, error.allowed_failures + 1)) from error
                    suspects.append(names.pop(future))
                else:
                    yield names.pop(future), receipt
            hand_out()
        for name in suspects:
            yield name, _alone(client, name, tasks[name], lost)


def _ended(client: "Client", names: Mapping[Any, str]) -> list[Any]:
    """Wait for at least one task; say so where there is no worker left that could end one."""
    from distributed import wait

    had_workers = True
    while True:
        with contextlib.suppress(TimeoutError):
            return list(wait(list(names), timeout=_LOOK_S, return_when="FIRST_COMPLETED").done)
        has_workers = bool(client.nthreads())
        if had_workers and not has_workers:
            _logger.warning("The Dask cluster at %s has no workers; waiting for one.", client.scheduler.address)
        had_workers = has_workers


def _alone(client: "Client", name: str, task: Callable[[], Receipt], lost: "Lost[Receipt] | None") -> Receipt:
    """Try a task while there is no other, so that it is to blame where a worker is lost."""
    from distributed import KilledWorker

    try:
        return client.submit(partial(call_on_one_core, task), key=f"alone-{uuid4().hex}", pure=False).result()
    except KilledWorker as error:
        if lost is None:
            raise
        return lost(name, error.allowed_failures + 1)


def _blamed(names: Mapping[Any, str]) -> list[str]:
    """Return the tasks that were given up with a worker, which are several where one waited behind the other."""
    from distributed import wait

    with contextlib.suppress(TimeoutError):
        wait(list(names), timeout=_SETTLE_S)
    return [name for future, name in names.items() if future.status == "error"]


@contextmanager
def _reachable() -> Iterator[None]:
    """Say in a sentence that the scheduler has gone: Dask then cancels what it was asked for."""
    try:
        yield
    except CancelledError as error:
        raise RovervisionError(
            "The Dask scheduler has gone in the middle of the work. What was finished stays: start one, and give the "
            "same command again."
        ) from error


@contextmanager
def _client(workers: WorkersConfig, count: int) -> Iterator["Client"]:
    """Connect to the cluster that is asked for. One that was started here ends with the block."""
    try:
        import dask
        from distributed import Client
    except ImportError as error:
        raise RovervisionError(_not_installed("distributed")) from error
    with dask.config.set(_settings(workers)), _only_errors("distributed"):
        if workers.address:
            with _connected(workers.address) as client, client.as_current():
                yield client
            return
        with _cluster(workers, count) as cluster, Client(cluster) as client, client.as_current():
            try:
                yield client
            except BaseException:
                _kill_local(cluster)
                raise


@contextmanager
def _only_errors(logger_name: str) -> Iterator[None]:
    """Keep a library from telling each step; a lost worker is a warning to it, and no one's concern."""
    logger = logging.getLogger(logger_name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _settings(workers: WorkersConfig) -> dict[str, Any]:
    return {
        "distributed.scheduler.allowed-failures": workers.attempts - 1,
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
    }


@contextmanager
def _cluster(workers: WorkersConfig, count: int) -> Iterator["Cluster"]:
    if workers.slurm:
        with _slurm_cluster(workers.slurm, count if workers.count is None else workers.count) as cluster:
            yield cluster
        return
    from distributed import LocalCluster

    memory = "auto" if workers.memory_gib is None else f"{workers.memory_gib}GiB"
    with LocalCluster(
        n_workers=count, threads_per_worker=1, processes=True, memory_limit=memory, host="127.0.0.1",
        dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL,
    ) as cluster:  # fmt: skip
        yield cluster


def _kill_local(cluster: "Cluster") -> None:
    """End the workers that are processes of this machine at once; Dask itself would wait for what they are doing."""
    from distributed import Nanny

    for nanny in cluster.workers.values():
        if isinstance(nanny, Nanny) and nanny.pid:
            nanny.auto_restart = False
            with contextlib.suppress(ProcessLookupError):
                os.kill(nanny.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


@contextmanager
def _connected(address: str) -> Iterator["Client"]:
    from distributed import Client

    place = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        client = Client(**place, timeout=_CONNECT_S)
    except (OSError, ValueError) as error:
        raise RovervisionError(
            f"No Dask scheduler answers at {address} ({type(error).__name__}). Start one with `dask scheduler`, or "
            "correct `workers.address`."
        ) from error
    with client:
        if not client.nthreads():
            _logger.warning("The Dask cluster at %s has no workers yet; waiting for the first.", address)
        yield client


@contextmanager
def _slurm_cluster(slurm: SlurmWorkers, count: int) -> Iterator["Cluster"]:
    """Start a scheduler here whose workers are jobs; as many jobs as `count` workers need, renewed when they end.

    Whoever reaches a scheduler can run code as its user. So it and its workers know one another by certificates of this
    run alone: files that only the user may read, in the folder in which the run was started, which the nodes share.
    """
    try:
        from dask_jobqueue import SLURMCluster
        from distributed.security import Security

        security = Security.temporary()
    except ImportError as error:
        raise RovervisionError(_not_installed("dask-jobqueue or cryptography")) from error
    safety = {"protocol": "tls://", "security": security, "shared_temp_directory": str(Path.cwd())}
    with SLURMCluster(**slurm_job(slurm), **safety) as cluster:
        cluster.scale(count)  # at once, while `adapt` first watches for a while
        cluster.adapt(minimum=count, maximum=count)  # unlike `scale`, it renews what ends
        _logger.info("Asked Slurm for %d workers in jobs of %d.", count, slurm.cores)
        yield cluster


def slurm_job(slurm: SlurmWorkers) -> dict[str, Any]:
    """Return the arguments of dask-jobqueue's SLURMCluster for these jobs: one worker of one thread on each core."""
    walltime_s = round(slurm.walltime_h * 3600)
    minutes, seconds = divmod(walltime_s, 60)
    lifetime = ["--lifetime", f"{round(_LEAVE_FRAC * walltime_s)}s"]
    stagger = ["--lifetime-stagger", f"{round(_STAGGER_FRAC * walltime_s)}s"]
    return {
        "cores": slurm.cores,
        "processes": slurm.cores,
        "memory": f"{slurm.memory_gib}GiB",
        "walltime": f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}",
        "queue": slurm.queue,
        "account": slurm.account,
        "interface": slurm.interface,
        "job_extra_directives": list(slurm.directives),
        "job_script_prologue": list(slurm.prologue),
        "worker_extra_args": lifetime + stagger,
        "job_name": "rovervision-worker",
    }


def _not_installed(name: str) -> str:
    return (
        f"The package {name} is missing, which workers of the kind `dask` need. Install it with "
        "pip install 'rovervision[dask]', or set `workers.kind` to processes."
    )
