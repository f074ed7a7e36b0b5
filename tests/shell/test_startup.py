"""What a command imports: a run that learns nothing starts without the libraries that take seconds."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rovervision.cli import HELP, run
from rovervision.quiet import wants_mlflow_commands
from tests.shell.conftest import REPOSITORY, plant, quiet_environment

HEAVY = ("torch", "torchvision", "lightning_fabric", "diffusers", "mlflow", "kedro_mlflow", "sklearn", "plotly", "dask")

TELL = """
import atexit, runpy, sys
atexit.register(lambda: print("LOADED", *[name for name in %r if name in sys.modules]))
module, sys.argv = sys.argv[1], sys.argv[1:]
runpy.run_module(module, run_name="__main__")
"""


def loaded(folder: Path, *words: str) -> list[str]:
    """Which of the heavy libraries stand in `sys.modules` at the end of `python -m <words>`."""
    answer = subprocess.run(
        [sys.executable, "-c", TELL % (HEAVY,), *words],
        cwd=folder,
        env=quiet_environment(),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    (said,) = [line for line in answer.stdout.splitlines() if line.startswith("LOADED")]
    return said.split()[1:]


@pytest.fixture(scope="module")
def untracked_garden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = plant(tmp_path_factory.mktemp("untracked"))
    (folder / "conf" / "local").mkdir(exist_ok=True)
    (folder / "conf" / "local" / "mlflow.yml").write_text("tracking: {disable_tracking: {pipelines: [growing]}}")
    return folder


def test_a_kedro_run_that_is_not_tracked_imports_no_mlflow(untracked_garden: Path) -> None:
    assert loaded(untracked_garden, "kedro", "run", "--pipelines", "growing") == []


def test_a_tracked_run_imports_mlflow_so_that_this_test_can_fail(untracked_garden: Path) -> None:
    assert loaded(untracked_garden, "kedro", "run", "--pipelines", "learning") == ["mlflow", "kedro_mlflow"]


def test_help_imports_no_mlflow(untracked_garden: Path) -> None:
    assert loaded(untracked_garden, "kedro", "run", "--help") == []


def test_ingestion_and_curation_start_without_torch_and_mlflow(tmp_path: Path) -> None:
    words = ["--pipelines", "ingestion,curation", "--params", "ingestion.synthetic.frames_count=40"]
    assert loaded(tmp_path, "rovervision", f"--conf-source={REPOSITORY / 'conf'}", *words) == []


@pytest.mark.parametrize(
    ("words", "package", "expected"),
    [
        (["run", "--params", "mlflow=1"], "any", False),
        (["mlflow", "ui"], "any", True),
        (["mlflow", "ui"], "rovervision", True),
        (["--help"], "rovervision", False),
        ([], "rovervision", False),
        (["--help"], "another", True),  # the list of all commands of somebody else's project stays whole
    ],
)
def test_commands_of_kedro_mlflow_are_there_where_they_are_asked_for(
    words: list[str], package: str, expected: bool, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[tool.kedro]\npackage_name = "{package}"\n')
    assert wants_mlflow_commands(words, tmp_path) == expected


def test_help_names_every_pipeline_and_examples_that_are_understood() -> None:
    folders = [path.parent.name for path in (REPOSITORY / "src/rovervision/pipelines").glob("*/pipeline.py")]
    assert sorted(re.findall(r"\w+", HELP.partition(":")[2].partition(";")[0])) == sorted(folders)
    examples = [shlex.split(line)[2:] for line in HELP.splitlines() if line.startswith("kedro run")]
    assert len(examples) >= 4
    for words in examples:
        run.make_context("run", words)  # raises on an option that there is not
