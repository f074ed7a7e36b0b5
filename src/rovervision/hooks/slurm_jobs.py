"""What Slurm says of a job: whether it has ended."""

import subprocess

from rovervision.hooks.processes import ProcessIdentity

LIVING_STATES = frozenset({"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"})
"""States in which processes of a job may live (https://slurm.schedmd.com/job_state_codes.html)."""

TIMEOUT_S = 20.0


def why_job_ended(process: ProcessIdentity, here: ProcessIdentity) -> str | None:
    """Return why no process of a Slurm job can live any more, or None when it may, or Slurm cannot tell.

    Args:
        process: A process of a job, perhaps on another machine.
        here: This process. The job's next start knows, without asking, that the one before has ended.
    """
    if not process.slurm_job or not process.slurm_cluster:
        return None
    if (here.slurm_cluster, here.slurm_job) == (process.slurm_cluster, process.slurm_job):
        return _why_state_ends("RUNNING", here.slurm_restarts, process)
    # Slurm may hide the jobs of others, as if they had ended; and numbers of jobs mean nothing on another cluster
    if process.user != here.user or (here.slurm_cluster or _cluster()) != process.slurm_cluster:
        return None
    answer = _ask("squeue", "--noheader", f"--jobs={process.slurm_job}", "--Format=State:30,RestartCnt:12")
    if answer and ("Invalid job id" in answer.stderr or (answer.returncode == 0 and not answer.stdout.strip())):
        return f"Slurm job {process.slurm_job} has ended"
    if answer is None or answer.returncode:
        return None
    state, restarts = (*answer.stdout.split(), "", "")[:2]
    return _why_state_ends(state, restarts, process)


def _why_state_ends(state: str, restarts: str, process: ProcessIdentity) -> str | None:
    """Return why a process cannot live, from what Slurm says of its job now."""
    if restarts.isdigit() and int(restarts) > int(process.slurm_restarts or 0):
        return f"Slurm job {process.slurm_job} was requeued"
    return None if state in LIVING_STATES else f"Slurm job {process.slurm_job} is {state}"


def _cluster() -> str:
    """Return the name of the cluster that this machine's Slurm commands speak to."""
    answer = _ask("scontrol", "show", "config")
    lines = answer.stdout.splitlines() if answer else []
    names = [line.partition("=")[2].strip() for line in lines if line.startswith("ClusterName")]
    return names[0] if names else ""


def _ask(*command: str) -> subprocess.CompletedProcess[str] | None:
    """Return what a command says; None where there is none or it does not answer."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
