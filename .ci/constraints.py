"""Print the versions of everything that rovervision needs, as they are installed here: the text of constraints.txt.

python .ci/constraints.py > constraints.txt        in an environment in which all tests pass
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLLOWERS = re.compile(r"nvidia-|cuda-|triton$")
"""Libraries for GPUs, whose versions torch itself states; a build of torch for CPUs has none of them."""

HEAD = """\
# Versions with which all tests pass, on Linux with Python {python}. Optional: pip install -c constraints.txt -e .
# Made by .ci/constraints.py; which versions the code can do with at all stands in pyproject.toml.
"""


def needed(root: str) -> dict[str, str]:
    """Return name → installed version of all that a requirement needs, itself aside, directly or not.

    A distribution that is needed on other systems only, or not installed, is left out.
    """
    versions: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(root)]
    while waiting:
        asked = waiting.pop()
        name = canonicalize_name(asked.name)
        for extra in ("", *asked.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += requirements(name, extra)
        if name != canonicalize_name(Requirement(root).name) and (version := installed(name)):
            versions[name] = version
    return {name: versions[name] for name in sorted(versions) if not FOLLOWERS.match(name)}


def requirements(name: str, extra: str) -> Iterator[Requirement]:
    """Yield what a distribution needs here, with one of its extras or, for an empty text, without any."""
    try:
        stated = distribution(name).requires or []
    except PackageNotFoundError:
        return
    environment = {**default_environment(), "extra": extra}
    for each in map(Requirement, stated):
        if each.marker is None or each.marker.evaluate(environment):
            yield each


def installed(name: str) -> str | None:
    """Return the version that is installed, without a build's own suffix, such as torch's +cpu."""
    try:
        return distribution(name).version.partition("+")[0]
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    lines = [f"{name}=={version}\n" for name, version in needed("rovervision[dev]").items()]
    sys.stdout.write(HEAD.format(python=".".join(map(str, sys.version_info[:2]))) + "".join(lines))
