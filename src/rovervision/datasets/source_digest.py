"""Telling one version of the code from another by its source text."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from rovervision.errors import RovervisionError
from rovervision.imaging.shard_plan import digest_of


def digest_of_source(names: tuple[str, ...]) -> str:
    """Return a digest of the source text of modules, and of all modules of packages."""
    return digest_of(*(text for name in names for text in _sources(name)))


def _sources(name: str) -> Iterator[str]:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise RovervisionError(f"There is no module {name} whose code could be told from another version's.")
    if spec.submodule_search_locations is None:
        yield Path(spec.origin).read_text(encoding="utf-8")
        return
    for each in sorted(_python_files(files(name)), key=str):
        yield each.read_text(encoding="utf-8")


def _python_files(folder: Traversable) -> Iterator[Traversable]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _python_files(each)
        elif each.name.endswith(".py"):
            yield each
