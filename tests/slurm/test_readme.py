"""The page for newcomers is walked as it stands."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.shell.conftest import REPOSITORY, tracked_runs
from tests.slurm.jobs import SCRIPT, Desk, wait_until
from tests.test_documentation import FENCE, LINK, refusals

PAGE = REPOSITORY / "deploy" / "slurm" / "README.md"
YOURS = "# yours"
"""Marks what depends on a cluster that is not here."""


def blocks() -> list[str]:
    """The commands of each block, without those that are marked."""
    found = [block for language, block in FENCE.findall(PAGE.read_text()) if language == "sh"]
    kept = ["\n".join(line for line in block.splitlines() if YOURS not in line) for block in found]
    return [block for block in kept if block.strip()]


def submitted() -> list[str]:
    """What is given to the script, marked or not."""
    return sorted(set(re.findall(r"run\.sbatch (--[^#\n]*)", PAGE.read_text())))


@pytest.mark.parametrize("words", submitted())
def test_every_job_of_the_page_is_understood(words: str) -> None:
    assert refusals(words.strip()) == []


def test_every_link_of_the_page_leads_somewhere() -> None:
    near = [link.partition("#")[0] for link in LINK.findall(PAGE.read_text())]
    assert [link for link in near if link and not (PAGE.parent / link).exists()] == []


def test_the_page_and_the_script_know_the_same_variables() -> None:
    used = set(re.findall(r"ROVERVISION_[A-Z_]+", SCRIPT.read_text()))
    told = set(re.findall(r"ROVERVISION_[A-Z_]+", PAGE.read_text().partition("## Variables")[2]))
    assert used == told


@pytest.mark.slurm
@pytest.mark.timeout(1500)
def test_the_page_is_walked(empty_desk: Desk) -> None:
    shutil.copy(SCRIPT, empty_desk.folder / "run.sbatch")
    ways = blocks()
    assert sum("sbatch" in block for block in ways) >= 6
    checkpoint = empty_desk.folder / "data" / "06_models" / "colorizer_checkpoint.safetensors"

    def queue_is_empty() -> bool:
        return not empty_desk.slurm.ask("squeue", "--noheader")

    for block, after in zip(ways, [*ways[1:], ""], strict=True):
        answer = walk(empty_desk, block)
        assert answer.returncode == 0, f"{block}\n{answer.stdout}{answer.stderr}"
        if "scancel" in after:
            wait_until("a checkpoint", checkpoint.exists)
        else:
            wait_until(f"the jobs of: {block}", queue_is_empty, timeout_s=600)
    said = {path.name: path.read_text() for path in empty_desk.folder.glob("*.out")}
    said = {name: text for name, text in said.items() if not name.startswith("slurm-")}  # of Dask's workers
    ended_well = [name for name, text in said.items() if "Done in" in text]
    assert len(said) - len(ended_well) == 1, said  # the one that was cancelled
    statuses = [run.info.status for run in tracked_runs(empty_desk.folder)]
    assert sorted(statuses) == ["FINISHED"] * (len(statuses) - 1) + ["KILLED"]
    assert {path.name for path in (empty_desk.folder / "data" / "sweeps" / "rates").iterdir()} == {"1", "2", "3"}


def walk(desk: Desk, block: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block], cwd=desk.folder, env=desk.environment(), capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip


def test_commands_are_split_as_a_shell_does() -> None:
    assert all(shlex.split(words) for words in submitted()) and len(submitted()) >= 6
    assert Path(SCRIPT).stat().st_mode & 0o100, "the script may be run"
