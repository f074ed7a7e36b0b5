"""What goes to the console and what to the log file."""

import copy
import logging
import os
from pathlib import Path
from typing import Any

import yaml
from kedro.framework.project import LOGGING

from rovervision.configuration import texts
from rovervision.hooks.catalog_entries import shown
from rovervision.runners import rank


def set_up_logging(conf_source: Path, root: Path) -> str | None:
    """Apply the project's `logging.yml`, wherever the command was typed; Kedro itself finds it in the root only.

    A configuration named by the variable KEDRO_LOGGING_CONFIG stays as it is.

    Args:
        conf_source: Folder or archive of the configuration.
        root: Folder that the log's path is relative to.

    Returns:
        The log file as a person reads it; None where there is no configuration, and so no log.
    """
    named = os.environ.get("KEDRO_LOGGING_CONFIG")
    text = next((text for path, text in texts(conf_source) if str(path) == "logging.yml"), None)
    if named:
        return "the log"
    if text is None:
        return None
    config = with_paths_below(yaml.safe_load(text), root)
    if rank() > 0:
        for handler in (each for each in config["handlers"].values() if "filename" in each):
            handler["filename"] = beside(handler["filename"], rank())
            handler["level"] = "WARNING"  # so that there is a file only where something was wrong
    LOGGING.configure(config)
    if rank() > 0:
        logging.getLogger("rovervision").setLevel(logging.WARNING)
    return next(
        (shown(Path(each["filename"])) for each in config["handlers"].values() if "filename" in each), "the log"
    )


def beside(filename: str, number: int) -> str:
    """Return the log of another process than the first: `rovervision.log` to `rovervision-rank1.log`."""
    path = Path(filename)
    return str(path.with_stem(f"{path.stem}-rank{number}"))


def with_paths_below(config: dict[str, Any], root: Path) -> dict[str, Any]:
    """Return a logging configuration whose files lie in the root; makes the folders that they need."""
    rooted = copy.deepcopy(config)
    for handler in rooted["handlers"].values():
        if "filename" in handler:
            path = root / handler["filename"]
            path.parent.mkdir(parents=True, exist_ok=True)
            handler["filename"] = str(path)
    return rooted
