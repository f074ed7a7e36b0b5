"""The project's context: where its root is, and what to say when a parameter is wrong."""

import os
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.utils import find_kedro_project
from kedro.validation.exceptions import ParameterValidationError
from kedro.validation.type_extractor import TypeExtractor
from omegaconf import OmegaConf

from rovervision.configuration import runtime_keys
from rovervision.errors import RovervisionError
from rovervision.parameters import explain_sections, explain_shared, unknown_keys

if TYPE_CHECKING:
    from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig

SQLITE_PREFIX = "sqlite:///"
"""How the address of a store begins that is a file."""


def project_path(relative: str, root: Path | None = None) -> str:
    """Return a path inside the project as an absolute one, so that no file depends on where a command was typed.

    Args:
        relative: Path from the root.
        root: The root; when None, the nearest project folder upwards, or the working folder where there is none.
    """
    return str((root or find_kedro_project(Path.cwd()) or Path.cwd()) / relative)


def mlflow_config(context: KedroContext) -> dict[str, Any]:
    """Return what `mlflow.yml` says; a configuration without that file gets a SQLite store in the root."""
    try:
        stored = context.config_loader["mlflow"]
    except MissingConfigException:
        stored = {}
    server = {**(stored.get("server") or {})}
    server["mlflow_tracking_uri"] = (
        server.get("mlflow_tracking_uri")
        or os.environ.get("MLFLOW_TRACKING_URI")
        or f"{SQLITE_PREFIX}{project_path('mlflow.db', context.project_path)}"
    )
    config = {**stored, "server": server}
    if not server["mlflow_tracking_uri"].startswith(SQLITE_PREFIX):
        # a server knows best where its artifacts go
        create = config.get("tracking", {}).get("experiment", {}).get("create_experiment_kwargs", {})
        create.pop("artifact_location", None)
    return config


class ProjectContext(KedroContext):
    """Kedro's context that resolves `${project_path:...}` from its own root and explains wrong parameters."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        OmegaConf.register_new_resolver("project_path", partial(project_path, root=self.project_path), replace=True)

    @cached_property
    def mlflow(self) -> "KedroMlflowConfig":
        """Where MLflow is and what it keeps, as kedro-mlflow understands it; asking imports MLflow."""
        from rovervision.quiet import silence_mlflow

        silence_mlflow()
        from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig

        config = mlflow_config(self)
        self.config_loader["mlflow"] = config  # kedro-mlflow reads it again when the run starts
        return KedroMlflowConfig.model_validate(config)

    @property
    def params(self) -> dict[str, Any]:
        """Parameters, with their sections as the types that the nodes ask for.

        Raises:
            RovervisionError: One sentence for each parameter that is unknown or out of its range.
        """
        types = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
        self._refuse_unknown_keys(types)
        if sentences := explain_shared(self.config_loader["parameters"]):
            raise RovervisionError("\n".join(sentences))
        try:
            return super().params
        except ParameterValidationError as error:
            sentences = explain_sections(self.config_loader["parameters"], types)
            raise RovervisionError("\n".join(sentences) or str(error)) from error

    def _refuse_unknown_keys(self, types: Mapping[str, type]) -> None:
        given = {name: value for name, value in (self.config_loader.runtime_params or {}).items() if name not in types}
        if not given:
            return
        sentences = unknown_keys(given, self._stored_parameters(), runtime_keys(Path(self.config_loader.conf_source)))
        if sentences:
            raise RovervisionError("\n".join(sentences))

    def _stored_parameters(self) -> dict[str, Any]:
        """What stands in the YAML files alone, without `--params`."""
        from kedro.framework.project import settings

        loader = self.config_loader
        alone = type(loader)(conf_source=loader.conf_source, env=loader.env, **settings.CONFIG_LOADER_ARGS)
        return dict(alone["parameters"])
