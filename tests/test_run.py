"""The whole project on its sample archive, as a newcomer runs it, in a copy of its own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.shell.conftest import REPOSITORY, curve, kedro, tracked_runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# Few epochs: whether training learns is tested where training is; here everything has to fit together.
WORDS = [
    "run",
    "--params",
    "colorization.training.epochs=3,clustering.training.epochs=1,diffusion.training.epochs=2,"
    "diffusion.training.epoch_tiles=64,diffusion.generation.count=16,diffusion.sampler.steps=4",
]


def project_copy(folder: Path) -> Path:
    """What a checkout holds, without what runs have left in it."""
    for name in ("src", "conf", "pyproject.toml", ".telemetry"):
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, folder / name)
    for name in ("data", "logs", "conf/local"):
        (folder / name).mkdir(exist_ok=True)
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return kedro(folder, *words, timeout_s=800, PYTHONPATH=str(folder / "src"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project_copy(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def first(project: Path) -> subprocess.CompletedProcess[str]:
    return run(project, *WORDS)


@pytest.fixture(scope="module")
def second(project: Path, first: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    return run(project, *WORDS)


def test_one_command_goes_from_archive_to_colour(project: Path, first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stderr == ""
    named = re.findall(r"^  (data/\S+)", first.stdout, re.MULTILINE)
    assert any(name.endswith(".png") for name in named)
    assert [name for name in named if not (project / name).exists()] == []
    assert "mlflow ui --backend-store-uri sqlite:////" in first.stdout


def test_the_run_is_finished_in_mlflow_with_its_curve(project: Path, first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0
    newest = tracked_runs(project)[0]
    assert newest.info.status == "FINISHED"
    assert newest.data.params["colorization.training.epochs"] == "3"
    assert [step for step, _ in curve(project, newest, "training.monitor_loss")] == [1, 2, 3]
    assert any(name.startswith("scores.") for name in newest.data.metrics)
    assert all(len(point) == 2 for name in newest.data.metrics for point in curve(project, newest, name))


def test_a_second_run_takes_up_what_is_there(project: Path, second: subprocess.CompletedProcess[str]) -> None:
    assert second.returncode == 0, second.stdout + second.stderr
    runs = tracked_runs(project)
    assert [each.info.status for each in runs] == ["FINISHED", "FINISHED"]
    assert set(runs[0].data.metrics) == set(runs[1].data.metrics)
    scores = [{name: v for name, v in each.data.metrics.items() if name.startswith("scores.")} for each in runs]
    assert scores[0] == scores[1] != {}
    for name in runs[0].data.metrics:
        steps = [step for step, _ in curve(project, runs[0], name)]
        assert steps == sorted(set(steps)), f"{name} holds a point twice"
    assert "epoch 1/3" not in second.stdout


def test_the_trained_model_colours_a_folder_of_ones_own(project: Path, first: subprocess.CompletedProcess[str]) -> None:
    import cv2
    import numpy as np

    assert first.returncode == 0
    mine = project / "mine"
    (mine / "deep").mkdir(parents=True)
    cv2.imwrite(str(mine / "deep" / "rock.jpg"), np.tile(np.arange(100, dtype=np.uint8), (70, 1)))
    words = ["--pipelines", "colorization", "--tags", "apply", "--params", "apply.input=mine,apply.output=coloured"]
    answer = run(project, "run", *words)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    coloured = cv2.imread(str(project / "coloured" / "deep" / "rock.png"))
    assert coloured.shape == (70, 100, 3)


def test_what_was_clustered_tells_of_images_of_ones_own(project: Path, first: subprocess.CompletedProcess[str]) -> None:
    import cv2
    import pandas as pd

    assert first.returncode == 0
    mine = project / "unseen"
    mine.mkdir()
    known = pd.read_parquet(project / "data" / "04_feature" / "tile_clusters.parquet")
    tile = pd.read_parquet(project / "data" / "03_primary" / "tiles" / "index.parquet")
    whole = next(iter((project / "data" / "01_raw" / "images_raw").glob(f"{tile['frame_id'].iloc[0]}.*")))
    cv2.imwrite(str(mine / "known.png"), cv2.imread(str(whole)))
    (mine / "no_image.jpg").write_bytes(b"no image")
    given = "apply.input=unseen,apply.output=unseen.parquet,similar.image=unseen/known.png,similar.output=alike.csv"
    answer = run(project, "run", "--pipelines", "clustering", "--tags", "apply,similar", "--params", given)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    rows = pd.read_parquet(project / "unseen.parquet").set_index("path")
    assert rows.loc["no_image.jpg", "failure"] and rows.loc["known.png", "cluster"] in set(known["cluster"])
    assert rows["embedding"].notna().tolist() == [True, False]
    alike = pd.read_csv(project / "alike.csv")
    assert len(alike) == 10 and alike["distance"].is_monotonic_increasing
    assert len(tracked_runs(project)) < 3  # use is not tracked
