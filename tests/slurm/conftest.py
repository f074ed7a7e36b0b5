"""A Slurm of this session, and a desk beside it on which wheel, configuration and tiles lie."""

import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import Slurm, missing, running
from tests.slurm.jobs import Desk
from tests.test_run import project_copy
from tests.test_wheel import build_wheel, pack_configuration


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start no Slurm unless somebody asks for it: `pytest -m slurm`."""
    if "slurm" in (config.option.markexpr or ""):
        return
    left = [item for item in items if item.get_closest_marker("slurm")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not item.get_closest_marker("slurm")]


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    if reason := missing():
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # a short path: munge's socket has at most 107 characters
    folder.chmod(0o755)  # munge serves everybody, so everybody must get to its socket
    try:
        with running(folder / "slurm") as each:
            yield each
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `dist` as `kedro package` leaves it."""
    project = project_copy(tmp_path_factory.mktemp("package"))
    build_wheel(project)
    return pack_configuration(project).parent


def lay_out(folder: Path, package: Path, slurm: Slurm) -> Desk:
    """Put wheel and configuration into a folder.

    The jobs make their environment of the wheel alone, without what it needs: PYTHONPATH shows them the libraries of
    this session, so that no test downloads gigabytes. The checkout is not seen: it stands in a `.pth` file there.
    """
    for path in package.iterdir():
        shutil.copy(path, folder)
    return Desk(
        slurm,
        folder,
        {
            "ROVERVISION_PYTHON": sys.executable,
            "PYTHONPATH": sysconfig.get_path("purelib"),
            "PIP_NO_DEPS": "1",
            "PIP_FORCE_REINSTALL": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "OMP_NUM_THREADS": "1",
        },
    )


@pytest.fixture(scope="session")
def desk(slurm: Slurm, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with tiles in `data`, made by a job."""
    made = lay_out(tmp_path_factory.mktemp("desk"), package, slurm)
    job = made.curate()
    assert job.end() == "COMPLETED", job.said()
    return made


@pytest.fixture
def empty_desk(slurm: Slurm, package: Path, tmp_path: Path) -> Desk:
    """A desk on which nothing has run, not even the environment is there."""
    return lay_out(tmp_path, package, slurm)
