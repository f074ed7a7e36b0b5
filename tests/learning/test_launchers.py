"""Who started this process, and as which of how many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.learning.launchers import World, find_world, tasks_per_node
from rovervision.learning.ranks import OneOfSeveral, device_number
from rovervision.learning.shared_batches import cut
from rovervision.learning.training import open_fabric

TORCHRUN = {
    "RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "MASTER_ADDR": "node7",
    "MASTER_PORT": "4242",
}  # fmt: skip
BATCH_SHELL = {"SLURM_JOB_ID": "91", "SLURM_PROCID": "0", "SLURM_NTASKS": "8", "SLURM_NTASKS_PER_NODE": "4"}
STEP = BATCH_SHELL | {
    "SLURM_PROCID": "4", "SLURM_LOCALID": "1", "SLURM_NODEID": "1", "SLURM_STEP_NUM_TASKS": "6",
    "SLURM_STEP_TASKS_PER_NODE": "3(x2)", "SLURM_STEP_NODELIST": "gpu[05-06]", "SLURM_STEP_ID": "2",
}  # fmt: skip


def test_torchrun_and_srun_are_understood():
    assert find_world(TORCHRUN) == World(5, 8, 1, 4, "node7", 4242)
    assert find_world(STEP) == World(4, 6, 1, 3, "gpu[05-06]", 15_000 + 31 * 91 + 2)
    assert find_world(STEP | TORCHRUN) == find_world(TORCHRUN)
    assert find_world(STEP | {"MASTER_PORT": "77"}).port == 77
    assert OneOfSeveral(find_world(STEP)).cluster_environment.main_address == "gpu05"


def test_a_plain_command_in_a_batch_script_is_alone(monkeypatch):
    assert find_world(BATCH_SHELL) == World()
    assert find_world({}) == World()
    for name, value in (BATCH_SHELL | {"SLURM_NTASKS_PER_NODE": ""}).items():
        monkeypatch.setenv(name, value)
    for name in ("RANK", "WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS_PER_NODE"):
        monkeypatch.delenv(name, raising=False)
    assert open_fabric("cpu", "32-true", together=True).world_size == 1


def test_whoever_does_not_ask_for_the_others_is_alone(monkeypatch):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert open_fabric("cpu", "32-true").world_size == 1


@pytest.mark.parametrize("device", ["cuda:1", "mps"])
def test_several_processes_cannot_have_one_named_device(monkeypatch, device):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RovervisionError, match="8 processes train together"):
        open_fabric(device, "32-true", together=True)


def test_tasks_are_counted_for_each_node():
    assert tasks_per_node("2(x3),1") == [2, 2, 2, 1]
    assert tasks_per_node("4") == [4]


def test_each_process_takes_a_gpu_of_its_own(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert device_number(World(5, 8, 1, 4), gpus=4) == 1
    with pytest.raises(RovervisionError, match="4 processes on this machine and 1 GPUs"):
        device_number(World(5, 8, 1, 4), gpus=1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert device_number(World(5, 8, 1, 4), gpus=1) == 0  # the launcher shows each process its own one alone
    with pytest.raises(RovervisionError, match="4 processes on this machine and 2 GPUs"):
        device_number(World(5, 8, 1, 4), gpus=2)
    with pytest.raises(RovervisionError, match="0 GPUs"):
        device_number(World(5, 8, 1, 4), gpus=0)


@given(rows=st.integers(0, 200), parts=st.integers(1, 17))
def test_parts_of_a_batch_neither_overlap_nor_leave_a_row_out(rows, parts):
    slices = cut(rows, parts)
    assert [row for each in slices for row in range(rows)[each]] == list(range(rows))
    lengths = [each.stop - each.start for each in slices]
    assert len(slices) == parts
    assert max(lengths) - min(lengths) <= 1
