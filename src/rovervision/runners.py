"""Runners beside Kedro's own."""

import os
from collections.abc import Mapping

from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from pluggy import PluginManager

RANK_VARIABLES = ("RANK", "SLURM_PROCID", "LOCAL_RANK")
"""Set by torchrun, by srun, and by launchers that start one process for each device of a machine."""


def rank(environment: Mapping[str, str] | None = None) -> int:
    """Return the number of this process among those that train together; 0 when it is alone.

    Args:
        environment: Environment variables; the process's own when None.
    """
    environment = os.environ if environment is None else environment
    return next((int(environment[name]) for name in RANK_VARIABLES if environment.get(name)), 0)


class RankZeroRunner(SequentialRunner):
    """Runs the same nodes in every process, but lets only process 0 write.

    The other processes keep their outputs in memory, so that a training that spans several processes leaves one model,
    one set of figures and one MLflow run. Everything that a later node of the run reads must therefore fit in memory.
    """

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        if rank() > 0:
            for name in pipeline.all_outputs():
                catalog[name] = MemoryDataset(copy_mode="assign")
        super()._run(pipeline, catalog, hook_manager, run_id)
