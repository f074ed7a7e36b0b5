"""A runner by which a test sees what the processes beyond the first have learnt."""

import os
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from rovervision.datasets.weights import WeightsDataset
from rovervision.runners import RankZeroRunner, rank

CHECKPOINT = "colorizer_checkpoint"


class WitnessRunner(RankZeroRunner):
    """Writes the checkpoint that such a process holds in memory to the folder that WITNESS names."""

    def _run(self, pipeline: Pipeline, catalog: CatalogProtocol, *arguments: Any, **options: Any) -> None:
        super()._run(pipeline, catalog, *arguments, **options)
        if rank() > 0:
            path = f"{os.environ['WITNESS']}/rank{rank()}.safetensors"
            WeightsDataset(filepath=path).save(catalog[CHECKPOINT].load())
