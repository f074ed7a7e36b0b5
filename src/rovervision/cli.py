"""`kedro run`, with errors that are sentences."""

import errno
import logging
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from textwrap import shorten
from types import FrameType
from typing import Any

import click
import yaml
from filelock import Timeout
from kedro.config import MissingConfigException
from kedro.framework import project
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import KedroCliError
from kedro.io import DatasetError
from kedro.utils import find_kedro_project
from kedro.validation.exceptions import ParameterValidationError
from omegaconf.errors import OmegaConfBaseException

from rovervision.configuration import environments, yaml_faults
from rovervision.console import set_up_logging
from rovervision.errors import RovervisionError
from rovervision.hooks.tracking import end_stopped_run
from rovervision.parameters import suggestion
from rovervision.quiet import MlflowCommands, silence_kedro
from rovervision.runners import rank, runner_name

tracebacks = logging.getLogger("rovervision.traceback")
"""Goes to the log file only."""

PATH_PARAMETERS = (
    "apply.input", "apply.output", "film.output", "ingestion.archive", "similar.image", "similar.output",
)  # fmt: skip
"""Parameters that name a file or folder, which a person means relative to where the command is typed."""

KEDRO_REQUESTS = ("kedro.pipeline", "kedro.framework.session", "kedro.runner.runner")
"""Modules that refuse a request which cannot be served, such as a node or a tag that does not exist."""

NO_ROOM = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "Your quota is used up",
    errno.EROFS: "The disk is read-only",
}
"""What a full or locked disk answers, wherever in a run it is met."""

NO_RIGHT = (errno.EACCES, errno.EPERM, errno.ENOTDIR)
"""What a folder answers that may not be written or read, or that is a file."""

OBEYING_S = 60.0
"""So long after a SIGTERM another one tells nothing new."""

KNOWN_ERRORS = (ParameterValidationError, MissingConfigException, DatasetError, OmegaConfBaseException, KedroCliError)
"""Errors whose own text says what is wrong."""


HELP = """Run pipelines: ingestion, curation, clustering, colorization, diffusion; all of them where none is named.

\b
kedro run --pipelines ingestion,curation
kedro run --params seed=1,colorization.training.epochs=10
kedro run --pipelines colorization --tags train
kedro run --env folder --params ingestion.archive=DIR
kedro run --pipelines colorization --tags apply --params apply.input=DIR,apply.output=DIR

From the wheel, the command is `rovervision`, without the word `run`, and needs --conf-source. A name that does not
exist is answered with the nearest one that does. The same command goes on where an earlier run was stopped.
"""


class Stopped(BaseException):
    """The process was told to stop. Not an Exception, so that no node's own error handling swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run_politely(**options: Any) -> Any:
    """Run pipelines, and say in a sentence what stops them."""
    root = find_kedro_project(Path.cwd()) or Path.cwd()
    conf_source = Path(options.get("conf_source") or root / "conf")
    log_file = None
    silence_kedro()
    try:
        log_file = set_up_logging(conf_source, root)
        with stop_signals():
            try:
                return run_request(options, conf_source)
            except Stopped:
                end_stopped_run()
                raise
    except Stopped as stop:
        _say(
            f"Stopped by {signal.Signals(stop.number).name}. What was saved stays; the same command goes on from there."
        )
        raise click.exceptions.Exit(128 + stop.number) from None
    except (click.exceptions.Exit, click.Abort, click.UsageError):
        raise
    except Exception as error:
        if log_file:  # without the project's logging the traceback would land on the console
            tracebacks.error("The run failed.", exc_info=True)
        sentence = readable(error, conf_source)
        if sentence is None:
            raise
        _say(sentence)
        if log_file and not any(isinstance(each, RovervisionError) for each in _chain(error)):
            click.secho(f"(The whole traceback stands in {log_file}.)", dim=True, err=True)
        raise click.exceptions.Exit(1) from None


def run_request(options: dict[str, Any], conf_source: Path) -> Any:
    """Check what was asked for, then let Kedro run it.

    Args:
        options: The options of `kedro run` by name.
        conf_source: Folder or archive of the configuration.

    Returns:
        Kedro's own result: the datasets at the ends of the run, by name.
    """
    names = list(dict.fromkeys(options["pipelines"] or ([options["pipeline"]] if options["pipeline"] else [])))
    check_pipelines(names)
    check_environment(options["env"], conf_source)
    params = absolute_paths(options["params"] or {}, Path.cwd())
    tags = ("plan",) if is_dry_run(params) else options["tags"]
    check_use(names, tags)
    assert kedro_run.callback is not None
    runner = options["runner"] or runner_name()
    return kedro_run.callback(
        **{**options, "pipelines": names, "pipeline": None, "params": params, "tags": tags, "runner": runner}
    )


def is_dry_run(params: Mapping[str, Any]) -> bool:
    """Tell whether the command line asks for ingestion's plan alone: the nodes tagged `plan`."""
    section = params.get("ingestion")
    return isinstance(section, Mapping) and section.get("dry_run") is True


def check_pipelines(names: list[str]) -> None:
    """Refuse a name that is no pipeline.

    Raises:
        RovervisionError: The name, and what it might have meant.
    """
    folder = files(f"{project.PACKAGE_NAME}.pipelines")
    known = sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith(("_", ".")))
    for name in names:
        if name not in [*known, "__default__"]:
            raise RovervisionError(f"There is no pipeline {name}. {suggestion(name, known)}")


