"""Runs that were killed without a chance to say so, found when the next one begins."""

import logging
import time

from mlflow import MlflowClient
from mlflow.entities import Run

from rovervision.hooks.processes import ProcessIdentity, booted_s, start_of
from rovervision.hooks.slurm_jobs import why_job_ended

logger = logging.getLogger(__name__)

LOOK_S = 30.0
"""A start is not held up for longer than this, and one answer of Slurm."""

REASON_TAG = "killed_because"
"""Says how it was found that the process of a run is gone."""


def mark_dead_runs(client: MlflowClient, experiment_id: str, here: ProcessIdentity) -> list[str]:
    """Mark as KILLED the runs of an experiment that MLflow takes for running although their process is surely gone.

    One query, and nothing more where every run has ended. Runs of other machines are left alone unless Slurm knows that
    their job has ended, and so are runs without the tags of `ProcessIdentity`.

    Args:
        client: The store.
        experiment_id: Where to look.
        here: The process that asks.

    Returns:
        The ids of the runs that were marked.
    """
    marked = []
    until_s = time.monotonic() + LOOK_S
    for run in client.search_runs([experiment_id], "attributes.status = 'RUNNING'", max_results=1000):
        if time.monotonic() > until_s:
            break  # Slurm is slow to answer; the next start goes on
        reason = why_dead(run, here)
        if reason:
            client.set_tag(run.info.run_id, REASON_TAG, reason)
            client.set_terminated(run.info.run_id, "KILLED")
            logger.info("MLflow's run %s was killed: %s", run.info.run_name, reason)
            marked.append(run.info.run_id)
    return marked


def why_dead(run: Run, here: ProcessIdentity) -> str | None:
    """Return how one knows that the process of a run is gone; None when it may live."""
    process = ProcessIdentity.from_tags(run.data.tags)
    if not process.pid or not process.started:
        return None
    if (process.host, process.machine) == (here.host, here.machine):
        reason = _gone_here(process, here, run.info.start_time / 1000)
        if reason or _sees(process, here):
            return reason
    return why_job_ended(process, here)


def _sees(process: ProcessIdentity, here: ProcessIdentity) -> bool:
    """Tell whether process numbers mean the same to a process of this machine and to this one."""
    return (process.boot, process.namespace) == (here.boot, here.namespace)


def _gone_here(process: ProcessIdentity, here: ProcessIdentity, run_started_s: float) -> str | None:
    """Return how one knows that a process of this machine is gone."""
    if _sees(process, here):
        started = start_of(int(process.pid))
        return None if started in {None, process.started} else f"process {process.pid} on {process.host} is gone"
    # Two machines may share a name and even an identity that was copied; then this one ran before the run began.
    has_rebooted = bool(process.machine) and process.boot != here.boot and booted_s() > run_started_s
    return f"{process.host} has booted since" if has_rebooted else None
