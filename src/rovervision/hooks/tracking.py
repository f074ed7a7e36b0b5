"""MLflow: one run for each Kedro run that learns something."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH, MAX_PARAMS_TAGS_PER_BATCH

from rovervision import __version__
from rovervision.context import project_path
from rovervision.datasets.lenient import Lenient
from rovervision.hooks.catalog_entries import CatalogEntries
from rovervision.hooks.sqlite_store import PREFIX, first_use, sqlite_path
from rovervision.parameters import flat
from rovervision.quiet import silence_known_warnings

silence_known_warnings()  # before the modules that warn

from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig  # noqa: E402
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook  # noqa: E402

TAGS_OF_USE = frozenset({"apply", "film", "truth", "truth_scores", "export", "plan", "similar"})
"""Tags of nodes that use what was learnt, or learn nothing: a run of these alone is none to compare."""


class TrackingHooks(MlflowHook):
    """kedro-mlflow's hook, with these differences.

    - The store is opened when a tracked run begins, under a lock, so that untracked runs are quick and concurrent first
      runs are safe.
    - Typed parameters are logged field by field.
    - Datasets marked `metadata: {mlflow: {artifact: true}}` are logged as artifacts once their node is done, and the
      numbers of those marked `metadata: {mlflow: {metrics: true, prefix: scores}}` as metrics `scores.<name>`.
    - The catalog stays lazy: a dataset that the run does not touch is not built.

    A dataset may have a method `fingerprint() -> str`, whose value is kept as the tag `data.<name>` when it is loaded,
    and a method `flush()`, which is called once after its node is done.

    MLflow must answer when a run begins; if it fails later, a warning says so and the run goes on.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_mlflow_enabled = False
        self._context: KedroContext | None = None
        self._catalog: CatalogProtocol | None = None
        self._entries = CatalogEntries()
        self._logged: set[str] = set()
        self._saved: dict[str, None] = {}
        self._lenient = Lenient()

    @property
    def tracking_uri(self) -> str | None:
        """Where MLflow holds the run; None when the run is not tracked."""
        return self.mlflow_config.server.mlflow_tracking_uri if self._is_mlflow_enabled else None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Read `mlflow.yml` without opening the store."""
        self._context = context
        self.mlflow_config = read_config(context)
        context.__setattr__("mlflow", self.mlflow_config)

    @hook_impl
    def after_catalog_created(self, catalog: CatalogProtocol, conf_catalog: Mapping[str, Any]) -> None:
        """Remember which datasets are artifacts."""
        self._catalog = catalog
        self._entries = CatalogEntries(conf_catalog)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Start an MLflow run, unless every requested pipeline is one that learns nothing."""
        assert self._context is not None
        names = sorted(run_params["pipeline_names"] or ["__default__"])
        untracked = set(self.mlflow_config.tracking.disable_tracking.pipelines)
        tags = set(run_params["tags"] or ())
        learns = not tags or bool(tags - TAGS_OF_USE)
        self._is_mlflow_enabled = learns and not set(names) <= untracked
        self.run_id, self._logged, self._saved, self._lenient = None, set(), {}, Lenient()
        if not self._is_mlflow_enabled:
            return
        with first_use(self.mlflow_config.server.mlflow_tracking_uri):
            super().after_context_created(self._context)
        learnt = {name: value for name, value in self._context.params.items() if name not in untracked}
        self.mlflow_config.tracking.run.name = self.mlflow_config.tracking.run.name or run_name(
            names, run_params, kinds_of(learnt, names)
        )
        super().before_pipeline_run({**run_params, "pipeline_names": names}, pipeline, catalog)
        mlflow.set_tags(provenance(self._context.project_path, self._context.env))

    @hook_impl
    def before_node_run(self, node: Node, catalog: CatalogProtocol, inputs: dict[str, Any], is_async: bool) -> None:
        """Log the node's parameters, one MLflow parameter for each field."""
        if self.run_id is None:
            return
        if mlflow.active_run() is None:  # a thread of ThreadRunner does not know the run yet
            with self._lenient("the run could not be joined"):
                mlflow.start_run(run_id=self.run_id)
        self._finish_saved()
        given = {name.removeprefix("params:"): value for name, value in inputs.items() if name.startswith("params:")}
        with self._lenient(f"the parameters of {node.name} could not be logged"):
            self._log_params({name: value for name, value in as_text(given).items() if name not in self._logged})

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str) -> None:
        """Tag the run with the fingerprint of the data that it reads."""
        if self.run_id is None or self._catalog is None or dataset_name.startswith("params:"):
            return
        fingerprint = getattr(self._catalog.get(dataset_name), "fingerprint", None)
        if fingerprint and (tag := f"data.{dataset_name}") not in self._logged:
            self._logged.add(tag)
            value = fingerprint()
            with self._lenient(f"the tag {tag} could not be set"):
                mlflow.set_tag(tag, value)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log numbers, and note the rest: a node that saves many times has its files logged once, when it is done."""
        wishes = self._entries.wishes(dataset_name)
        if self.run_id is None:
            return
        self._saved[dataset_name] = None
        if wishes.get("metrics"):
            numbers = {name: value for name, value in flat(data).items() if isinstance(value, int | float)}
            with self._lenient(f"the numbers of {dataset_name} could not be logged"):
                mlflow.log_metrics(
                    {f"{wishes.get('prefix', dataset_name)}.{name}": float(numbers[name]) for name in numbers}
                )

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Close the run as FINISHED."""
        if self.run_id is not None:
            self._finish_saved()
            with self._lenient("the run could not be closed"):
                super().after_pipeline_run(run_params, pipeline, catalog)

    @hook_impl
    def on_pipeline_error(
        self, error: Exception, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Close the run as FAILED, with what was made before."""
        if self.run_id is not None and mlflow.active_run():
            self._finish_saved()
            with self._lenient("the run could not be closed"):  # the error itself is what the person must read
                super().on_pipeline_error(error, run_params, pipeline, catalog)

    def _log_params(self, values: Mapping[str, str]) -> None:
        self._logged |= set(values)
        items = list(values.items())
        for first in range(0, len(items), MAX_PARAMS_TAGS_PER_BATCH):
            mlflow.log_params(dict(items[first : first + MAX_PARAMS_TAGS_PER_BATCH]))

    def _finish_saved(self) -> None:
        """Complete the run with what the nodes before have saved."""
        for name in self._saved:
            if flush := getattr(self._catalog.get(name) if self._catalog else None, "flush", None):
                flush()
            if self._entries.wishes(name).get("artifact"):
                self._log_artifact(name)
        self._saved = {}

    def _log_artifact(self, name: str) -> None:
        """Copy the file or folder of a dataset into the run, below a folder named after its layer."""
        path, layer = self._entries.path(name), self._entries.layer(name)
        with self._lenient(f"{name} stays at {path} but could not be copied"):
            if path and path.is_dir():
                mlflow.log_artifacts(str(path), f"{layer}/{name}")
            elif path and path.exists():
                mlflow.log_artifact(str(path), layer or None)


def read_config(context: KedroContext) -> KedroMlflowConfig:
    """Return the settings of `mlflow.yml`; a configuration without that file gets a SQLite store in the root."""
    try:
        stored = context.config_loader["mlflow"]
    except MissingConfigException:
        stored = {}
    server = {**(stored.get("server") or {})}
    server["mlflow_tracking_uri"] = (
        server.get("mlflow_tracking_uri")
        or os.environ.get("MLFLOW_TRACKING_URI")
        or f"{PREFIX}{project_path('mlflow.db', context.project_path)}"
    )
    config = {**stored, "server": server}
    if sqlite_path(server["mlflow_tracking_uri"]) is None:
        # a server knows best where its artifacts go
        create = config.get("tracking", {}).get("experiment", {}).get("create_experiment_kwargs", {})
        create.pop("artifact_location", None)
    context.config_loader["mlflow"] = config  # kedro-mlflow reads it again when the run starts
    return KedroMlflowConfig.model_validate(config)


def kinds_of(parameters: Mapping[str, Any], pipeline_names: list[str]) -> list[str]:
    """Return what `<pipeline>.<part>.kind` says in the parameters of the pipelines: which models the run makes.

    Runs that differ in these are what people compare, so they stand in the run's name.
    """
    is_whole = pipeline_names == ["__default__"]
    sections = {name: value for name, value in parameters.items() if is_whole or name in pipeline_names}
    return [str(value) for name, value in flat(sections).items() if re.fullmatch(r"\w+\.\w+\.kind", name)]


def run_name(pipeline_names: list[str], run_params: Mapping[str, Any], kinds: Sequence[str] = ()) -> str:
    """Return a name that the same command always gets: `colorization: residual`, `clustering (train)`."""
    names = "whole project" if pipeline_names == ["__default__"] else " + ".join(pipeline_names)
    names += f": {', '.join(kinds)}" if kinds else ""
    tags = ", ".join(sorted(run_params.get("tags") or ()))
    return f"{names} ({tags})" if tags else names


def as_text(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters by dotted name, as MLflow takes them: allowed characters, bounded length."""
    return {
        re.sub(r"[^/\w.\- :]", "_", name): str(value)[:MAX_PARAM_VAL_LENGTH] for name, value in flat(parameters).items()
    }


def provenance(project: Path, env: str | None) -> dict[str, str]:
    """Return tags that say which code made the run: version, command and, in a git checkout, the commit."""
    tags = {
        "version": __version__,
        "command": typed_command(sys.argv)[:MAX_PARAM_VAL_LENGTH],
        "env": env or "local",
    }
    commit = _git(project, "rev-parse", "HEAD") if (project / ".git").exists() else ""
    if commit:
        changed = bool(_git(project, "status", "--porcelain", "--untracked-files=no"))
        tags |= {"git_commit": commit, "git_changed": str(changed).lower()}
    return tags


def typed_command(words: list[str]) -> str:
    """Return a command line as it was typed: `kedro run --pipelines colorization`, without the program's folder."""
    program = words[0] if words[0].startswith("python -m") else Path(words[0]).name
    return " ".join([program, *map(shlex.quote, words[1:])])


def _git(folder: Path, *words: str) -> str:
    """Return what git prints, or nothing when there is no git or it cannot tell."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()


def end_stopped_run() -> None:
    """Close what a signal left open, as KILLED; without this MLflow would call it FINISHED at exit."""
    while mlflow.active_run():
        with Lenient()("the run could not be closed"):
            mlflow.end_run("KILLED")
