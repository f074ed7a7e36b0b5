"""What a person sees of `kedro run`, in a small project that wears this project's shell."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rovervision.hooks.sqlite_store import first_use
from tests.shell.conftest import curve, kedro, plant, quiet_environment, tracked_runs


def test_a_whole_run_ends_with_what_was_made_and_where_to_look(garden: Path) -> None:
    said = (garden / "said.txt").read_text()
    assert "learning from 3 plants" in said
    assert re.search(r"^Done in \d+ s\.$", said, re.MULTILINE)
    assert "data/08_reporting/drawing.json" in said
    assert "A drawing." in said
    assert "kedro viz run" in said
    assert f"mlflow ui --backend-store-uri sqlite:///{garden}/mlflow.db" in said


def test_the_console_is_quiet_and_the_log_file_is_not(garden: Path) -> None:
    said = (garden / "said.txt").read_text()
    assert (garden / "warned.txt").read_text() == ""
    assert "Loading data" not in said
    assert "Loading data" in (garden / "logs" / "rovervision.log").read_text()
    assert not (garden / "info.log").exists()


def test_the_run_is_tracked_with_parameters_curves_artifacts_and_provenance(garden: Path) -> None:
    run = next(run for run in tracked_runs(garden) if run.info.run_name == "whole project")
    assert run.info.status == "FINISHED"
    assert run.data.params["learning.training.n_epochs"] == "3"
    assert not any("=" in value for value in run.data.params.values())  # no model logged as one string
    assert curve(garden, run, "learning.loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert run.data.metrics["drawn.n_points"] == 3
    assert run.data.tags["command"] == "python -m kedro run"
    assert run.data.tags["version"]
    artifacts = garden / "mlartifacts" / run.info.run_id / "artifacts"
    assert json.loads((artifacts / "models" / "brain.json").read_text()) == {"epoch": 3}
    assert (artifacts / "reporting" / "drawing.json").exists()


def test_a_second_run_holds_its_own_curve_once(garden: Path) -> None:
    answer = kedro(garden, "run", "--pipeline", "learning", "--params", "learning.training.n_epochs=2")
    assert answer.returncode == 0
    assert "deprecated" not in answer.stdout + answer.stderr
    run = tracked_runs(garden)[0]
    assert run.info.run_name == "learning"
    assert curve(garden, run, "learning.loss") == [(1, 1.0), (2, 0.5)]


def test_a_misspelt_parameter_stops_the_run_with_the_right_name(garden: Path) -> None:
    answer = kedro(garden, "run", "--params", "learning.training.n_epoch=4")
    assert answer.returncode == 1
    assert "Did you mean learning.training.n_epochs?" in answer.stderr
    assert "Traceback" not in answer.stderr + answer.stdout


def test_a_missing_input_names_its_path_and_the_command_that_makes_it(garden: Path) -> None:
    answer = kedro(garden, "run", "--pipelines", "learning", "--tags", "apply", "--env", "msl")
    assert answer.returncode == 1
    assert "brain: data/msl/06_models/brain.json" in answer.stderr
    assert "kedro run --pipelines growing,learning --env msl" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("named", [[], ["--pipelines", "growing,learning"]])
def test_models_of_several_pipelines_are_not_applied_at_once(garden: Path, named: list[str]) -> None:
    answer = kedro(garden, "run", *named, "--tags", "apply")
    assert answer.returncode == 1
    assert "Say whose model is to be applied: add --pipelines colorization" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_error_in_a_node_is_a_sentence_and_the_run_has_failed(garden: Path) -> None:
    answer = kedro(garden, "run", "--pipelines", "learning", "--params", "learning.fail=known")
    assert (answer.returncode, answer.stderr.strip()) == (1, "The plants are dry. Water them.")
    assert "Traceback" in (garden / "logs" / "rovervision.log").read_text()
    assert tracked_runs(garden)[0].info.status == "FAILED"


def test_paths_are_those_of_the_folder_in_which_one_types(garden: Path) -> None:
    below = garden / "notebooks" / "deep"
    below.mkdir(parents=True)
    (below / "my_leaf.txt").write_text("red")
    n_before = len(tracked_runs(garden))
    words = ["run", "--pipelines", "learning", "--tags", "apply", "--params", "apply.input=my_leaf.txt"]
    answer = kedro(below, *words)
    assert answer.returncode == 0, answer.stderr
    made = json.loads((garden / "data" / "07_model_output" / "answer.json").read_text())
    assert made["given"] == "red"
    assert [path.name for path in below.iterdir()] == ["my_leaf.txt"]  # no log, no database
    assert len(tracked_runs(garden)) == n_before  # applying a model learns nothing


def test_a_stopped_run_is_killed_in_mlflow_and_says_so(garden: Path) -> None:
    words = [
        "run",
        "--pipelines",
        "learning",
        "--params",
        "learning.training.n_epochs=99,learning.training.pause_s=0.5",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "kedro", *words], cwd=garden, env=quiet_environment(), stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: tracked_runs(garden)[0].info.status == "RUNNING" and tracked_runs(garden)[0].data.metrics)
    for _ in range(4):  # all but the first find the run being closed
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.01)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Stopped by SIGTERM" in said
    assert tracked_runs(garden)[0].info.status == "KILLED"


def test_a_run_that_was_shot_is_marked_at_the_next_start_and_one_that_lives_is_not(tmp_path: Path) -> None:
    folders = [plant(tmp_path / "one"), plant(tmp_path / "other")]
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}"}
    with first_use(store["MLFLOW_TRACKING_URI"]):
        assert tracked_runs(tmp_path) == []  # the tables are there before two processes and this one look at them
    words = ["run", "--params", "learning.training.n_epochs=999,learning.training.pause_s=0.2"]
    shot, living = (
        subprocess.Popen([sys.executable, "-m", "kedro", *words], cwd=folder, env=quiet_environment(**store))
        for folder in folders
    )
    try:
        wait_for(lambda: [run.data.metrics != {} for run in tracked_runs(tmp_path)] == [True, True])
        shot.kill()
        shot.wait()
        assert kedro(folders[0], "run", "--pipelines", "growing", **store).returncode == 0
        runs = tracked_runs(tmp_path)
    finally:
        living.kill()
        living.wait()
    by_process = {run.data.tags["process.pid"]: run for run in runs}
    assert by_process[str(shot.pid)].info.status == "KILLED"
    assert f"process {shot.pid} on " in by_process[str(shot.pid)].data.tags["killed_because"]
    assert by_process[str(living.pid)].info.status == "RUNNING"


def wait_for(happened, timeout_s: float = 300.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < end_s, "it never happened"
        time.sleep(0.2)


def test_first_runs_at_the_same_time_share_a_fresh_store(garden: Path, tmp_path: Path) -> None:
    store = tmp_path / "store" / "mlflow.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", "--pipelines", "growing"],
            cwd=garden,
            env=quiet_environment(MLFLOW_TRACKING_URI=f"sqlite:///{store}"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ends = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ends
    assert [run.info.status for run in tracked_runs(store.parent)] == ["FINISHED"] * 3


def test_a_second_rank_neither_writes_nor_tracks(tmp_path: Path) -> None:
    folder = plant(tmp_path)
    answer = kedro(folder, "run", "--runner", "rovervision.runners.RankZeroRunner", RANK="1")
    assert answer.returncode == 0, answer.stderr
    assert "Done in" not in answer.stdout
    assert not (folder / "mlflow.db").exists()
    assert not (folder / "data").exists()


def test_a_broken_configuration_file_is_named_with_its_line(tmp_path: Path) -> None:
    folder = plant(tmp_path)
    path = folder / "conf" / "base" / "parameters_growing.yml"
    path.write_text(path.read_text() + "\nbroken: [1}\n")
    answer = kedro(folder, "run", "--pipelines", "growing")
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr + answer.stdout
    assert f"{path}, line {len(path.read_text().splitlines())}" in answer.stderr


def test_a_tracking_server_that_does_not_answer_stops_the_run_at_once(garden: Path) -> None:
    variables = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    answer = kedro(garden, "run", "--pipelines", "learning", **variables)
    assert answer.returncode == 1
    assert "MLflow at http://127.0.0.1:9 cannot be used" in answer.stderr
    assert "Traceback" not in answer.stderr + answer.stdout


def test_a_device_and_a_seed_that_are_none_stop_the_run_before_any_node(garden: Path) -> None:
    answer = kedro(garden, "run", "--params", "device=banana,seed=-1")
    assert answer.returncode == 1
    assert "Parameter device (given: 'banana')" in answer.stderr
    assert "Parameter seed (given: -1)" in answer.stderr
    assert "learning from" not in answer.stdout
    assert "Traceback" not in answer.stderr + answer.stdout
