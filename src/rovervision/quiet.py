"""Noise that no user of this project can act on, silenced where it arises."""

import os
import sys
import warnings
from pathlib import Path


def silence_known_warnings() -> None:
    """Load the noisy modules once, quietly; and no progress bar for each small file that MLflow copies."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    with warnings.catch_warnings(record=True) as caught:  # a filter would not do: MLflow puts its own before it
        import kedro_mlflow.mlflow  # noqa: F401
    for each in caught:
        # MLflow says this of a class inside kedro-mlflow, on every command
        if "Add type hints to the `predict` method" not in str(each.message):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    warnings.filterwarnings("ignore", message=".*is experimental and may change in future Kedro", category=UserWarning)


def before_kedro_loads_plugins() -> None:
    """Do the same for `kedro` commands, whose plugins load before any module of the project (entry point `kedro.init`).

    Kedro puts the project's own source first on the path only after this, so nothing of an installed copy may stay.
    """
    from kedro.utils import find_kedro_project

    if find_kedro_project(Path.cwd()):
        silence_known_warnings()
    for name in [name for name in sys.modules if name.partition(".")[0] == "rovervision"]:
        del sys.modules[name]
