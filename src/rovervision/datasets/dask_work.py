"""Workers of a Dask cluster: on this machine, at an address, or in jobs of Slurm."""

import contextlib
import logging
import os
import signal
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import uuid4

from rovervision.datasets.process_work import given_up, work_on_one_core
from rovervision.errors import RovervisionError
from rovervision.imaging.shard_plan import SlurmWorkers, WorkersConfig

if TYPE_CHECKING:
    from distributed import Client
    from distributed.deploy.cluster import Cluster

_logger = logging.getLogger(__name__)

Receipt = TypeVar("Receipt")
_CONNECT_S: Final = 30
_SETTLE_S: Final = 0.3  # in which the scheduler tells of all tasks that one worker took with it
_LEAVE_FRAC: Final = 0.9  # of a job's time, at which its workers leave
_STAGGER_FRAC: Final = 0.05  # of a job's time, by which they leave earlier or later, so that not all do at once


def perform_by_dask(
    tasks: Mapping[str, Callable[[], Receipt]], workers: WorkersConfig, count: int
) -> Generator[tuple[str, Receipt], None, None]:
    """Perform tasks on a Dask cluster, few at a time, and yield names and results as they end.

    Dask itself tries the task of a lost worker anew. What a task returns passes through the scheduler: keep it small.

    Raises:
        RovervisionError: Dask is not installed, the cluster cannot be reached, or a task ended too many workers.
        Exception: Whatever a task raises.
    """
    with _client(workers, count) as client:
        from distributed import KilledWorker, as_completed

        waiting = iter(tasks.items())
        names: dict[Any, str] = {}
        ended = as_completed()
        group = f"task-{uuid4().hex}"  # one for all, by which Dask learns how long a task takes

        def hand_out() -> None:
            # As many as there are threads: a task that waits behind another would be blamed for its worker's death.
            room = max(sum(client.nthreads().values()), 1 if workers.address else count) - len(names)
            for name, task in islice(waiting, max(room, 0)):
                future = client.submit(partial(_call, task), key=(group, name), pure=False)
                names[future] = name
                ended.add(future)

        hand_out()
        for future in ended:
            try:
                receipt = future.result()
            except KilledWorker as error:
                suspects = " or: ".join(str(tasks[name]) for name in _lost(names))
                raise RovervisionError(given_up(suspects, error.allowed_failures + 1)) from error
            yield names.pop(future), receipt
            hand_out()


def _lost(names: Mapping[Any, str]) -> list[str]:
    """Return the tasks that were given up with a worker, which are several where one waited behind the other."""
    from distributed import wait

    with contextlib.suppress(TimeoutError):
        wait(list(names), timeout=_SETTLE_S)
    return [name for future, name in names.items() if future.status == "error"]


def _call(task: Callable[[], Any]) -> Any:
    work_on_one_core()
    return task()


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
