"""How long commands take that learn nothing, and how much of that is spent on importing libraries that they do not use.

    python -m benchmarks.startup [--rounds 3]

Each command runs in a process of its own, in a copy of the project without data. Printed is its processor time, the
least of the rounds, since the wall clock of a busy machine tells little, and which heavy libraries were loaded.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

HEAVY = ("torch", "mlflow", "kedro_mlflow", "sklearn", "plotly", "matplotlib", "scipy", "pandas", "cv2")

COMMANDS = (
    "run --help",
    "run --pipelines ingestion --params ingestion.dry_run=true",
    "run --pipelines ingestion --params ingestion.synthetic.frames_count=20",
    "run --pipelines curation",
)

TELL = """
import atexit, runpy, sys
atexit.register(lambda: print("LOADED", *[name for name in %r if name in sys.modules]))
sys.argv[0] = "kedro"
runpy.run_module("kedro", run_name="__main__")
"""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder))
        print("| command | processor time, s | heavy libraries loaded |\n|---|---|---|")
        for command in COMMANDS:
            answers = [measure(project, command) for _ in range(rounds)]
            print(f"| `kedro {command}` | {min(cpu_s for cpu_s, _ in answers):.2f} | {answers[0][1] or 'none'} |")


def copy_project(folder: Path) -> Path:
    """Copy code and configuration."""
    for name in ("src", "conf"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    (folder / "logs").mkdir()
    return folder


def measure(project: Path, command: str) -> tuple[float, str]:
    """Return the processor time of a command in seconds, and which heavy libraries it had loaded at its end."""
    environment = {**os.environ, "DO_NOT_TRACK": "1", "PYTHONPATH": str(project / "src")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [sys.executable, "-c", TELL % (HEAVY,), *command.split()]
    answer = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    (loaded,) = [line for line in answer.stdout.splitlines() if line.startswith("LOADED")]
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used_s, ", ".join(loaded.split()[1:])


if __name__ == "__main__":
    main()
