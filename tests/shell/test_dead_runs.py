"""Runs that were killed are found; what may live is left alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient

from rovervision.hooks import dead_runs, processes
from rovervision.hooks.dead_runs import REASON_TAG, mark_dead_runs
from rovervision.hooks.processes import ProcessIdentity, start_of, this_process

HERE = ProcessIdentity("here", "m1", "b1", "n1", "10", "100")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> MlflowClient:
    return MlflowClient(f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db")


@pytest.fixture
def experiment(client: MlflowClient, request: pytest.FixtureRequest) -> str:
    return client.create_experiment(request.node.name)


@pytest.fixture
def gone_pid() -> Iterator[int]:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    yield child.pid


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Commands that answer as Slurm does; returns how to choose what squeue says."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def install(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    install("scontrol", "echo 'ClusterName             = lab'")
    return lambda script: install("squeue", script)


def run_of(client: MlflowClient, experiment: str, process: ProcessIdentity) -> str:
    return str(client.create_run(experiment, tags=process.as_tags()).info.run_id)


def status(client: MlflowClient, run_id: str) -> str:
    return str(client.get_run(run_id).info.status)


@given(st.builds(ProcessIdentity, *[st.text(max_size=5)] * 9))
def test_tags_tell_the_whole_identity(process: ProcessIdentity) -> None:
    assert ProcessIdentity.from_tags({"other": "x", **process.as_tags()}) == process


def test_the_start_of_a_process_tells_it_from_the_next_of_its_number(gone_pid: int) -> None:
    assert start_of(gone_pid) == ""
    assert start_of(os.getpid()) == this_process().started != ""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert start_of(child.pid) not in {"", None}
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
        assert start_of(child.pid) == ""


def test_a_run_whose_process_is_gone_is_marked_and_told_why(
    client: MlflowClient, experiment: str, gone_pid: int
) -> None:
    here = this_process()
    gone = run_of(client, experiment, replace(here, pid=str(gone_pid)))
    reused = run_of(client, experiment, replace(here, started="1"))  # our number, but an earlier start
    living = run_of(client, experiment, here)
    untagged = str(client.create_run(experiment).info.run_id)
    assert sorted(mark_dead_runs(client, experiment, here)) == sorted([gone, reused])
    assert [status(client, run) for run in (gone, reused, living, untagged)] == [
        "KILLED",
        "KILLED",
        "RUNNING",
        "RUNNING",
    ]
    assert client.get_run(gone).data.tags[REASON_TAG] == f"process {gone_pid} on {here.host} is gone"
    assert mark_dead_runs(client, experiment, here) == []


def test_a_store_without_dead_runs_is_asked_once(
    client: MlflowClient, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_of(client, experiment, this_process())
    asked = []
    search = client.search_runs
    monkeypatch.setattr(client, "search_runs", lambda *a, **k: asked.append(a) or search(*a, **k))
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("a command was run"))
    mark_dead_runs(client, experiment, this_process())
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("other", "is_dead"),
    [
        ({"host": "there"}, False),
        ({"machine": "m2"}, False),  # another machine of our name
        ({"namespace": "n2"}, False),  # another container
        ({"boot": "b0"}, True),
        ({"boot": "b0", "machine": ""}, False),
        ({"started": ""}, False),
    ],
)
def test_only_what_is_surely_dead_is_marked(
    other: dict[str, str], is_dead: bool, monkeypatch: pytest.MonkeyPatch, gone_pid: int
) -> None:
    monkeypatch.setattr(dead_runs, "booted_s", lambda: 2000.0)
    process = replace(HERE, pid=str(gone_pid), **other)
    here = HERE if process.machine else replace(HERE, machine="")
    assert (dead_runs.why_dead(as_run(process, 1000.0), here) is not None) == is_dead
    assert dead_runs.why_dead(as_run(process, 3000.0), here) is None  # this machine was up already: two of one name


def as_run(process: ProcessIdentity, started_s: float) -> mlflow.entities.Run:
    info = mlflow.entities.RunInfo("id", "0", "u", "RUNNING", int(started_s * 1000), None, "active")
    tags = [mlflow.entities.RunTag(name, value) for name, value in process.as_tags().items()]
    return mlflow.entities.Run(info, mlflow.entities.RunData(tags=tags))


IN_JOB = ProcessIdentity("node7", "m7", "b7", "n7", "10", "100", "lab", "42", "1")


@pytest.mark.parametrize(
    ("squeue", "expected"),
    [
        ("echo 'RUNNING   1  '", None),
        ("echo 'COMPLETING   1  '", None),
        ("echo 'RUNNING   2  '", "Slurm job 42 was requeued"),
        ("echo 'PENDING   1  '", "Slurm job 42 is PENDING"),
        ("echo 'CANCELLED   1  '", "Slurm job 42 is CANCELLED"),
        ("true", "Slurm job 42 has ended"),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", "Slurm job 42 has ended"),
        ("echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1", None),
    ],
)
def test_slurm_tells_of_runs_on_other_machines(slurm, squeue: str, expected: str | None) -> None:
    slurm(squeue)
    assert dead_runs.why_dead(as_run(IN_JOB, 1000.0), HERE) == expected


def test_numbers_of_jobs_mean_nothing_on_another_cluster_or_without_slurm(
    slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm("true")
    elsewhere = replace(IN_JOB, slurm_cluster="other")
    assert dead_runs.why_dead(as_run(elsewhere, 1000.0), HERE) is None
    assert dead_runs.why_dead(as_run(replace(IN_JOB, user="other"), 1000.0), HERE) is None  # theirs may be hidden
    monkeypatch.setenv("PATH", "")
    assert dead_runs.why_dead(as_run(IN_JOB, 1000.0), HERE) is None


def test_the_next_start_of_a_job_knows_that_the_one_before_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    next_start = replace(HERE, slurm_cluster="lab", slurm_job="42", slurm_restarts="2")
    assert dead_runs.why_dead(as_run(IN_JOB, 1000.0), next_start) == "Slurm job 42 was requeued"
    assert dead_runs.why_dead(as_run(IN_JOB, 1000.0), replace(next_start, slurm_restarts="1")) is None


def test_a_process_in_a_job_knows_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    monkeypatch.setenv("SLURM_CLUSTER_NAME", "lab")
    monkeypatch.delenv("SLURM_RESTART_COUNT", raising=False)  # Slurm sets it from the first requeue on
    job = processes.this_process.__wrapped__()
    assert (job.slurm_cluster, job.slurm_job, job.slurm_restarts) == ("lab", "42", "0")
