"""What made a page: command, code, parameters and data of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rovervision.parameters import flat


@dataclass(frozen=True)
class Difference:
    """A parameter that is not what the base says."""

    name: str
    base: str
    here: str


@dataclass(frozen=True)
class Hash:
    """By what data or weights are known again."""

    name: str
    what: str
    value: str


@dataclass(frozen=True)
class RunFacts:
    """All that is needed to make a run again, and to tell whether one has."""

    name: str
    command: str
    env: str
    finished_utc: str
    """As `2026-11-20 18:42`."""
    elapsed: str
    version: str
    commit: str = ""
    is_changed: bool = False
    """True where files differed from the commit."""
    software: Mapping[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    parameters: Mapping[str, str] = field(default_factory=dict)
    hashes: list[Hash] = field(default_factory=list)
    tracking: str = ""
    """The command that shows the run in MLflow."""


def as_shown(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return nested parameters by dotted name, as text."""
    return {name: shown(value) for name, value in sorted(flat(parameters).items())}


def differences(base: Mapping[str, Any], here: Mapping[str, Any]) -> list[Difference]:
    """Return what differs between nested parameters, by name; a name that one of them lacks has a dash there."""
    before, now = as_shown(base), as_shown(here)
    names = [name for name in sorted(before | now) if before.get(name) != now.get(name)]
    return [Difference(name, before.get(name, "–"), now.get(name, "–")) for name in names]


def shown(value: Any) -> str:
    """Return a value as YAML would have it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
