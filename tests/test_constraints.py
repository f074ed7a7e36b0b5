"""What is installed: floors and ceilings in pyproject.toml, tested versions in constraints.txt."""

import re
import tomllib
from importlib.metadata import version

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
STATED = [
    Requirement(each)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for each in group
    if not each.startswith("rovervision")
]


def constraints() -> dict[str, str]:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_constraints_are_names_and_versions_and_nothing_else() -> None:
    lines = [line for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9][a-z0-9-]*==[0-9][A-Za-z0-9.]*", line)] == []
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0])
    assert len(set(constraints())) == len(lines)


@pytest.mark.parametrize("stated", STATED, ids=str)
def test_the_tested_version_of_a_library_is_one_that_the_project_allows(stated: Requirement) -> None:
    tested = constraints()[canonicalize_name(stated.name)]
    assert stated.specifier.contains(tested), f"{stated} and {tested}; run .ci/constraints.py again"
    Version(tested)


def test_every_library_has_a_floor() -> None:
    without = [str(each) for each in STATED if not any(one.operator == ">=" for one in each.specifier)]
    assert [each for each in without if not each.startswith("types-")] == []


def test_every_ceiling_says_why() -> None:
    """A ceiling keeps people from newer releases; without a reason nobody knows when to lift it."""
    lines = (REPOSITORY / "pyproject.toml").read_text().splitlines()
    ceilings = [line for line in lines if re.match(r'\s+"[\w.\[\]-]+[^"]*<[^"]*",', line)]
    assert len(ceilings) > 5
    assert [line for line in ceilings if "#" not in line] == []


def test_the_checks_before_a_commit_are_installed_with_the_project() -> None:
    """They are local ones: the same versions as in .ci/run, and nothing fetched from elsewhere."""
    repos = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]
    assert [each["repo"] for each in repos] == ["local"]
    commands = {hook["entry"].split()[0] for hook in repos[0]["hooks"]}
    owners = {"ruff": "ruff", "mypy": "mypy", "lint-imports": "import-linter", "pytest": "pytest"}
    assert commands == set(owners)
    assert all(version(owner) for owner in owners.values())
