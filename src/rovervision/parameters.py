"""What is wrong with a parameter, in sentences."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted names: `{"a": {"b": 1}}` becomes `{"a.b": 1}`. Models count as mappings."""
    named: dict[str, Any] = {}
    for key, value in values.items():
        inner = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        if isinstance(inner, Mapping) and inner:
            named |= flat(inner, f"{prefix}{key}.")
        else:
            named[f"{prefix}{key}"] = inner
    return named


def suggestion(name: str, valid: Iterable[str]) -> str:
    """Return a question with the nearest valid name, or the list of valid names when none is near."""
    names = sorted(valid)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]}?"
    return f"Known names: {', '.join(names)}." if names else ""


def unknown_keys(given: Mapping[str, Any], stored: Mapping[str, Any], runtime: Iterable[str]) -> list[str]:
    """Return a sentence for each name given on the command line that the configuration does not know.

    Args:
        given: Nested parameters from `--params`.
        stored: Nested parameters from the YAML files.
        runtime: Dotted names that the configuration reads from the command line only.
    """
    known = _with_sections(flat(stored)) | _with_sections(runtime)
    return [
        f"There is no parameter {name}. {suggestion(name, known - _sections(known))}".rstrip()
        for name in flat(given)
        if name not in known and not any(section in known - _sections(known) for section in _parents(name))
    ]


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _with_sections(names: Iterable[str]) -> set[str]:
    return {part for name in names for part in [name, *_parents(name)]}


def _sections(names: Iterable[str]) -> set[str]:
    return {parent for name in names for parent in _parents(name)}


DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
SEED_MAX = 2**63 - 1
"""The largest that both NumPy and torch take."""


def explain_shared(parameters: Mapping[str, Any]) -> list[str]:
    """Return a sentence for `device` and `seed`, which belong to no section, where a value is no such thing."""
    sentences = []
    device, seed = parameters.get("device", "auto"), parameters.get("seed", 0)
    if not (isinstance(device, str) and DEVICE.fullmatch(device)):
        sentences.append(
            f"Parameter device (given: {device!r}): allowed are auto, cpu, mps, cuda, or cuda:1 for the second."
        )
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= SEED_MAX:
        sentences.append(f"Parameter seed (given: {seed!r}): it must be a whole number from 0 to {SEED_MAX}.")
    return sentences


def explain_sections(parameters: Mapping[str, Any], types: Mapping[str, type]) -> list[str]:
    """Return a sentence for each value that its model refuses.

    Args:
        parameters: Nested parameters as the YAML files and the command line give them.
        types: Type of each parameter by dotted name; only pydantic models are looked at.
    """
    sentences = []
    for name, model in types.items():
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            continue
        try:
            model.model_validate(_at(parameters, name))
        except ValidationError as error:
            sentences += [_sentence(name, model, dict(detail)) for detail in _innermost(error.errors())]
    return sentences


def _innermost(details: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Leave out what is wrong with a list only because something in it is."""
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail, place in zip(details, places, strict=True)
        if not any(len(other) > len(place) and other[: len(place)] == place for other in places)
    ]


def _at(parameters: Mapping[str, Any], name: str) -> Any:
    value: Any = parameters
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _sentence(section: str, model: type[BaseModel], detail: dict[str, Any]) -> str:
    path = [str(part) for part in detail["loc"]]
    name = ".".join([section, *path])
    if detail["type"] == "extra_forbidden":
        owner = ".".join([section, *path[:-1]])
        valid = [f"{owner}.{field}" for field in _fields(model, detail["loc"][:-1])]
        return f"There is no parameter {name}. {suggestion(name, valid)}".rstrip()
    if detail["type"] == "missing":
        pipeline, _, _ = section.partition(".")
        return f"Parameter {name} has no value; it belongs in conf/base/parameters_{pipeline}.yml."
    message = detail["msg"].removeprefix("Value error, ")
    given = f" (given: {detail['input']!r})" if not isinstance(detail["input"], Mapping) else ""
    return f"Parameter {name}{given}: {message[:1].lower()}{message[1:]}."


def _fields(model: type[BaseModel], path: Iterable[str | int]) -> list[str]:
    """Names of the fields of the model that stands at a path inside another one; list positions are skipped."""
    here = model
    for part in path:
        field = here.model_fields.get(str(part))
        if field is None:
            continue
        inner = next(_models(field.annotation), None)
        if inner is None:
            return []
        here = inner
    return list(here.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
