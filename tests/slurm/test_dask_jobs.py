"""Curation by workers in jobs of Slurm: the tiles are those that one process makes."""

import hashlib
from pathlib import Path

import pytest

from tests.slurm.jobs import Desk

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1200)]

WORKERS = {
    "kind": "dask",
    "count": "2",
    "slurm.cores": "1",
    "slurm.memory_gib": "1",
    "slurm.walltime_h": "0.2",
    "slurm.interface": "lo",
}


def contents(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_workers_in_jobs_of_their_own_make_the_same_tiles(desk: Desk) -> None:
    given = [f"curation.workers.{name}={value}" for name, value in WORKERS.items()]
    job = desk.curate("by_dask", "curation.frames_per_shard=16", *given)
    assert job.end(timeout_s=600) == "COMPLETED", job.said()
    jobs = desk.slurm.ask("scontrol", "--oneliner", "show", "jobs").splitlines()
    assert sum("JobName=rovervision-worker" in line for line in jobs) >= 2, "no worker was a job"
    assert "JobState=RUNNING" not in "".join(line for line in jobs if "rovervision-worker" in line)
    made, known = (contents(desk.folder / name / "03_primary" / "tiles") for name in ("by_dask", "data"))
    assert made == known
