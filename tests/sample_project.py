"""A copy of the project after a small run, made once for all tests that only look at it or use what it has learnt."""

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.shell.conftest import kedro
from tests.test_run import project_copy

SMALL = (
    "ingestion.synthetic.frames_count=40,colorization.training.epochs=1,colorization.scoring.bootstrap_draws=10,"
    "diffusion.training.epochs=1,diffusion.training.epoch_tiles=16,diffusion.generation.count=4,diffusion.sampler.steps=2"
)

MADE = (
    "frames_judged", "tiles", "tile_codes", "tile_map", "tile_clusters@written", "cluster_table", "colorizer",
    "colorization_score_table", "images_gray@written", "denoiser", "diffusion_metrics", "tiles_generated",
)  # fmt: skip
"""What the run goes up to: no more nodes than are needed for these."""


_made: list[Path] = []


def sample_project(factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the project, the same to all who ask."""
    if not _made:
        _made.append(make_sample(project_copy(factory.mktemp("sample"))))
    return _made[0]


def make_sample(folder: Path) -> Path:
    """Run a copy of the project."""
    answer = run(folder, "run", "--to-outputs", ",".join(MADE), "--params", SMALL)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return folder


def run(folder: Path, *words: str) -> CompletedProcess[str]:
    """Call `kedro` in the project, with its own code."""
    return kedro(folder, *words, timeout_s=800, PYTHONPATH=str(folder / "src"), OMP_NUM_THREADS="1")
