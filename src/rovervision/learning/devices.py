"""Where and how precisely to compute: Lightning Fabric for one device, or for this process's part of several."""

import os
from typing import Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment

from rovervision.errors import RovervisionError
from rovervision.learning.launchers import World, find_world
from rovervision.learning.ranks import OneOfSeveral, device_number

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


def open_fabric(device: str, precision: Precision, together: bool = False) -> Fabric:
    """Return Lightning Fabric for one device: auto, cpu, mps, cuda, or cuda:1 for the second one.

    Args:
        device: where.
        precision: Fabric's word.
        together: where torchrun or srun started several processes, join the others: each has one device, gloo connects
            CPUs and NCCL GPUs. Without a launcher, and without this, the process is alone.

    Raises:
        RovervisionError: There is no such device, or the others cannot be met.
    """
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "mps", "cuda") or (number and not (kind == "cuda" and number.isdigit())):
        raise RovervisionError(f"There is no device '{device}'. Set device to auto, cpu, mps, cuda or cuda:1.")
    world = find_world(os.environ) if together else World()
    try:
        if world.size > 1:
            return _join(world, device, precision)
        # without an environment of its own, Fabric would take a batch script's SLURM_NTASKS for processes
        return Fabric(
            accelerator=kind, devices=[int(number)] if number else 1, precision=precision,
            plugins=[LightningEnvironment()],
        )  # fmt: skip
    except (ValueError, RuntimeError) as error:
        raise RovervisionError(
            f"Device '{device}' cannot be used here ({error}). Set device to auto or cpu."
        ) from error


def _join(world: World, device: str, precision: Precision) -> Fabric:
    if device not in ("auto", "cpu", "cuda"):
        raise RovervisionError(
            f"{world.size} processes train together, and each takes a device by its own number: device={device} would "
            "be the same for all. Set device to auto, cuda or cpu."
        )
    gpus = torch.cuda.device_count()
    is_gpu = device == "cuda" or (device == "auto" and gpus > 0)
    fabric = Fabric(
        accelerator="cuda" if is_gpu else "cpu",
        devices=[device_number(world, gpus)] if is_gpu else 1,
        precision=precision,
        strategy=OneOfSeveral(world),
    )
    try:
        fabric.launch()
    except (RuntimeError, OSError) as error:
        raise RovervisionError(
            f"Process {world.rank} of {world.size} cannot meet the others at {world.nodes}, port {world.port} "
            f"({str(error).splitlines()[0]}). See that all were started by one torchrun or srun, or set MASTER_ADDR "
            "and MASTER_PORT to a machine and a free port that all of them reach."
        ) from error
    return fabric
