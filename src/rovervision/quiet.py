"""Noise that no user of this project can act on, silenced where it arises; imports that a command does not need."""

import os
import sys
import tomllib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click


def silence_kedro() -> None:
    """Let Kedro not say with each run that previews of nodes are experimental."""
    warnings.filterwarnings("ignore", message=".*is experimental and may change in future Kedro", category=UserWarning)


def silence_mlflow() -> None:
    """Import MLflow and kedro-mlflow, quietly: our logging, and no progress bar for each small file that is copied."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # the closing message has the address
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")  # logging.yml has been read already
    with warnings.catch_warnings(record=True) as caught:  # a filter would not do: MLflow puts its own before it
        import kedro_mlflow.mlflow  # noqa: F401
    for each in caught:
        # MLflow says this of a class inside kedro-mlflow, on every command
        if "Add type hints to the `predict` method" not in str(each.message):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def before_kedro_loads_plugins() -> None:
    """Prepare `kedro` commands, whose plugins load before any module of the project (entry point `kedro.init`).

    Kedro puts the project's own source first on the path only after this, so nothing of an installed copy may stay.
    """
    from kedro.utils import find_kedro_project

    silence_kedro()
    project = find_kedro_project(Path.cwd())
    if project and wants_mlflow_commands(sys.argv[1:], project):
        silence_mlflow()
    elif project:
        leave_mlflow_commands_out()
    for name in [name for name in sys.modules if name.partition(".")[0] == "rovervision"]:
        del sys.modules[name]


def wants_mlflow_commands(words: Sequence[str], project: Path) -> bool:
    """Tell whether a command line needs the commands of kedro-mlflow, whose import takes most of a short run's time.

    Args:
        words: What stands behind `kedro`.
        project: Root of the project in which it is typed. The list of all commands has them, except in this project,
            which names `kedro mlflow` itself.
    """
    if words and not words[0].startswith("-"):
        return words[0] == "mlflow"
    stated = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    return stated.get("tool", {}).get("kedro", {}).get("package_name") != "rovervision"


def leave_mlflow_commands_out() -> None:
    """Keep Kedro from importing the commands of kedro-mlflow with those of all plugins.

    Kedro has no setting for it. Should its inner function get another name, commands start slower, and nothing else.
    """
    from kedro.framework.cli import utils

    load = getattr(utils, "_safe_load_entry_point", None)
    if load is None:
        return

    def load_others(entry_point: Any) -> Any:
        return None if entry_point.module.startswith("kedro_mlflow.") else load(entry_point)

    utils._safe_load_entry_point = load_others


class MlflowCommands(click.Group):
    """The commands of kedro-mlflow, imported when one of them is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return their names."""
        return self._imported().list_commands(context)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return one of them."""
        return self._imported().get_command(context, name)

    def _imported(self) -> click.Group:
        from kedro_mlflow.framework.cli.cli import mlflow_commands

        return mlflow_commands
