"""The laws of the house, held by a machine."""

import ast
import re
import shutil
import statistics
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project, pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "src" / "rovervision"
PIPELINE_NAMES = sorted(path.parent.name for path in (SOURCE / "pipelines").glob("*/pipeline.py"))
ENVIRONMENTS = sorted(path.name for path in (REPOSITORY / "conf").iterdir() if path.is_dir() and path.name != "local")

LAYERS = {
    "raw",
    "intermediate",
    "primary",
    "feature",
    "model_input",
    "models",
    "model_output",
    "reporting",
}
QUANTITIES = re.compile(
    r"(^|_)(width|height|side|size|length|radius|distance|margin|overlap|timeout|delay|pause|interval|duration|angle)(_|$)"
)
UNITS = re.compile(r"_(px|s|ms|deg|m|km|sols|frac|mib|bytes|bits|tiles|frames|images|epochs|steps)(_|$)")
UNITLESS = {"batch_size"}
HOMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "stuff", "functions"}


def python_files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for each in ast.walk(ast.parse(path.read_text())):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each


@cache
def registered() -> dict[str, Pipeline]:
    configure_project("rovervision")
    pipelines.set_requested(None)
    return {name: each for name, each in dict(pipelines).items() if name != "__default__"}


def loader(environment: str) -> OmegaConfigLoader:
    from rovervision.settings import CONFIG_LOADER_ARGS

    return OmegaConfigLoader(str(REPOSITORY / "conf"), env=environment, **CONFIG_LOADER_ARGS)


def bare(name: str) -> str:
    return name.partition("@")[0]


# --- form


def test_functions_are_short() -> None:
    lengths = {
        f"{path.relative_to(SOURCE)}:{each.name}": (each.end_lineno or each.lineno) - each.lineno + 1
        for path in python_files(SOURCE)
        for each in functions(path)
    }
    assert {name: lines for name, lines in lengths.items() if lines > 80} == {}
    assert statistics.median(lengths.values()) <= 15
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= 40


def test_files_hold_one_idea() -> None:
    lengths = {str(path.relative_to(SOURCE)): len(path.read_text().splitlines()) for path in python_files(SOURCE)}
    long = {name: lines for name, lines in lengths.items() if lines > 300}
    assert len(long) <= len(lengths) * 0.1, long
    assert max(lengths.values()) <= 450, long


def test_every_concept_has_a_name() -> None:
    paths = list(python_files(SOURCE, REPOSITORY / "tests"))
    assert [str(path) for path in paths if HOMELESS & {*path.parts[len(REPOSITORY.parts) :], path.stem}] == []


