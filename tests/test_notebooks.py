"""The notebooks: kept without outputs, short, and executed on a small sample."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from tests.sample_project import sample_project
from tests.shell.conftest import REPOSITORY, quiet_environment
from tests.test_conventions import PIPELINE_NAMES

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
LOADED = re.compile(r'catalog\.load\("([^"]+)"\)')

FORGET = "get_ipython().reset(); get_ipython().extension_manager.loaded.clear()"
"""Makes a kernel that has run one notebook as good as new for the next, but for the libraries that it has imported."""


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_of(path: Path) -> str:
    """The Python of a notebook, without what only IPython understands."""
    cells = [cell.source for cell in read(path).cells if cell.cell_type == "code"]
    return re.sub(r"^%.*$", "", "\n".join(cells), flags=re.MULTILINE)


def test_every_pipeline_has_a_notebook() -> None:
    assert sorted(path.stem.partition("_")[2] for path in NOTEBOOKS) == PIPELINE_NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_says_how_to_open_it(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    left = [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]
    assert left == []
    assert all(not cell.metadata for cell in notebook.cells)
    assert "kedro jupyter lab" in notebook.cells[0].source
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_loads_looks_and_varies_and_defines_nothing(path: Path) -> None:
    tree = ast.parse(code_of(path))
    assert [each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.ClassDef)] == []
    assert LOADED.findall(code_of(path))
    headings = re.findall(r"^## (.*)$", "\n".join(cell.source for cell in read(path).cells), re.MULTILINE)
    assert headings == ["Load", "Look", "Vary one parameter"]
    assert len(code_of(path).splitlines()) < 100


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = sample_project(tmp_path_factory)
    (folder / "notebooks").mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def kernel(project: Path) -> Iterator[KernelManager]:
    """A kernel in the folder of the notebooks, for all of them: most of the time of one goes into imports."""
    manager = KernelManager(kernel_name="python3")
    variables = quiet_environment(PYTHONPATH=str(project / "src"), OMP_NUM_THREADS="1", PYTHONWARNINGS="ignore")
    manager.start_kernel(cwd=str(project / "notebooks"), env=variables)
    yield manager
    manager.shutdown_kernel(now=True)


def execute(notebook: NotebookNode, kernel: KernelManager) -> NotebookNode:
    notebook.cells.insert(0, nbformat.v4.new_code_cell(FORGET))
    return NotebookClient(notebook, km=kernel, timeout=200, iopub_timeout=60).execute()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom_and_draws(path: Path, kernel: KernelManager) -> None:
    executed = execute(read(path), kernel)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= 2
    assert [output["text"] for output in outputs if output.output_type == "stream"] == [], "it says nothing but results"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_notebook_that_fails_or_leans_on_another_would_be_noticed(kernel: KernelManager) -> None:
    for source in ("1 / 0", "catalog"):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        with pytest.raises(CellExecutionError):
            execute(notebook, kernel)
