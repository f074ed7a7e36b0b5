"""Which process makes a run, told so that another one can find out whether it still lives."""

import getpass
import os
import platform
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PREFIX = "process."


@dataclass(frozen=True)
class ProcessIdentity:
    """A process, unmistakably: a number alone is given again to another process.

    Fields are texts, empty where this system cannot tell.

    Args:
        host: Name of the machine in its network.
        machine: Its lasting identity (`machine-id` on Linux).
        boot: Identity of the boot that the process belongs to.
        namespace: In a container, that of its process numbers.
        pid: Process number.
        started: When it started: clock ticks after the boot (Linux), or a date in words.
        slurm_cluster: Name of the Slurm cluster, in a job.
        slurm_job: Number of the job.
        slurm_restarts: How often the job had been requeued.
        user: Who runs it.
    """

    host: str = ""
    machine: str = ""
    boot: str = ""
    namespace: str = ""
    pid: str = ""
    started: str = ""
    slurm_cluster: str = ""
    slurm_job: str = ""
    slurm_restarts: str = ""
    user: str = ""

    def as_tags(self) -> dict[str, str]:
        """Return what is known, as tags `process.<field>`."""
        return {f"{PREFIX}{name}": value for name, value in vars(self).items() if value}

    @classmethod
    def from_tags(cls, tags: Mapping[str, str]) -> "ProcessIdentity":
        """Return the identity that `as_tags` told; without such tags every field is empty."""
        fields = cls.__dataclass_fields__
        return cls(**{name: tags[f"{PREFIX}{name}"] for name in fields if f"{PREFIX}{name}" in tags})


@cache
def this_process() -> ProcessIdentity:
    """Return the identity of the process that asks."""
    job = os.environ.get("SLURM_JOB_ID", "")
    return ProcessIdentity(
        host=socket.gethostname(),
        machine=_first_line("/etc/machine-id"),
        boot=_first_line("/proc/sys/kernel/random/boot_id"),
        namespace=_link("/proc/self/ns/pid"),
        pid=str(os.getpid()),
        started=start_of(os.getpid()) or "",
        slurm_cluster=os.environ.get("SLURM_CLUSTER_NAME", "") if job else "",
        slurm_job=job,
        slurm_restarts=os.environ.get("SLURM_RESTART_COUNT", "0") if job else "",
        user=_user(),
    )


def start_of(pid: int) -> str | None:
    """Return when a process of this machine started; nothing (`""`) when there is none, None when one cannot tell.

    On Linux the start is field 22 of `/proc/<pid>/stat`, and a zombie (field 3 `Z` or `X`) counts as gone
    (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html). Elsewhere `ps` tells it.
    """
    try:
        if platform.system() == "Linux":
            return _start_in_proc(pid)
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _start_in_proc(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None if _is_hidden(pid) else ""
    fields = stat.rpartition(")")[2].split()  # the name before the bracket may hold spaces; field 3 comes first
    return "" if fields[0] in "ZX" else fields[19]


def _is_hidden(pid: int) -> bool:
    """Tell whether a process exists that `/proc` does not show, as where it is mounted with `hidepid`."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def booted_s() -> float:
    """Return when this machine booted, in seconds since 1970; 0 where it cannot tell."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), 0.0)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a number without a name, as in some containers
        return str(os.getuid())


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text().partition("\n")[0].strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
