"""Runners beside Kedro's own."""

import logging
import os
from collections.abc import Mapping

from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from pluggy import PluginManager

from rovervision.learning.launchers import World, find_world

EVERY_RANK = "ranks"
"""Tag of the nodes that run in every process of a launcher: the trainings."""


def world(environment: Mapping[str, str] | None = None) -> World:
    """Return which of how many processes this one is.

    Args:
        environment: Environment variables; the process's own when None.
    """
    return find_world(os.environ if environment is None else environment)


def rank(environment: Mapping[str, str] | None = None) -> int:
    """Return the number of this process among those that train together; 0 when it is alone. Arguments: as `world`."""
    return world(environment).rank


def runner_name() -> str:
    """Return the dotted name of the runner for this process where nobody asked for another."""
    return f"{__name__}.{RankZeroRunner.__name__}" if world().size > 1 else SequentialRunner.__name__


class RankZeroRunner(SequentialRunner):
    """Runs everything in process 0, and in the others the trainings alone, with what they need.

    The others keep their outputs in memory, so that a training that spans several processes leaves one model, one set
    of figures and one MLflow run. What the run makes itself on the way to a training is made in each process, so it
    must fit in memory as often.
    """

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        if rank() > 0:
            pipeline = trainings_alone(pipeline)
            keep_in_memory(pipeline, catalog)
        super()._run(pipeline, catalog, hook_manager, run_id)


def trainings_alone(pipeline: Pipeline) -> Pipeline:
    """Return the nodes that run in every process and those before them, in the same order."""
    trained = [node.name for node in pipeline.nodes if EVERY_RANK in node.tags]
    return pipeline.to_nodes(*trained) if trained else Pipeline([])


def keep_in_memory(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Put memory in the place of every output of a pipeline, under all names that the same file is read by."""
    logging.getLogger("kedro.io.data_catalog").setLevel(logging.ERROR)  # it warns of each one that is replaced
    for output in pipeline.all_outputs():
        names = {output, *(each for each in pipeline.datasets() if _bare(each) == _bare(output))}
        memory = MemoryDataset(copy_mode="assign") if len(names) == 1 else _KeptDataset(copy_mode="assign")
        for name in names:
            catalog[name] = memory


class _KeptDataset(MemoryDataset):
    """Memory with several names, which is still wanted when one of them is done with."""

    def _release(self) -> None:
        pass


def _bare(name: str) -> str:
    return name.partition("@")[0]
