"""Where data lie is told by two variables, in every environment alike."""

from pathlib import Path

import pytest

from tests.test_conventions import ENVIRONMENTS, loader, registered

MAKERS = ("ingestion", "curation")
"""The pipelines whose data the others read."""


def places(environment: str) -> dict[str, str]:
    """File of each dataset by its name without the part after `@`; what only `--params` places is left out."""
    entries = loader(environment)["catalog"]
    return {name.partition("@")[0]: entry["filepath"] for name, entry in entries.items() if entry.get("filepath")}


def made_by(*names: str) -> set[str]:
    return {output.partition("@")[0] for name in names for output in registered()[name].all_outputs()}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_several_models_may_read_one_set_of_tiles(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROVERVISION_DATA", "/mine")
    monkeypatch.setenv("ROVERVISION_CURATED", "/shared")
    found = places(environment)
    curated = {name for name, place in found.items() if place.startswith("/shared")}
    mine = {name for name, place in found.items() if place.startswith("/mine")}
    learners = [name for name in registered() if name not in (*MAKERS, "__default__")]
    assert made_by(*MAKERS) & set(found) <= curated
    assert made_by(*learners) & set(found) <= mine
    assert all(place.startswith(("/mine", "/shared")) for place in found.values()), "neither variable moves it"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_one_variable_moves_all_data(environment: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ROVERVISION_CURATED", raising=False)
    monkeypatch.setenv("ROVERVISION_DATA", str(tmp_path))
    assert {place for place in places(environment).values() if not place.startswith(str(tmp_path))} == set()


def test_without_them_data_lie_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROVERVISION_DATA", "ROVERVISION_CURATED"):
        monkeypatch.delenv(name, raising=False)
    roots = {name: loader(name)["globals"] for name in ENVIRONMENTS}
    assert {name: (each["data_root"], each["curated_root"]) for name, each in roots.items()} == {
        name: (place, place) for name in ENVIRONMENTS for place in ["data" if name == "base" else f"data/{name}"]
    }
