"""The wheel does without the project folder."""

import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.shell.conftest import REPOSITORY, quiet_environment, tracked_runs
from tests.test_run import project_copy

SMALL = "--params=ingestion.synthetic.frames_count=60"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def build_wheel(project: Path) -> Path:
    """Build in a copy, so that no `build/` is left in the checkout."""
    for name in ("README.md", "LICENSE"):
        text = (REPOSITORY / name).read_text() if (REPOSITORY / name).exists() else name
        (project / name).write_text(text)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    return next((project / "dist").glob("*.whl"))


def pack_configuration(project: Path) -> Path:
    """Pack what `kedro package` packs."""
    path = project / "dist" / "conf-rovervision.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(project / "conf", "conf")
    return path


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel alone into a new environment that sees this one's libraries; return its `bin`.

    The line in the `.pth` file adds the libraries but not the editable checkout, which stands in a `.pth` of their own.
    """
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([python, "-c", query], check=True, capture_output=True, text=True)
    (Path(answer.stdout.strip()) / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_the_wheel_runs_from_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    project = project_copy(tmp_path / "project")
    programs = install(build_wheel(project), tmp_path / "venv")
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = quiet_environment()
    del environment["PYTHONPATH"]

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=empty, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    where = call(str(programs / "python"), "-c", "import rovervision; print(rovervision.__file__)")
    assert Path(where.stdout.strip()).is_relative_to(tmp_path / "venv"), "the checkout is still visible"

    lost = call(str(programs / "rovervision"), "--pipelines=ingestion")
    assert lost.returncode == 1
    assert "--conf-source" in lost.stderr
    assert "Traceback" not in lost.stdout + lost.stderr
    assert len((lost.stdout + lost.stderr).strip().splitlines()) == 1, "one sentence, and nothing of Kedro's"

    conf = pack_configuration(project)
    made = call(str(programs / "rovervision"), f"--conf-source={conf}", "--pipelines=ingestion,curation", SMALL)
    assert made.returncode == 0, made.stdout + made.stderr
    assert made.stderr == ""
    assert "Done in" in made.stdout
    assert {path.name for path in empty.iterdir()} == {"data", "logs"}, "no MLflow store: nothing was learnt"
    assert list((empty / "data").rglob("*.png"))

    learnt = call(
        str(programs / "rovervision"),
        f"--conf-source={conf}",
        "--pipelines=colorization",
        "--params=colorization.training.epochs=1,colorization.scoring.bootstrap_draws=10",
    )
    assert learnt.returncode == 0, learnt.stdout + learnt.stderr
    assert learnt.stderr == ""
    assert [run.info.status for run in tracked_runs(empty)] == ["FINISHED"]

    (empty / "mine").mkdir()
    cv2.imwrite(str(empty / "mine" / "rock.png"), np.tile(np.arange(100, dtype=np.uint8), (70, 1)))
    words = ["--pipelines=colorization", "--tags=apply", "--params=apply.input=mine,apply.output=coloured"]
    coloured = call(str(programs / "rovervision"), f"--conf-source={conf}", *words)
    assert coloured.returncode == 0, coloured.stdout + coloured.stderr
    assert cv2.imread(str(empty / "coloured" / "rock.png")).shape == (70, 100, 3)
