"""Which of several processes this one is: what torchrun and Slurm's srun tell each process that they start.

Imports nothing that is slow: the command line asks as well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

RANK_VARIABLES = ("RANK", "SLURM_PROCID", "LOCAL_RANK")
"""Set by torchrun, by srun, and by launchers that start one process for each device of a machine."""
_PORT, _PORTS = 15_000, 15_000
"""Jobs of Slurm meet at a port of this range, below those that Linux hands out by itself."""


@dataclass(frozen=True)
class World:
    """The processes that train together, as one of them sees it."""

    rank: int = 0
    """This process's number, from 0 on; 0 alone writes and tracks."""
    size: int = 1
    """How many processes there are."""
    local_rank: int = 0
    """This process's number on its machine, by which it takes a device."""
    local_size: int = 1
    """How many there are on this machine."""
    nodes: str = "127.0.0.1"
    """The machines, as the launcher names them; the processes meet on the first."""
    port: int = 29_500


def find_world(environment: Mapping[str, str]) -> World:
    """Return the world that the environment variables of a process tell of; a world of one where they tell of none.

    Slurm's variables of the *step* decide (https://slurm.schedmd.com/srun.html, "output environment variables"): a
    plain command in a batch script sees the job's SLURM_NTASKS as well, but nobody started it so many times.
    """
    known = {name: value for name, value in environment.items() if value}
    rank = next((int(known[name]) for name in RANK_VARIABLES if name in known), 0)
    if "RANK" in known and "WORLD_SIZE" in known:
        size, local = int(known["WORLD_SIZE"]), int(known.get("LOCAL_RANK", 0))
        local_size = int(known.get("LOCAL_WORLD_SIZE", size))
        return World(rank, size, local, local_size, *_meeting_point(known))
    if "SLURM_PROCID" in known and "SLURM_STEP_NUM_TASKS" in known:
        tasks = tasks_per_node(known.get("SLURM_STEP_TASKS_PER_NODE", known["SLURM_STEP_NUM_TASKS"]))
        node, local = int(known.get("SLURM_NODEID", 0)), int(known.get("SLURM_LOCALID", 0))
        return World(rank, int(known["SLURM_STEP_NUM_TASKS"]), local, tasks[node], *_meeting_point(known))
    return World(rank)


def tasks_per_node(told: str) -> list[int]:
    """Return the number of tasks of each node from Slurm's short form: `2(x3),1` is 2, 2, 2, 1."""
    pairs = [re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", part.strip()) for part in told.split(",")]
    return [int(pair[1]) for pair in pairs if pair for _ in range(int(pair[2] or 1))]


def _meeting_point(known: Mapping[str, str]) -> tuple[str, int]:
    nodes = known.get("MASTER_ADDR") or known.get("SLURM_STEP_NODELIST") or known.get("SLURM_NODELIST") or World.nodes
    job = 31 * int(known.get("SLURM_JOB_ID", 0)) + int(known.get("SLURM_STEP_ID", 0))
    default = _PORT + job % _PORTS if job else World.port
    return nodes, int(known.get("MASTER_PORT", default))
