"""The batch script refuses in sentences what cannot work; this needs no Slurm."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.slurm.jobs import SCRIPT

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash on this machine")


def call(folder: Path, *words: str, **variables: str) -> tuple[int, str]:
    """Run the script as a job would, without Slurm's commands; return exit code and what it said."""
    path = "/usr/bin:/bin"
    answer = subprocess.run(
        ["bash", str(SCRIPT), *words], cwd=folder, env={"PATH": path, **variables}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert answer.stdout == ""
    return answer.returncode, answer.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conf-rovervision.tar.gz").touch()
    (tmp_path / "rates.txt").write_text("seed=1\nseed=2\n")
    return tmp_path


JOB = {"SLURM_JOB_ID": "7"}
TASK = {**JOB, "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "3"}


@pytest.mark.parametrize(
    ("words", "variables", "sentence"),
    [
        ([], {}, "give it to sbatch"),
        ([], {**JOB, "ROVERVISION_WORK": "nowhere"}, "no working folder nowhere"),
        ([], {**JOB, "ROVERVISION_CONF": "nowhere.tar.gz"}, "no configuration at nowhere.tar.gz"),
        (["--params"], JOB, "--params needs a value"),
        ([], JOB, "no wheel at"),
        ([], {**JOB, "ROVERVISION_WHEEL": "a.whl"}, "no wheel at a.whl"),
        ([], {**JOB, "ROVERVISION_WHEEL": "rates.txt", "ROVERVISION_PYTHON": "python0"}, "There is no python0"),
        ([], {**JOB, "ROVERVISION_VENV": "nowhere"}, "no environment in nowhere"),
        (["--pipelines=colorization"], TASK, "An array needs ROVERVISION_SWEEP"),
        (["--pipelines=colorization"], {**TASK, "ROVERVISION_SWEEP": "lines"}, "lines, which cannot be read"),
        (["--pipelines=colorization"], {**TASK, "ROVERVISION_SWEEP": "rates.txt"}, "has no line 3"),
        ([], {**TASK, "ROVERVISION_SWEEP": "rates.txt"}, "share what ingestion and curation made"),
        (["--pipelines", "curation"], {**TASK, "ROVERVISION_SWEEP": "rates.txt"}, "share what ingestion"),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence(
    folder: Path, words: list[str], variables: dict[str, str], sentence: str
) -> None:
    code, said = call(folder, *words, **variables)
    assert code == 2, said
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert not list(folder.rglob(".attempt-*")), "its mark is gone"


def test_several_wheels_are_not_chosen_from(folder: Path) -> None:
    for number in (1, 2):
        (folder / f"rovervision-{number}-py3-none-any.whl").touch()
    code, said = call(folder, **JOB)
    assert code == 2
    assert "several wheels" in said


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [("03_primary/lost", "no 03_primary/lost"), ("../secret", "leads out of"), ("/etc", "There is no /etc in")],
)
def test_only_curated_data_are_staged(folder: Path, asked: str, sentence: str) -> None:
    (folder / "data").mkdir()
    (folder / "secret").touch()
    (folder / "venv" / "bin").mkdir(parents=True)
    (folder / "venv" / "bin" / "python").symlink_to("/bin/true")
    variables = {**JOB, "ROVERVISION_STAGE": asked, "ROVERVISION_VENV": "venv"}
    assert sentence in call(folder, "--pipelines=clustering", **variables)[1]
    assert "Leave it out for ingestion" in call(folder, "--pipelines=curation,clustering", **variables)[1]


def test_the_shell_finds_no_fault_in_it() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", str(SCRIPT)], check=True)
