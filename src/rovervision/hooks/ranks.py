"""Before a run of several processes: what they cannot do together is refused."""

from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from rovervision.errors import RovervisionError
from rovervision.runners import world

ALONE = frozenset({"ingestion", "curation"})
"""Pipelines that one process runs; they spread their work over workers of their own."""


class RankHooks:
    """Stops a run that a launcher started several times, where only one process may do what was asked for."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline) -> None:
        """Look at what was asked for.

        Raises:
            RovervisionError: The run must have one process.
        """
        size = world().size
        if size == 1:
            return
        asked = sorted(ALONE & {str(node.namespace) for node in pipeline.nodes})
        if asked:
            raise RovervisionError(
                f"{size} processes were started together, and {' and '.join(asked)} must run in one. Run first, "
                f"without torchrun or srun: kedro run --pipelines {','.join(sorted(asked, reverse=True))} ... then "
                "start the training in several processes by its own name, such as --pipelines colorization."
            )
        if run_params.get("only_missing_outputs"):
            raise RovervisionError(
                f"{size} processes were started together, and --only-missing-outputs may find something else in each. "
                "Leave it out: a training goes on from its checkpoint by itself."
            )
