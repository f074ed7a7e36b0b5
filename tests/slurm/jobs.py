"""Jobs that are given to Slurm through the batch script, and what became of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from tests.shell.conftest import REPOSITORY, quiet_environment
from tests.slurm.cluster import Slurm

SCRIPT = REPOSITORY / "deploy" / "slurm" / "run.sbatch"
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY")


def wait_until(what: str, holds: Callable[[], object], timeout_s: float = 180) -> None:
    """Wait until something holds; fail with its name otherwise."""
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, f"not within {timeout_s} s: {what}"
        time.sleep(0.1)


@dataclass(frozen=True)
class Job:
    """A job, or one task of an array (`12_3`)."""

    slurm: Slurm
    number: str
    output: Path

    @property
    def state(self) -> str:
        return self.slurm.job(self.number)["JobState"]

    @property
    def restarts(self) -> int:
        return int(self.slurm.job(self.number)["Restarts"])

    def said(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def signal(self, name: str) -> None:
        """Send a signal to the processes of rovervision, not to the script."""
        self.slurm.ask("scancel", f"--signal={name}", self.number)

    def end(self, timeout_s: float = 300) -> str:
        """Wait for the job's end; return its state."""
        wait_until(f"the end of job {self.number}:\n{self.said()}", lambda: self.state in ENDED, timeout_s)
        return self.state


@dataclass(frozen=True)
class Desk:
    """Where a person stands who gives jobs to Slurm: a folder with wheel and configuration, and variables."""

    slurm: Slurm
    folder: Path
    variables: dict[str, str]

    def with_variables(self, **variables: str) -> "Desk":
        return replace(self, variables={**self.variables, **variables})

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in quiet_environment().items() if not name.startswith("SBATCH_")}
        return {**kept, **self.slurm.variables, **self.variables}

    def submit(self, *words: str, options: tuple[str, ...] = ()) -> Job:
        """Give the script to sbatch with these options of rovervision; `options` are sbatch's."""
        command = ["sbatch", "--parsable", f"--chdir={self.folder}", *options, str(SCRIPT), *words]
        number = self.slurm.ask(*command, **self.environment())
        return Job(self.slurm, number, self.folder / f"rovervision-{number}.out")

    def curate(self, data: str = "data", *params: str) -> Job:
        """Make tiles."""
        given = ",".join(["ingestion.synthetic.frames_count=60", *params])
        return self.with_variables(ROVERVISION_DATA=str(self.folder / data)).submit(
            "--env=cluster", "--pipelines", "ingestion,curation", "--params", given
        )


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_file(path)


def are_equal(one: Path, other: Path) -> bool:
    """Whether two files hold the same weights, bit by bit."""
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def processes_of(job: Job) -> list[int]:
    """The processes of a job on this machine; none before it has begun."""
    try:
        lines = job.slurm.ask("scontrol", "listpids", job.number).splitlines()[1:]
    except AssertionError:
        return []
    return [int(line.split()[0]) for line in lines if Path(f"/proc/{line.split()[0]}").exists()]


def commands_of(job: Job) -> list[list[str]]:
    """The command lines of a job's processes."""
    found = []
    for each in processes_of(job):
        try:
            found.append(Path(f"/proc/{each}/cmdline").read_text().split("\0"))
        except OSError:
            continue
    return found


def maps(job: Job, folder: Path) -> bool:
    """Whether a process of the job has a file below this folder mapped into its memory."""
    for each in processes_of(job):
        try:
            if str(folder) in Path(f"/proc/{each}/maps").read_text():
                return True
        except OSError:
            continue
    return False
