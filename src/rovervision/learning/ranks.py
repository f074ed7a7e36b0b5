"""One process of several that train together, in the words of Lightning Fabric.

Fabric brings the device, the precision and the connection. What is exchanged, and when, `collectives` and `training`
say: Fabric's own way, DistributedDataParallel, would have to see every call of the model.
"""

import os
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import nn

from rovervision.errors import RovervisionError
from rovervision.learning.launchers import World

PATIENCE = timedelta(minutes=30)
"""A process waits so long for the others; the first one opens MLflow before it trains, and scores before the next."""


class OneOfSeveral(DDPStrategy):
    """This process's part among several: one device, connected with the others, and a model that nothing is wrapped
    around.

    Args:
        world: which of how many this one is.
    """

    def __init__(self, world: World) -> None:
        super().__init__(cluster_environment=_Launched(world), timeout=PATIENCE)

    @property
    def root_device(self) -> torch.device:
        """The one device."""
        assert self.parallel_devices is not None
        return self.parallel_devices[0]

    def setup_module(self, module: nn.Module) -> Any:
        """Return the module as it is."""
        return module


class _Launched(ClusterEnvironment):
    """The world in Fabric's words. Fabric's own plugins ask for `--ntasks-per-node`, and take the processes that a
    batch script was given for processes that were started."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return SLURMEnvironment.resolve_root_node_address(self.world.nodes)

    @property
    def main_port(self) -> int:
        return self.world.port

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self.world.size

    def set_world_size(self, size: int) -> None:
        pass

    def global_rank(self) -> int:
        return self.world.rank

    def set_global_rank(self, rank: int) -> None:
        pass

    def local_rank(self) -> int:
        return self.world.local_rank

    def node_rank(self) -> int:
        return self.world.rank // self.world.local_size


def device_number(world: World, gpus: int) -> int:
    """Return the GPU that a process takes: its own number on the machine, or 0 where the launcher shows it one only.

    Args:
        world: which of how many this process is.
        gpus: how many GPUs the process sees.

    Raises:
        RovervisionError: More processes than GPUs.
    """
    if gpus == 1 and world.local_size > 1 and os.environ.get("CUDA_VISIBLE_DEVICES"):
        return 0
    if world.local_size > gpus:
        raise RovervisionError(
            f"There are {world.local_size} processes on this machine and {gpus} GPUs. Start one process for each GPU, "
            "or set device to cpu."
        )
    return world.local_rank
