"""MLflow: one run for each Kedro run that learns something, and no MLflow for the others."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import settings
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from rovervision.context import mlflow_config
from rovervision.hooks.catalog_entries import CatalogEntries
from rovervision.quiet import silence_mlflow

if TYPE_CHECKING:
    from rovervision.hooks.mlflow_run import MlflowRun

TAGS_OF_USE = frozenset({"apply", "film", "truth", "truth_scores", "export", "plan", "similar"})
"""Tags of nodes that use what was learnt, or learn nothing: a run of these alone is none to compare."""


class TrackingHooks:
    """Hands the events of a run that learns something to an `MlflowRun`.

    MLflow takes seconds to import, so that is done when such a run begins. Catalog entries and datasets say what is
    kept: see `MlflowRun`.
    """

    __name__ = "mlflow_hook"
    """The name by which pluggy registers this hook: that of kedro-mlflow's own, which is therefore never imported."""

    def __init__(self) -> None:
        self._context: KedroContext | None = None
        self._catalog: CatalogProtocol | None = None
        self._entries = CatalogEntries()
        self.run: MlflowRun | None = None

    @property
    def tracking_uri(self) -> str | None:
        """Where MLflow holds the run; None when the run is not tracked."""
        return self.run.tracking_uri if self.run else None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the context, which knows where MLflow is."""
        self._context = context

    @hook_impl
    def after_catalog_created(self, catalog: CatalogProtocol, conf_catalog: Mapping[str, Any]) -> None:
        """Remember which datasets are artifacts."""
        self._catalog = catalog
        self._entries = CatalogEntries(conf_catalog)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Start an MLflow run, unless every requested pipeline is one that learns nothing."""
        assert self._context is not None
        self.run = None
        names = sorted(run_params["pipeline_names"] or ["__default__"])
        untracked = untracked_pipelines(mlflow_config(self._context))
        if not is_tracked(names, run_params["tags"] or (), untracked):
            return
        silence_mlflow()
        from rovervision.hooks.mlflow_run import MlflowRun

        self.run = MlflowRun(self._catalog, self._entries)
        learnt = {name: value for name, value in self._context.params.items() if name not in untracked}
        self.run.begin(self._context, {**run_params, "pipeline_names": names}, learnt, pipeline, catalog)

    @hook_impl
    def before_node_run(self, node: Node, inputs: dict[str, Any]) -> None:
        """Log the node's parameters."""
        if self.run:
            self.run.log_inputs(node, inputs)

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str) -> None:
        """Tag the run with the fingerprint of the data that it reads."""
        if self.run:
            self.run.tag_data(dataset_name)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log what was made."""
        if self.run:
            self.run.note_saved(dataset_name, data)

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Close the run as FINISHED."""
        if self.run:
            self.run.finish(run_params, pipeline, catalog)

    @hook_impl
    def on_pipeline_error(
        self, error: Exception, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Close the run as FAILED, with what was made before."""
        if self.run:
            self.run.fail(error, run_params, pipeline, catalog)


def is_tracked(pipeline_names: Iterable[str], tags: Collection[str], untracked: Collection[str]) -> bool:
    """Tell whether a run learns something.

    Args:
        pipeline_names: The pipelines that were asked for.
        tags: The tags that were asked for; none for all nodes.
        untracked: The pipelines that learn nothing.
    """
    learns = not tags or bool(set(tags) - TAGS_OF_USE)
    return learns and not set(pipeline_names) <= set(untracked)


def untracked_pipelines(config: Mapping[str, Any]) -> set[str]:
    """Return the pipelines that `mlflow.yml` calls untracked."""
    disabled = (config.get("tracking") or {}).get("disable_tracking") or {}
    return set(disabled.get("pipelines") or ())


def end_stopped_run() -> None:
    """Close what a signal left open, as KILLED; without this MLflow would call it FINISHED at exit."""
    for hooks in settings.HOOKS:
        if isinstance(hooks, TrackingHooks) and hooks.run:
            hooks.run.stop()
