"""A real Slurm of one machine, in a folder of its own: `python -m tests.slurm.cluster FOLDER` starts one by hand.

Needs root, and the programs of Debian's packages `slurm-wlm` and `munge`. Nothing outside the folder is written: Slurm
finds its configuration by SLURM_CONF, and munge its socket by the path that stands there.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("sbatch", "srun", "scancel", "scontrol", "slurmctld", "slurmd", "munged", "setpriv")
SLURM_CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# Slurm starts a job that was requeued only when its credential has expired: not the usual two minutes
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=2,sched_min_interval=500000
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
KillWait=20
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
# More cores than there may be, so that an array or a driver with its workers runs at once
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory_mib} State=UNKNOWN
PartitionName=usual Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime={grace_s}
PartitionName=urgent Nodes={host} MaxTime=INFINITE State=UP PriorityTier=9 PreemptMode=off
"""
CORES, MEMORY_MIB, GRACE_S = 6, 8000, 60
_START_S = 30


def missing() -> str:
    """Say why no Slurm can be started here; nothing where it can."""
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    if absent:
        return f"Slurm is not installed ({', '.join(absent)} missing): apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "only root may start a Slurm that runs jobs"


@dataclass(frozen=True)
class Slurm:
    """A Slurm that runs."""

    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        """What its commands need in their environment."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def ask(self, *words: str, **variables: str) -> str:
        """Return what one of its commands prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SBATCH_"))}
        environment = {**kept, **self.variables, **variables}
        answer = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert answer.returncode == 0, f"{' '.join(words)}: {answer.stdout}{answer.stderr}"
        return answer.stdout.strip()

    def job(self, job_id: str) -> dict[str, str]:
        """Return what Slurm knows of a job, or of one task of an array (`12_3`)."""
        words = self.ask("scontrol", "--oneliner", "show", "job", job_id).split()
        return dict(word.split("=", 1) for word in words if "=" in word)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Slurm]:
    """Run a Slurm in an empty folder while the block lasts."""
    _lay_out(folder)
    slurm = Slurm(folder)
    started: list[subprocess.Popen[bytes]] = []
    try:
        for words in _daemons(folder):
            with (folder / f"{words[0]}.out").open("wb") as said:
                started.append(subprocess.Popen(words, env={**os.environ, **slurm.variables}, stdout=said, stderr=said))
        _wait_until_idle(slurm)
        yield slurm
    finally:
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            _end_jobs(slurm)
        for each in reversed(started):
            each.send_signal(signal.SIGTERM)
        for each in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.wait(20)
            each.kill()


def _lay_out(folder: Path) -> None:
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "munge" / "key").write_bytes(secrets.token_bytes(128))
    (folder / "munge" / "key").chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    text = SLURM_CONF.format(
        host=host, ports=_free_ports(2), folder=folder, cores=CORES, memory_mib=MEMORY_MIB, grace_s=GRACE_S
    )
    (folder / "slurm.conf").write_text(text)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _daemons(folder: Path) -> list[list[str]]:
    places = [f"--{name}-file={folder}/munge/{name}" for name in ("key", "pid", "log", "seed")]
    conf = str(folder / "slurm.conf")
    return [
        ["munged", "--foreground", f"--socket={folder}/munge/socket", *places],
        ["slurmctld", "-D", "-f", conf],
        ["slurmd", "-D", "-f", conf],
    ]


def _wait_until_idle(slurm: Slurm) -> None:
    end = time.monotonic() + _START_S
    while True:
        with contextlib.suppress(AssertionError):
            if slurm.ask("sinfo", "--noheader", "--format=%T").split()[0] == "idle":
                return
        logs = [(slurm.folder / f"{name}.out").read_text()[-500:] for name in ("munged", "slurmctld", "slurmd")]
        assert time.monotonic() < end, f"Slurm did not start in {_START_S} s: {logs}"
        time.sleep(0.3)


def _end_jobs(slurm: Slurm) -> None:
    """Cancel what is left, so that no job outlives its Slurm."""
    slurm.ask("scancel", "--user=root")
    slurm.ask("scancel", "--user=root", "--full", "--signal=KILL")
    end = time.monotonic() + _START_S
    while slurm.ask("squeue", "--noheader") and time.monotonic() < end:
        time.sleep(0.3)


def main() -> None:
    """Run a Slurm until Ctrl-C, and say how to use it."""
    folder = Path(sys.argv[1]).resolve()
    if reason := missing():
        sys.exit(reason)
    with running(folder) as slurm, contextlib.suppress(KeyboardInterrupt):
        print(f"Slurm runs. In another shell:\n  export SLURM_CONF={slurm.variables['SLURM_CONF']}\nCtrl-C ends it.")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.pause()


if __name__ == "__main__":
    main()
