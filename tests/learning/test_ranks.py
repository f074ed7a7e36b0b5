"""Two processes train as one does with the same whole batch. They are started once, by torchrun, over gloo."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rovervision.learning.training import open_fabric
from rovervision.learning.weights import Weights, read_weights, write_weights
from tests.learning.rank_trainings import CASES, TRAINING, assert_alike, train

REPOSITORY = Path(__file__).resolve().parents[2]
LAUNCHER = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "tests.learning.rank_trainings"]
EPOCHS = range(TRAINING.epochs + 1)


@pytest.fixture(scope="module")
def alone() -> dict[str, list[Weights]]:
    """The checkpoints of every case, made by one process."""
    fabric = open_fabric("cpu", "32-true")
    return {case: train(case, fabric) for case in CASES}


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory, alone: dict[str, list[Weights]]) -> Path:
    """The folder in which two processes wrote theirs."""
    folder = tmp_path_factory.mktemp("ranks")
    write_weights(folder / "from_one_process", alone["residual"][1])
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "RANK"))}
    answer = subprocess.run(
        [sys.executable, "-m", *LAUNCHER, str(folder), *CASES],
        cwd=REPOSITORY,
        env={**variables, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-4000:]
    return folder


def states(folder: Path, rank: int, case: str) -> list[Weights]:
    return [read_weights(folder / f"rank{rank}" / f"{case}_{epoch}") for epoch in EPOCHS]


def assert_equal(one: Weights, two: Weights) -> None:
    assert one.header == two.header
    assert one.tensors.keys() == two.tensors.keys()
    assert [name for name, tensor in one.tensors.items() if not torch.equal(tensor, two.tensors[name])] == []


@pytest.mark.parametrize("case", CASES)
def test_both_processes_end_with_the_same_checkpoints(together: Path, case: str) -> None:
    for one, two in zip(states(together, 0, case), states(together, 1, case), strict=True):
        assert_equal(one, two)


@pytest.mark.parametrize("case", [case for case in CASES if case != "dropout"])
def test_two_processes_train_as_one_does(together: Path, alone: dict[str, list[Weights]], case: str) -> None:
    """Batches of 5 tiles and of 3, uneven between two; of one tile, which only the first process has."""
    assert alone[case][-1].header["step"] >= 3 * TRAINING.epochs - 3
    for one, two in zip(alone[case][1:], states(together, 0, case)[1:], strict=True):
        assert_alike(one, two, case)


def test_what_is_dropped_differs_between_the_processes(together: Path, alone: dict[str, list[Weights]]) -> None:
    one, two = (
        each["train_loss"][0]["value"] for each in (alone["dropout"][1].header["history"], told(together, "dropout", 1))
    )
    assert one != pytest.approx(two, rel=1e-6)


def told(folder: Path, case: str, epoch: int) -> dict:
    return states(folder, 0, case)[epoch].header["history"]


def test_resumed_by_two_it_ends_like_the_straight_training_of_two(together: Path) -> None:
    straight = states(together, 0, "dropout")[-1]
    for rank in (0, 1):
        assert_equal(read_weights(together / f"rank{rank}" / "resumed"), straight)


def test_one_process_goes_on_where_two_stopped_and_the_reverse(together: Path, alone: dict[str, list[Weights]]) -> None:
    assert_alike(alone["residual"][-1], read_weights(together / "rank1" / "taken_over"), "taken over by two")
    by_one = train("residual", open_fabric("cpu", "32-true"), states(together, 0, "residual")[1])[-1]
    assert_alike(alone["residual"][-1], by_one, "taken over by one")


def test_all_are_told_of_a_divergence_and_the_first_of_the_end_of_another(together: Path) -> None:
    first, second = (json.loads((together / f"rank{rank}" / "said.json").read_text()) for rank in (0, 1))
    assert first["world"] == second["world"] == 2
    assert first["diverged"] == second["diverged"]
    assert "diverged in epoch 1" in first["diverged"]
    assert "Another process of this training has ended" in first["lost"]
