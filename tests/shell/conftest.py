"""A small project in a folder of its own, and its command line."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run

REPOSITORY = Path(__file__).resolve().parents[2]
GARDEN = Path(__file__).with_name("garden")

Command = Callable[..., subprocess.CompletedProcess[str]]


def quiet_environment(**more: str) -> dict[str, str]:
    """The variables of this process without those that would steer Kedro or MLflow."""
    steering = ("MLFLOW_", "KEDRO_", "RANK", "LOCAL_RANK", "SLURM_", "PYTHONPATH", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "2", "PYTHONPATH": str(REPOSITORY / "src"), **more}


def plant(folder: Path) -> Path:
    """Copy the small project, with the real project's own shared configuration."""
    shutil.copytree(GARDEN, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("base/globals.yml", "base/mlflow.yml", "base/parameters.yml", "logging.yml", "msl/globals.yml"):
        (folder / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / "conf" / name, folder / "conf" / name)
    (folder / "logs").mkdir()  # in the real project a .gitkeep holds it
    (folder / "leaf.txt").write_text("green")
    return folder


def kedro(folder: Path, *words: str, timeout_s: float = 300, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `kedro` in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "kedro", *words],
        cwd=folder,
        env=quiet_environment(**variables),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def tracked_runs(folder: Path) -> list[Run]:
    """The MLflow runs of a project, newest first."""
    client = mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_runs(experiments, order_by=["attributes.start_time DESC"]))


def curve(folder: Path, run: Run, metric: str) -> list[tuple[int, float]]:
    """The points of a metric as MLflow holds them."""
    client = mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    return [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, metric)]


@pytest.fixture(scope="session")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project after one whole run; what that run said stands in `said.txt`."""
    folder = plant(tmp_path_factory.mktemp("garden"))
    answer = kedro(folder, "run")
    assert answer.returncode == 0, answer.stderr
    (folder / "said.txt").write_text(answer.stdout)
    (folder / "warned.txt").write_text(answer.stderr)
    return folder
