"""What a run is called, and which command and code made it."""

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rovervision import __version__
from rovervision.parameters import flat


def kinds_of(parameters: Mapping[str, Any], pipeline_names: list[str]) -> list[str]:
    """Return what `<pipeline>.<part>.kind` says in the parameters of the pipelines: which models the run makes.

    Runs that differ in these are what people compare, so they stand in the run's name.
    """
    is_whole = pipeline_names == ["__default__"]
    sections = {name: value for name, value in parameters.items() if is_whole or name in pipeline_names}
    models = re.compile(r"\w+\.(?!workers\.)\w+\.kind")  # who did the work makes no other model
    return [str(value) for name, value in flat(sections).items() if models.fullmatch(name)]


def run_name(pipeline_names: list[str], run_params: Mapping[str, Any], kinds: Sequence[str] = ()) -> str:
    """Return a name that the same command always gets: `colorization: residual`, `clustering (train)`."""
    names = "whole project" if pipeline_names == ["__default__"] else " + ".join(pipeline_names)
    names += f": {', '.join(kinds)}" if kinds else ""
    tags = ", ".join(sorted(run_params.get("tags") or ()))
    return f"{names} ({tags})" if tags else names


def provenance(project: Path, env: str | None) -> dict[str, str]:
    """Return tags that say which code made the run: version, command and, in a git checkout, the commit."""
    tags = {"version": __version__, "command": typed_command(sys.argv), "env": env or "local"}
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
