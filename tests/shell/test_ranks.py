"""A run that a launcher starts several times leaves one of everything."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from rovervision.errors import RovervisionError
from rovervision.hooks import RankHooks
from rovervision.learning.weights import read_weights
from rovervision.runners import EVERY_RANK, RankZeroRunner, runner_name, trainings_alone
from tests.sample_project import sample_project
from tests.shell.conftest import kedro, plant, quiet_environment, tracked_runs


def same(*values: object) -> object:
    return values[0]


def graph() -> Pipeline:
    return Pipeline(
        [
            Node(same, "tiles", "first_model", name="train_first", tags=("train", EVERY_RANK)),
            Node(same, "first_model", "table@written", name="use_first", tags="train"),
            Node(same, ["tiles", "table@known"], "second_model", name="train_second", tags=EVERY_RANK),
            Node(same, "second_model", "score", name="score_second"),
            Node(same, "first_model", "figure", name="draw_first"),
        ]
    )


def test_beyond_the_first_only_trainings_run_and_what_they_need():
    assert [node.name for node in trainings_alone(graph()).nodes] == ["train_first", "use_first", "train_second"]
    assert trainings_alone(graph().only_nodes("draw_first")).nodes == []
    everything = [node.name for node in graph().nodes]
    assert [name for name in everything if name in ("train_first", "use_first", "train_second")] == [
        node.name for node in trainings_alone(graph()).nodes
    ]


def test_beyond_the_first_nothing_is_written(monkeypatch, tmp_path):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    files = {
        name: {"type": "json.JSONDataset", "filepath": str(tmp_path / f"{name.partition('@')[0]}.json")}
        for name in ("first_model", "table@written", "table@known", "second_model", "score", "figure")
    }
    catalog = DataCatalog.from_config(files)
    catalog["tiles"] = MemoryDataset(7)
    RankZeroRunner().run(graph(), catalog)
    assert list(tmp_path.iterdir()) == []
    assert catalog.load("second_model") == 7
    assert catalog.load("table@known") == 7


def test_the_runner_is_chosen_by_itself(monkeypatch):
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert runner_name() == "SequentialRunner"
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_NTASKS", "2")
    assert runner_name() == "SequentialRunner"
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    assert runner_name() == "rovervision.runners.RankZeroRunner"


def test_what_one_process_must_do_is_refused(monkeypatch):
    pipeline = Pipeline([Node(same, "a", "b", name="fetch")], namespace="ingestion")
    asked = {"only_missing_outputs": False}
    RankHooks().before_pipeline_run(run_params=asked, pipeline=pipeline)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RovervisionError, match="2 processes were started together, and ingestion must run in one"):
        RankHooks().before_pipeline_run(run_params=asked, pipeline=pipeline)
    RankHooks().before_pipeline_run(run_params=asked, pipeline=graph())
    with pytest.raises(RovervisionError, match="only-missing-outputs"):
        RankHooks().before_pipeline_run(run_params={"only_missing_outputs": True}, pipeline=graph())


def test_beyond_the_first_an_error_goes_to_a_log_and_not_to_the_console(tmp_path):
    folder = plant(tmp_path)
    answer = kedro(folder, "run", "--pipelines", "nowhere", RANK="1", WORLD_SIZE="2")
    assert answer.returncode == 1
    assert "nowhere" not in answer.stdout + answer.stderr
    assert "There is no pipeline nowhere" in (folder / "logs" / "rovervision-rank1.log").read_text()
    assert "nowhere" not in (folder / "logs" / "rovervision.log").read_text()


@pytest.mark.slow
def test_two_processes_leave_one_model_and_one_mlflow_run(tmp_path_factory):
    """The whole way: torchrun, kedro run, two trainings that are one."""
    folder = tmp_path_factory.mktemp("ranks") / "project"
    shutil.copytree(sample_project(tmp_path_factory), folder)
    variables = quiet_environment(PYTHONPATH=str(folder / "src"))

    def torchrun(*words: str) -> subprocess.CompletedProcess[str]:
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "kedro"]
        return subprocess.run(
            [*launcher, *words], cwd=folder, env=variables, capture_output=True, text=True, timeout=900, check=False
        )

    before, runs_before = files_of(folder), len(tracked_runs(folder))
    refused = torchrun("run")
    assert refused.returncode != 0
    assert "2 processes were started together" in refused.stderr
    assert len(tracked_runs(folder)) == runs_before
    short = "colorization.training.epochs=2,colorization.training.batch_size=8"
    answer = torchrun("run", "--pipelines", "colorization", "--tags", "train", "--params", short)
    assert answer.returncode == 0, answer.stderr[-3000:]
    assert answer.stdout.count("Done in") == 1
    assert answer.stdout.count("epoch 2/2") == 1
    assert [run.info.status for run in tracked_runs(folder)[: len(tracked_runs(folder)) - runs_before]] == ["FINISHED"]
    assert read_weights(folder / "data" / "06_models" / "colorizer.safetensors").header["epochs"] == 2
    new = sorted(str(path.relative_to(folder / "data")) for path in files_of(folder / "data") - before)
    pages = [name for name in new if name.startswith("08_reporting/gallery/")]
    assert len(pages) == 1, "a page of each process"
    own = {*pages, "08_reporting/gallery.html", "06_models/colorizer_tracked.json"}
    assert set(new) <= own, "files of a second process"


def files_of(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
