"""Commands of the documentation that no other test types: what is used after a run, typed as the pages say."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from tests.sample_project import run, sample_project
from tests.shell.conftest import REPOSITORY, quiet_environment
from tests.test_conventions import PIPELINE_NAMES
from tests.test_run import project_copy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sample, which the commands below change."""
    folder = tmp_path_factory.mktemp("documented") / "project"
    shutil.copytree(sample_project(tmp_path_factory), folder)
    return folder


def ran(folder: Path, *words: str) -> str:
    answer = run(folder, *words)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_the_pipelines_are_listed(project: Path) -> None:
    assert set(PIPELINE_NAMES) <= {line.strip("- ") for line in ran(project, "registry", "list").splitlines()}


def test_images_are_generated_on_demand(project: Path) -> None:
    words = ["--pipelines", "diffusion", "--tags", "apply", "--params"]
    ran(project, "run", *words, "apply.count=2,apply.class=ground,apply.output=generated,diffusion.sampler.steps=2")
    assert len(list((project / "generated").glob("*.png"))) == 2


def test_a_folder_becomes_a_film_and_triplets_are_looked_for(project: Path) -> None:
    (project / "mine").mkdir()
    for number in range(3):
        image = np.full((64, 96), 60 + 40 * number, np.uint8)
        cv2.imwrite(str(project / "mine" / f"{number}.png"), image)
    given = "apply.input=mine,film.output=mine.mp4,colorization.film.split=true"
    ran(project, "run", "--pipelines", "colorization", "--tags", "film", "--params", given)
    assert (project / "mine.mp4").stat().st_size > 500
    ran(project, "run", "--pipelines", "colorization", "--tags", "truth,truth_scores")
    assert (project / "data/08_reporting/natural_color_table.csv").exists()


def test_tiles_are_exported(project: Path) -> None:
    ran(project, "run", "--pipelines", "curation", "--tags", "export", "--params", "curation.export.enabled=true")
    assert list((project / "data/03_primary/tiles_exported").rglob("*.parquet"))


def test_two_kinds_of_colorizer_stand_side_by_side(project: Path) -> None:
    epochs = "colorization.training.epochs=1,colorization.scoring.bootstrap_draws=10"
    for kind in ("residual", "classification"):
        made = "--to-outputs", "colorization_comparison"
        ran(
            project, "run", "--pipelines", "colorization", *made, "--params", f"colorization.model.kind={kind},{epochs}"
        )
    board = pd.read_csv(project / "data/08_reporting/colorization_scoreboard.csv")
    assert set(board.loc[board["role"] == "model", "method"]) == {"residual", "classification"}
    ran(project, "run", "--nodes", "colorization.draw_comparison")
    assert "Done" in ran(project, "run", "--pipelines", "ingestion,curation", "--only-missing-outputs")


def test_the_runs_are_shown_by_mlflow_ui(project: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["ui", "--backend-store-uri", "sqlite:///mlflow.db", "--port", str(port)]
    running = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *words], cwd=project, env=quiet_environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert b"MLflow" in page(f"http://127.0.0.1:{port}/", running)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def page(url: str, running: "subprocess.Popen[bytes]", timeout_s: float = 400) -> bytes:
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        assert running.poll() is None
        try:
            return bytes(urlopen(url, timeout=30).read())
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    raise AssertionError(f"{url} does not answer")


def test_jupyter_lab_is_a_command_of_kedro(project: Path) -> None:
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed; the notebooks are executed without it")
    assert "JupyterLab" in ran(project, "jupyter", "lab", "--help")


@pytest.mark.parametrize("name", ["README.md", "docs/quickstart.md"])
def test_a_camera_is_added_by_one_block(name: str, tmp_path: Path) -> None:
    """The block of the page, as it may be tried without a network, put where the page says."""
    text = (REPOSITORY / name).read_text()
    block = next(each for each in text.split("```yaml\n")[1:] if "cameras:" in each).partition("```")[0]
    block = block.replace("source: curiosity", "source: synthetic").replace("[mardi]", "[mastcamz_left]")
    camera = yaml.safe_load(block)[0]["name"]
    folder = project_copy(tmp_path)
    parameters = folder / "conf/nasa/parameters_ingestion.yml"
    parameters.write_text(parameters.read_text().rstrip("\n") + "\n" + block)
    given = f"ingestion.chosen={camera},ingestion.synthetic.frames_count=30"
    said = ran(
        folder, "run", "--env", "nasa", "--pipelines", "ingestion", "--params", f"{given},ingestion.dry_run=true"
    )
    assert camera in said
    ran(folder, "run", "--env", "nasa", "--pipelines", "ingestion,curation", "--params", given)
    frames = pd.read_parquet(folder / "data/nasa/02_intermediate/frames_fetched.parquet")
    assert set(frames["camera"]) == {"mastcamz_left"}
    assert json.loads((folder / "data/nasa/08_reporting/curation_summary.json").read_text())