def check_use(names: list[str], tags: Iterable[str]) -> None:
    """Refuse to apply the models of several pipelines at once: `apply.output` means something else to each.

    Raises:
        RovervisionError: What to add.
    """
    if "apply" in tags and (len(names) != 1 or names == ["__default__"]):
        raise RovervisionError(
            "Say whose model is to be applied: add --pipelines colorization, --pipelines clustering or "
            "--pipelines diffusion to --tags apply."
        )


def check_environment(name: str | None, conf_source: Path) -> None:
    """Refuse an environment, or a place of configuration, that is not there.

    Raises:
        RovervisionError: What is missing, and what there is.
    """
    known = environments(conf_source)
    if "base" not in known:
        raise RovervisionError(
            f"There is no configuration at {conf_source}. Go to the project's folder, "
            "or name the archive: --conf-source=conf-rovervision.tar.gz"
        )
    if name is None and conf_source.is_dir():
        (conf_source / "local").mkdir(exist_ok=True)  # Kedro insists on it; copies of a project lose empty folders
    elif name is not None and name not in known:
        raise RovervisionError(f"There is no environment {name} in {conf_source}. {suggestion(name, known)}")


def absolute_paths(params: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return nested parameters in which every path that a person typed is absolute.

    Args:
        params: Nested parameters of the command line.
        folder: Where relative paths start: the folder in which the command was typed, not the project's root.
    """
    return _absolute(params, folder, "")


def _absolute(params: Mapping[str, Any], folder: Path, prefix: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in params.items():
        if isinstance(value, Mapping):
            made[key] = _absolute(value, folder, f"{prefix}{key}.")
        elif prefix + key in PATH_PARAMETERS and value is not None and "://" not in str(value):
            made[key] = str((folder / Path(str(value)).expanduser()).resolve())
        else:
            made[key] = value
    return made


@contextmanager
def stop_signals() -> Iterator[None]:
    """Turn SIGTERM (a scheduler's stop) and SIGINT (Ctrl-C) into `Stopped` while the block runs.

    The run that it stops is closed within; SIGTERM cannot cut that short, a second Ctrl-C can.

    Only the main thread can; elsewhere the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    told_s: list[float] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM:
            now_s = time.monotonic()
            # Slurm tells twice, and the first time is being obeyed. Much later it must have been lost
            if told_s and now_s - told_s[0] < OBEYING_S:
                return
            told_s[:] = [now_s]
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            is_told = number == signal.SIGTERM and bool(told_s)  # this process ends, and says with what exit code
            signal.signal(number, signal.SIG_IGN if is_told else handler)


def readable(error: BaseException, conf_source: Path | None = None) -> str | None:
    """Return the sentence that a person needs, or None when the error is a defect whose traceback is the message.

    Args:
        error: What ended the run.
        conf_source: Folder or archive of the configuration, in which a file that is no YAML is looked for.
    """
    for each in _chain(error):
        if sentence := _known_sentence(each):
            return sentence
    if isinstance(error, yaml.YAMLError):
        return "\n".join(yaml_faults(conf_source) if conf_source else ()) or str(error)
    if isinstance(error, KNOWN_ERRORS) or _raised_in(error).startswith(KEDRO_REQUESTS):
        return str(error)
    return None


def _known_sentence(error: BaseException) -> str | None:
    """Return the sentence for an error that says the same however deep it lies."""
    if isinstance(error, RovervisionError):
        return str(error)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        where = f" at {os.fspath(error.filename)}" if isinstance(error.filename, str | os.PathLike) else ""
        return (
            f"{NO_ROOM[error.errno]}{where}. What was saved stays: make room, or set data_root to another disk in "
            "conf/<environment>/globals.yml, and give the same command again."
        )
    if isinstance(error, OSError) and error.errno in NO_RIGHT:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return (
            f"This machine refuses a file or folder. {what}. Give yourself the right to it, or set data_root to "
            "another folder in conf/<environment>/globals.yml, and give the same command again."
        )
    if isinstance(error, Timeout):
        return (
            f"Another run holds {error.lock_file}. Wait until it has ended, or delete that file if no run is at "
            "work, and give the same command again."
        )
    is_of_mlflow = type(error).__module__ == "mlflow.exceptions"  # told without importing it
    return _mlflow_sentence(error) if is_of_mlflow else None


def _mlflow_sentence(error: BaseException) -> str:
    import mlflow

    reason = shorten(str(error), 300, placeholder=" ...")
    return (
        f"MLflow at {mlflow.get_tracking_uri()} cannot be used: {reason}\nStart that server, or set "
        "MLFLOW_TRACKING_URI to one that answers; without it, the runs are kept in mlflow.db in the project."
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _raised_in(error: BaseException) -> str:
    """Name of the module that raised an error."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals.get("__name__", "")) if trace else ""


def _say(sentence: str) -> None:
    if rank() > 0:  # the first process speaks for all; what only another one meets stands in its log
        tracebacks.error(sentence)
        return
    click.secho(f"\n{sentence}", fg="red", err=True)


@click.group(name="rovervision")
def cli() -> None:
    """Commands of this project."""


cli.add_command(MlflowCommands(name="mlflow", help="Commands of kedro-mlflow."))

run = click.Command(
    name="run",
    params=kedro_run.params,
    callback=run_politely,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli.add_command(run)
