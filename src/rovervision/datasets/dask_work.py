"""Workers of a Dask cluster: on this machine, at an address, or in jobs of Slurm."""

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import islice
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
_WINDOW: Final = 2  # tasks at the scheduler for each worker: one at work, one that waits for it
_CONNECT_S: Final = 30
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

        def hand_out() -> None:
            room = _WINDOW * (sum(client.nthreads().values()) or count) - len(names)
            for name, task in islice(waiting, max(room, 0)):
                future = client.submit(partial(_call, task), key=f"{name}-{uuid4().hex}", pure=False)
                names[future] = name
                ended.add(future)

        hand_out()
        for future in ended:
            name = names.pop(future)
            try:
                receipt = future.result()
            except KilledWorker as error:
                raise RovervisionError(given_up(tasks[name], error.allowed_failures + 1)) from error
            yield name, receipt
            hand_out()


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
    with dask.config.set(_settings(workers)):
        if workers.address:
            with _connected(workers.address) as client, client.as_current():
                yield client
            return
        with _cluster(workers, count) as cluster, Client(cluster) as client, client.as_current():
            yield client


def _settings(workers: WorkersConfig) -> dict[str, Any]:
    return {
        "distributed.scheduler.allowed-failures": workers.attempts - 1,
        # A worker gets its next task when it is done with the one before: a death blames no task that only waited.
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.scheduler.work-stealing": False,
    }


def _cluster(workers: WorkersConfig, count: int) -> "Cluster":
    if workers.slurm:
        return _slurm_cluster(workers.slurm, count if workers.count is None else workers.count)
    from distributed import LocalCluster

    memory = "auto" if workers.memory_gib is None else f"{workers.memory_gib}GiB"
    return LocalCluster(
        n_workers=count, threads_per_worker=1, processes=True, memory_limit=memory, host="127.0.0.1",
        dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL,
    )  # fmt: skip


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


def _slurm_cluster(slurm: SlurmWorkers, count: int) -> "Cluster":
    """Start a scheduler here whose workers are jobs; as many jobs as `count` workers need, renewed when they end."""
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise RovervisionError(_not_installed("dask-jobqueue")) from error
    cluster = SLURMCluster(**slurm_job(slurm))
    cluster.adapt(minimum=0, maximum=count)
    _logger.info("Asked Slurm for up to %d workers in jobs of %d.", count, slurm.cores)
    return cluster


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
