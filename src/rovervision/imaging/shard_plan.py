"""Promised examinations: what to examine, by which workers. Nothing happens until a promise is called."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rovervision.imaging.tiles import ExaminedShard


class SlurmWorkers(BaseModel):
    """What each job of Dask workers asks of Slurm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cores: int = Field(default=8, ge=1)
    """Cores of one job; one worker runs on each."""
    memory_gib: float = Field(default=16.0, gt=0.0)
    """Memory of one job in GiB, shared equally by its workers."""
    walltime_h: float = Field(default=4.0, gt=0.0)
    """Time limit of one job in hours. Its workers leave before it ends, and others come in their place."""
    queue: str | None = None
    """Partition; Slurm's own choice where it is None."""
    account: str | None = None
    interface: str | None = None
    """Network interface by which the nodes and this machine reach one another, such as ib0."""
    directives: tuple[str, ...] = ()
    """Further options of sbatch, such as --constraint=rome."""
    prologue: tuple[str, ...] = ()
    """Lines of shell before the workers start, such as module load python."""


class WorkersConfig(BaseModel):
    """Who performs promised shards. The result is the same whoever does; settings of the other kinds are ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["threads", "processes", "dask"] = "threads"
    count: int | None = Field(default=None, ge=1)
    """Workers; as many as this process may use cores where it is None. A Dask cluster with an address has its own."""
    attempts: int = Field(default=3, ge=1)
    """Workers that a shard may lose before it is given up. A Dask cluster with an address has its own number."""
    address: str | None = None
    """A Dask scheduler, such as tcp://10.0.0.1:8786, or its scheduler file (*.json); a cluster on this machine is
    started where it is None."""
    memory_gib: float | None = Field(default=None, gt=0.0)
    """Memory at which a Dask worker on this machine is ended and its shard tried anew; an equal share where None."""
    slurm: SlurmWorkers | None = None
    """Jobs in which Dask workers run; `count` workers in all."""

    @model_validator(mode="after")
    def _one_cluster(self) -> Self:
        if self.address and self.slurm:
            raise ValueError("address and slurm name two clusters: set one of them to null")
        return self


@dataclass(frozen=True, slots=True)
class ShardPromise:
    """The promise to examine the frames of one shard; it travels to the worker, so it holds only what it needs."""

    examine: Callable[[], ExaminedShard]
    frame_ids: tuple[str, ...]
    origin: str
    """Equal only where the examined shards are sure to be equal; by it a finished shard is known to be the one
    asked for."""

    def __call__(self) -> ExaminedShard:
        """Examine the frames."""
        return self.examine()


class ShardPlan(dict[str, Callable[[], ExaminedShard]]):
    """Shard names and the promises of their contents, with the workers that the plan's maker asks for."""

    def __init__(
        self,
        promises: Mapping[str, Callable[[], ExaminedShard]] | None = None,
        *,
        workers: WorkersConfig,
        code: tuple[str, ...] = (),
    ) -> None:
        """Plan shards.

        Args:
            promises: Shard name -> callable, best a ShardPromise. One without `origin` is performed in every save.
            workers: Who performs them.
            code: Modules and packages whose source text decides the result: a change of it makes every shard anew.
        """
        super().__init__(promises or {})
        self.workers = workers
        self.code = code


def digest_of(*told: str) -> str:
    """Return a digest of texts and of where each ends, in 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for text in told:
        body = text.encode()
        digest.update(len(body).to_bytes(8, "big") + body)
    return digest.hexdigest()[:16]