def test_imports_follow_the_layers() -> None:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command, "import-linter is not installed"
    answer = subprocess.run([command, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout


# --- nodes


def test_nodes_have_no_way_to_the_world() -> None:
    forbidden = {"os", "time", "datetime", "random", "requests", "subprocess", "socket", "urllib", "shutil", "tempfile"}
    found = []
    for path in sorted((SOURCE / "pipelines").glob("*/nodes.py")):
        for each in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in each.names] if isinstance(each, ast.Import) else []
            names += [each.module or ""] if isinstance(each, ast.ImportFrom) else []
            names += ["open"] if isinstance(each, ast.Name) and each.id == "open" else []
            found += [f"{path}: {name}" for name in names if name.partition(".")[0] in forbidden | {"open"}]
    assert found == []


def test_no_global_seed_is_set() -> None:
    seeds = re.compile(r"\b(np\.random\.seed|random\.seed|torch\.manual_seed|seed_everything)\(")
    texts = {path: path.read_text() for path in python_files(SOURCE)}
    # torch's own initialisers know no generator; a fork of its state is put back afterwards
    assert [str(path) for path, text in texts.items() if seeds.search(text) and "fork_rng" not in text] == []


@pytest.mark.parametrize("name", PIPELINE_NAMES)
def test_nodes_are_named_once(name: str) -> None:
    names = Counter(node.name for each in registered().values() for node in each.nodes)
    mine = [node.name for node in registered()[name].nodes]
    assert mine, f"{name} has no nodes"
    right = re.compile(rf"({name}\.)?[a-z][a-z0-9_]*")
    assert [each for each in mine if names[each] > 1 or not right.fullmatch(each)] == []


# --- one name, five places


@pytest.mark.parametrize("name", PIPELINE_NAMES)
def test_a_pipeline_has_its_name_in_five_places(name: str) -> None:
    places = [
        f"src/rovervision/pipelines/{name}/nodes.py",
        f"conf/base/catalog_{name}.yml",
        f"conf/base/parameters_{name}.yml",
        f"tests/pipelines/{name}",
        f"docs/pipelines/{name}.md",
    ]
    assert [place for place in places if not (REPOSITORY / place).exists()] == []


@pytest.mark.parametrize("name", PIPELINE_NAMES)
def test_parameters_of_a_pipeline_stand_under_its_name(name: str) -> None:
    stored = yaml.safe_load((REPOSITORY / "conf" / "base" / f"parameters_{name}.yml").read_text())
    assert list(stored) == [name]


# --- datasets


def test_every_dataset_is_declared_used_and_written_by_one_node() -> None:
    declared = set(loader("base")["catalog"])
    used = {name for each in registered().values() for name in each.datasets() if not name.startswith("param")}
    assert used - declared == set(), "used but not declared"
    assert {name for name in declared if not name.startswith("_")} - used == set(), "declared but not used"
    writers = Counter(bare(name) for each in registered().values() for node in each.nodes for name in node.outputs)
    assert {name: count for name, count in writers.items() if count > 1} == {}


def test_every_dataset_has_a_layer_and_a_description() -> None:
    entries = {name: entry for name, entry in loader("base")["catalog"].items() if not name.startswith("_")}
    without_layer = [
        name
        for name, entry in entries.items()
        if entry.get("metadata", {}).get("kedro-viz", {}).get("layer") not in LAYERS
    ]
    assert without_layer == []
    undescribed = [name for name, entry in entries.items() if not entry.get("metadata", {}).get("description")]
    assert undescribed == []
    assert [name for name in entries if not re.fullmatch(r"[a-z][a-z0-9_]*(@[a-z]+)?", name)] == []


def test_layers_follow_one_another() -> None:
    """Kedro-Viz draws the bands of the layers only where no path leads from a later layer back to an earlier one."""
    catalog = loader("base")["catalog"]
    layers = {bare(name): entry["metadata"]["kedro-viz"]["layer"] for name, entry in catalog.items()}
    before: dict[str, set[str]] = {}
    for node in chain.from_iterable(each.nodes for each in registered().values()):
        for made in node.outputs:
            known = [layers[bare(name)] for name in node.inputs if bare(name) in layers]
            before.setdefault(layers[bare(made)], set()).update(set(known) - {layers[bare(made)]})
    for (
        name,
        each,
    ) in registered().items():  # folded into a box, a pipeline stands between all that goes in and comes out
        elsewhere = {bare(one) for other, pipe in registered().items() if other != name for one in pipe.all_inputs()}
        into = {layers[bare(one)] for one in each.inputs() if bare(one) in layers}
        for made in {bare(one) for one in each.outputs()} | ({bare(one) for one in each.all_outputs()} & elsewhere):
            before.setdefault(layers[made], set()).update(into - {layers[made]})
    assert list(TopologicalSorter(before).static_order())  # raises CycleError, which names the circle


def test_no_two_datasets_share_a_file_unless_one_resumes_the_other() -> None:
    places: dict[str, set[str]] = {}
    for name, entry in loader("base")["catalog"].items():
        if isinstance(entry, dict) and "filepath" in entry:
            places.setdefault(entry["filepath"], set()).add(bare(name))
    written = {bare(name) for each in registered().values() for name in each.all_outputs()}
    assert {place: names for place, names in places.items() if len(names & written) > 1} == {}


# --- parameters


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_gives_valid_parameters_and_a_catalog(environment: str) -> None:
    configuration = loader(environment)
    parameters = configuration["parameters"]
    for name, model in TypeExtractor(registered()).extract_types_from_pipelines().items():
        value: Any = parameters
        for part in name.split("."):
            assert part in value, f"{name} stands in no parameters file"
            value = value[part]
        if issubclass(model, BaseModel):
            model.model_validate(value)
    DataCatalog.from_config(configuration["catalog"])
    assert configuration["mlflow"]["tracking"]["experiment"]["name"].startswith("rovervision")


def sections() -> dict[str, type[BaseModel]]:
    """Every model of parameters that a node asks for, and those inside, by dotted name."""
    found: dict[str, type[BaseModel]] = {}

    def visit(name: str, kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found[name] = kind
            for field, info in kind.model_fields.items():
                visit(f"{name}.{field}", info.annotation)
        for argument in get_args(kind):
            visit(name, argument)

    for name, kind in TypeExtractor(registered()).extract_types_from_pipelines().items():
        visit(name, kind)
    return found


def test_sections_are_frozen_and_refuse_unknown_keys() -> None:
    found = sections()
    assert set(PIPELINE_NAMES) <= set(found), "a pipeline takes its section as one typed model"
    loose = [
        name
        for name, model in found.items()
        if not model.model_config.get("frozen") or model.model_config.get("extra") != "forbid"
    ]
    assert loose == []


def test_quantities_carry_their_unit() -> None:
    nameless = [
        f"{name}.{field}"
        for name, model in sections().items()
        for field, info in model.model_fields.items()
        if (info.annotation in (int, float) or {int, float} & set(get_args(info.annotation)))
        and QUANTITIES.search(field)
        and not UNITS.search(field)
        and field not in UNITLESS
    ]
    assert nameless == []


def test_values_stand_in_yaml_not_in_code_alone() -> None:
    """A field that the YAML files leave out would be a number that no reader of the configuration sees."""
    stored = loader("base")["parameters"]
    hidden = []
    for name, model in TypeExtractor(registered()).extract_types_from_pipelines().items():
        value: Any = stored
        for part in name.split("."):
            value = value[part]
        if issubclass(model, BaseModel):
            hidden += [f"{name}.{field}" for field in model.model_fields if field not in value]
    assert hidden == []


@pytest.mark.parametrize("name", ["curation", "ingestion.synthetic"])
def test_defaults_in_code_are_the_values_of_base(name: str) -> None:
    """A test or notebook that builds a section bare gets what a run gets."""
    value: Any = loader("base")["parameters"]
    for part in name.split("."):
        value = value[part]

    def differing(model: BaseModel, stored: Any, prefix: str) -> Iterator[str]:
        for field in type(model).model_fields:
            inner = getattr(model, field)
            if isinstance(inner, BaseModel):
                yield from differing(inner, stored[field], f"{prefix}.{field}")
            elif not isinstance(inner, dict) and inner != (tuple(v) if isinstance(v := stored[field], list) else v):
                yield f"{prefix}.{field}: {inner} in code, {stored[field]} in base"

    assert list(differing(sections()[name](), value, name)) == []


# --- what no file may say


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Path and text of every file that git tracks, but of this one; without git, of every file in the known folders."""
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    names = answer.stdout.split("\0") if answer.returncode == 0 else []
    folders = ("src", "tests", "conf", "docs", ".ci", "deploy", "benchmarks", "notebooks")
    paths = [REPOSITORY / name for name in names if name] or [
        *(path for path in REPOSITORY.iterdir() if path.suffix in {".toml", ".md", ".yml", ".yaml", ".cff"}),
        *(path for folder in folders for path in (REPOSITORY / folder).rglob("*") if "__pycache__" not in path.parts),
    ]
    for path in paths:
        if path.is_file() and path != Path(__file__):
            try:
                yield str(path.relative_to(REPOSITORY)), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a picture


MACHINE_PATHS = re.compile(r"(?<![\w.}/-])/(work|root|farm)(?![\w-])")
PACKAGE_HOSTS = re.compile(r"\b(pypi\.org|pypi\.python\.org|pythonhosted\.org|npmjs\.(org|com))\b")


def test_no_file_names_this_machine() -> None:
    home = str(Path.home())
    found = []
    for name, text in tracked_texts():
        named = [each[0] for each in (MACHINE_PATHS.search(text), PACKAGE_HOSTS.search(text)) if each]
        found += [f"{name}: {each}" for each in named]
        found += [f"{name}: {place}" for place in (str(REPOSITORY), home) if len(place) > 5 and place in text]
    assert found == []


@pytest.mark.parametrize("text", ["cd /work/main", "'/root/.cache'", "/farm", "see https://pypi.org/simple"])
def test_a_path_or_host_of_this_machine_would_be_seen(text: str) -> None:
    assert MACHINE_PATHS.search(text) or PACKAGE_HOSTS.search(text)
    assert not MACHINE_PATHS.search("docs/work/main.md ./root https://a.org/x/work /workshop ${x}/work")


def test_the_readme_is_whole() -> None:
    text = (REPOSITORY / "README.md").read_text()
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"<(?:img|a)[^>]+(?:src|href)=\"([^\"]+)\"", text)
    near = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert near, "the README links to nothing of its own"
    assert [link for link in near if not (REPOSITORY / link).exists()] == []
    assert re.findall(r"\b[A-Z0-9_]*_HERE\b", text) == []


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    users = [each for name, group in project["optional-dependencies"].items() if name != "dev" for each in group]
    declared = {re.split(r"[^\w.-]", each)[0].lower().replace("_", "-") for each in project["dependencies"] + users}
    imported = set()
    for path in python_files(SOURCE):
        for each in ast.walk(ast.parse(path.read_text())):
            if isinstance(each, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in each.names}
            elif isinstance(each, ast.ImportFrom) and each.module:
                imported.add(each.module.partition(".")[0])
    distributions = packages_distributions()
    outside = imported - set(sys.stdlib_module_names) - {"rovervision"}
    assert "yaml" in outside
    missing = [
        name
        for name in sorted(outside)
        if not declared & {each.lower().replace("_", "-") for each in distributions.get(name, [name])}
    ]
    assert missing == []
