"""A folder of one's own, with all that can be wrong with it, coloured by the command line."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from rovervision.learning.weights import Weights, write_weights
from tests.learning.test_colorizers import SMALL, disturbed
from tests.test_run import project_copy, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

COLOUR = ["run", "--pipelines", "colorization", "--tags", "apply", "--params"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project_copy(tmp_path_factory.mktemp("project"))
    header = {"model": SMALL.model_dump(mode="json"), "tile_px": 32, "work_px": 48, "cameras": ["curiosity/mahli"]}
    weights = Weights(disturbed().state_dict(), header)
    write_weights(folder / "data" / "06_models" / "colorizer.safetensors", weights)
    return folder


def test_bad_files_cost_themselves_alone(project: Path) -> None:
    mine = project / "mine"
    mine.mkdir()
    images = {
        "one": np.full((1, 1), 99, np.uint8),
        "black": np.zeros((40, 50), np.uint8),
        "black_dot": np.zeros((1, 1), np.uint8),
        "black_line": np.zeros((30, 1), np.uint8),
        "tall": np.full((60_000, 1), 99, np.uint8),
        "strip": np.full((2, 60_000), 99, np.uint8),
        "deep": np.full((30, 30), 40_000, np.uint16),
    }
    for name, image in images.items():
        cv2.imwrite(str(mine / f"{name}.png"), image)
    (mine / "text.png").write_text("I am no image")
    (mine / "cut.png").write_bytes((mine / "deep.png").read_bytes()[:60])
    options = "apply.input=mine,apply.output=out,colorization.apply.doubt=true,colorization.apply.white_balance=display"
    answer = run(project, *COLOUR, options)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stdout + answer.stderr
    for name, image in images.items():
        assert cv2.imread(str(project / "out" / f"{name}.png")).shape == (*image.shape, 3)
        assert cv2.imread(str(project / "out" / f"{name}_doubt.png")).shape == (*image.shape, 3)
    with (project / "out" / "failures.csv").open(newline="") as file:
        failed = {row["file"]: row["sentence"] for row in csv.DictReader(file)}
    assert set(failed) == {"text.png", "text_doubt.png", "cut.png", "cut_doubt.png"}
    assert all("no image" in sentence or "truncated" in sentence for sentence in failed.values())
    by_processes = run(project, *COLOUR, options.replace("=out", "=far") + ",apply.workers.kind=processes")
    assert by_processes.returncode == 0, by_processes.stdout + by_processes.stderr
    names = [path.name for path in (project / "out").iterdir() if path.name != ".ledger.jsonl"]
    assert sorted(names) == sorted(path.name for path in (project / "far").iterdir() if path.name != ".ledger.jsonl")
    assert all((project / "far" / name).read_bytes() == (project / "out" / name).read_bytes() for name in names)


def test_an_empty_folder_is_a_sentence(project: Path) -> None:
    (project / "empty").mkdir()
    answer = run(project, *COLOUR, "apply.input=empty,apply.output=out")
    assert answer.returncode != 0
    assert "Traceback" not in answer.stdout + answer.stderr
    said = " ".join((answer.stdout + answer.stderr).split())
    assert "empty holds no image" in said
    assert "name another folder" in said
    assert "does not exist" not in said


def test_a_folder_that_is_not_there_is_a_sentence(project: Path) -> None:
    answer = run(project, *COLOUR, "apply.input=nowhere,apply.output=out")
    assert answer.returncode != 0
    assert "Traceback" not in answer.stdout + answer.stderr
    assert "There is no folder" in answer.stdout + answer.stderr
