"""One MLflow run, from its beginning to its end. Importing this imports MLflow, so call `silence_mlflow` before."""

import re
from collections.abc import Mapping
from typing import Any

import mlflow
from kedro.framework.context import KedroContext
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH, MAX_PARAMS_TAGS_PER_BATCH

from rovervision.datasets.lenient import Lenient
from rovervision.hooks.catalog_entries import CatalogEntries
from rovervision.hooks.dead_runs import mark_dead_runs
from rovervision.hooks.model_registry import read_address, register
from rovervision.hooks.processes import this_process
from rovervision.hooks.provenance import kinds_of, provenance, run_name
from rovervision.hooks.sqlite_store import first_use
from rovervision.parameters import flat

STOP_TIMEOUT_S = 10.0
"""How long a stopped run waits for MLflow to take its last points; Slurm kills 30 s after its first signal."""


class MlflowRun(MlflowHook):
    """kedro-mlflow's hook, with these differences.

    - The store is opened when the run begins, under a lock, so that concurrent first runs are safe.
    - Runs whose process has been killed are marked as KILLED when the next one begins.
    - Typed parameters are logged field by field.
    - Datasets marked `metadata: {mlflow: {artifact: true}}` are logged as artifacts once their node is done, and the
      numbers of those marked `metadata: {mlflow: {metrics: true, prefix: scores}}` as metrics `scores.<name>`.
    - A logged model marked `metadata: {mlflow: {registered_name: NAME, card: DATASET}}` becomes a new version of the
      registered model NAME when the run has finished, described by the Markdown file of DATASET.
    - The catalog stays lazy: a dataset that the run does not touch is not built.

    A dataset may have a method `fingerprint() -> str`, whose value is kept as the tag `data.<name>` when it is loaded,
    and a method `flush(timeout_s)`, which is called once after its node is done.

    MLflow must answer when a run begins; if it fails later, a warning says so and the run goes on.

    Args:
        catalog: The run's datasets.
        entries: What the catalog's YAML says of them.
    """

    def __init__(self, catalog: CatalogProtocol | None, entries: CatalogEntries) -> None:
        super().__init__()
        self._catalog = catalog
        self._entries = entries
        self._logged: set[str] = set()
        self._saved: dict[str, None] = {}
        self._models: list[str] = []
        self._made: set[str] = set()
        self._lenient = Lenient()

    @property
    def tracking_uri(self) -> str:
        """Where MLflow holds the run."""
        return str(self.mlflow_config.server.mlflow_tracking_uri)

    @property
    def experiment_id(self) -> str:
        """The experiment that the run belongs to."""
        return str(self.mlflow_config.tracking.experiment._experiment.experiment_id)

    def begin(
        self,
        context: KedroContext,
        run_params: dict[str, Any],
        learnt: Mapping[str, Any],
        pipeline: Pipeline,
        catalog: CatalogProtocol,
    ) -> None:
        """Open the store and start the run.

        Args:
            context: Kedro's context.
            run_params: What Kedro was told, with the pipelines' names in order.
            learnt: The parameters of the pipelines that learn something, by name of the pipeline.
            pipeline: What will run.
            catalog: Its datasets.
        """
        self.mlflow_config = context.mlflow  # type: ignore[attr-defined]
        with first_use(self.tracking_uri):
            super().after_context_created(context)
        with self._lenient("runs that were killed could not be marked"):
            mark_dead_runs(mlflow.MlflowClient(), self.experiment_id, this_process())
        names = run_params["pipeline_names"]
        run = self.mlflow_config.tracking.run
        run.name = run.name or run_name(names, run_params, kinds_of(learnt, names))
        super().before_pipeline_run(run_params, pipeline, catalog)
        tags = this_process().as_tags() | provenance(context.project_path, context.env)
        mlflow.set_tags({name: value[:MAX_PARAM_VAL_LENGTH] for name, value in tags.items()})

    def log_inputs(self, node: Node, inputs: Mapping[str, Any]) -> None:
        """Log a node's parameters, one MLflow parameter for each field."""
        if mlflow.active_run() is None:  # a thread of ThreadRunner does not know the run yet
            with self._lenient("the run could not be joined"):
                mlflow.start_run(run_id=self.run_id)
        self._finish_saved()
        given = {name.removeprefix("params:"): value for name, value in inputs.items() if name.startswith("params:")}
        with self._lenient(f"the parameters of {node.name} could not be logged"):
            self._log_params({name: value for name, value in as_text(given).items() if name not in self._logged})

    def tag_data(self, dataset_name: str) -> None:
        """Tag the run with the fingerprint of a dataset, if it has one."""
        if self._catalog is None or dataset_name.startswith("params:"):
            return
        fingerprint = getattr(self._catalog.get(dataset_name), "fingerprint", None)
        if fingerprint and (tag := f"data.{dataset_name}") not in self._logged:
            self._logged.add(tag)
            value = fingerprint()
            with self._lenient(f"the tag {tag} could not be set"):
                mlflow.set_tag(tag, value)

    def note_saved(self, dataset_name: str, data: Any) -> None:
        """Log numbers, and note the rest: a node that saves many times has its files logged once, when it is done."""
        wishes = self._entries.wishes(dataset_name)
        self._saved[dataset_name] = None
        self._made.add(dataset_name)
        if wishes.get("metrics"):
            prefix = wishes.get("prefix", dataset_name)
            numbers = {name: value for name, value in flat(data).items() if isinstance(value, int | float)}
            with self._lenient(f"the numbers of {dataset_name} could not be logged"):
                mlflow.log_metrics({f"{prefix}.{name}": float(value) for name, value in numbers.items()})

    def finish(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Close the run as FINISHED, and register the models that it made."""
        self._finish_saved()
        for name in self._models:
            self._register(name)
        with self._lenient("the run could not be closed"):
            super().after_pipeline_run(run_params, pipeline, catalog)

    def fail(self, error: Exception, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Close the run as FAILED, with what was made before."""
        if mlflow.active_run():
            self._finish_saved()
            with self._lenient("the run could not be closed"):  # the error itself is what the person must read
                super().on_pipeline_error(error, run_params, pipeline, catalog)

    def stop(self) -> None:
        """Close the run as KILLED, with the curves up to here."""
        for name in self._saved:
            self._flush(name, STOP_TIMEOUT_S)
        while mlflow.active_run():
            with self._lenient("the run could not be closed"):
                mlflow.end_run("KILLED")

    def _log_params(self, values: Mapping[str, str]) -> None:
        self._logged |= set(values)
        items = list(values.items())
        for first in range(0, len(items), MAX_PARAMS_TAGS_PER_BATCH):
            mlflow.log_params(dict(items[first : first + MAX_PARAMS_TAGS_PER_BATCH]))

    def _finish_saved(self) -> None:
        """Complete the run with what the nodes before have saved."""
        for name in self._saved:
            self._flush(name)
            if self._entries.wishes(name).get("artifact"):
                self._log_artifact(name)
            if self._entries.wishes(name).get("registered_name"):
                self._models.append(name)
        self._saved = {}

    def _flush(self, name: str, *timeout_s: float) -> None:
        if flush := getattr(self._catalog.get(name) if self._catalog else None, "flush", None):
            flush(*timeout_s)

    def _log_artifact(self, name: str) -> None:
        """Copy the file or folder of a dataset into the run, below a folder named after its layer."""
        path, layer = self._entries.path(name), self._entries.layer(name)
        with self._lenient(f"{name} stays at {path} but could not be copied"):
            if path and path.is_dir():
                mlflow.log_artifacts(str(path), f"{layer}/{name}")
            elif path and path.exists():
                mlflow.log_artifact(str(path), layer or None)

    def _register(self, name: str) -> None:
        """Make the model that a dataset has logged in this run a new version of its registered model.

        A card that stands from an earlier run describes another model.
        """
        wishes = self._entries.wishes(name)
        address, card = read_address(self._entries.path(name)), self._entries.path(str(wishes.get("card")))
        if address.get("run_id") != self.run_id:
            return
        with self._lenient(f"the model {wishes['registered_name']} could not be registered"):
            is_own = str(wishes.get("card")) in self._made
            text = card.read_text(encoding="utf-8") if is_own and card and card.exists() else ""
            register(str(wishes["registered_name"]), address, text)


def as_text(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters by dotted name, as MLflow takes them: allowed characters, bounded length."""
    return {
        re.sub(r"[^/\w.\- :]", "_", name): str(value)[:MAX_PARAM_VAL_LENGTH] for name, value in flat(parameters).items()
    }
