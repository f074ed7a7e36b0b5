"""What the documentation says of parameters, datasets, files and commands is so."""

import re
import runpy
import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin
from urllib.parse import urlsplit

import click
import pytest
import yaml
from kedro.pipeline.node import Node
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel

from rovervision.cli import check_environment, check_pipelines, run
from rovervision.configuration import runtime_keys
from rovervision.errors import RovervisionError
from rovervision.parameters import explain_sections, unknown_keys
from rovervision.sources.frame import Query
from tests.test_conventions import PIPELINE_NAMES, REPOSITORY, loader, registered

CONF = REPOSITORY / "conf"
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
PAGES += [REPOSITORY / "notebooks" / "README.md", *sorted((REPOSITORY / "deploy").rglob("*.md"))]
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def page_name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


# --- parameters


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every field by dotted name; `*` stands for the keys of a mapping, and for the places of a list, of models."""
    for name, info in model.model_fields.items():
        inner = list(models_in(info.annotation))
        several = get_origin(info.annotation) in (tuple, dict)
        if several or not inner:
            yield f"{prefix}{name}"
        for each in inner:
            yield from fields_of(each, f"{prefix}{name}.*." if several else f"{prefix}{name}.")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def rows_of_tables(text: str, first_column: str) -> list[list[str]]:
    """The cells of every row of the tables whose first column has this name."""
    rows, inside = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells or cells[0] == first_column:
            inside = bool(cells)
        elif inside and not set(cells[0]) <= set("-: "):
            rows.append(cells)
        else:
            inside = inside and bool(cells)
    return rows


def parameter_rows(pipeline: str) -> dict[str, list[str]]:
    """Name → cells, of the tables below the heading `Parameters` of a pipeline's page."""
    text = (REPOSITORY / "docs" / "pipelines" / f"{pipeline}.md").read_text()
    section = re.search(r"^## Parameters$(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    assert section, f"the page of {pipeline} has no section Parameters"
    rows = rows_of_tables(section[1], "name")
    names = [cells[0].strip("`") for cells in rows]
    assert len(set(names)) == len(names), f"named twice: {sorted(names)}"
    return dict(zip(names, rows, strict=True))


@cache
def section_models() -> dict[str, type]:
    return TypeExtractor(registered()).extract_types_from_pipelines()


@pytest.mark.parametrize("pipeline", PIPELINE_NAMES)
def test_every_parameter_stands_on_its_page_and_none_that_is_gone(pipeline: str) -> None:
    documented, existing = set(parameter_rows(pipeline)), set(fields_of(section_models()[pipeline]))
    assert existing - documented == set(), "not on the page"
    assert documented - existing == set(), "on the page, and no parameter"


def default_of(model: Any, name: str) -> Any:
    """The default of a field by dotted name: what holds once the section above it, null or absent in base, is given."""
    *above, last = name.split(".")
    for part in above:
        model = next(models_in(model.model_fields[part].annotation))
    default = model.model_fields[last].default
    return list(default) if isinstance(default, tuple) else default


@pytest.mark.parametrize("pipeline", PIPELINE_NAMES)
def test_the_page_shows_the_values_of_base(pipeline: str) -> None:
    stored = yaml.safe_load((CONF / "base" / f"parameters_{pipeline}.yml").read_text())
    differing = {}
    for name, (_, _, shown, *_) in parameter_rows(pipeline).items():
        if "*" in name:
            continue
        value: Any = stored[pipeline]
        for part in name.split("."):
            value = value[part] if isinstance(value, dict) else default_of(section_models()[pipeline], name)
        is_plain = not isinstance(value, dict) and "${" not in str(value) and "{" not in str(value)
        said = yaml.safe_load(f"[{shown.replace('`', '').strip('[]')}]")
        if is_plain and said != (value if isinstance(value, list) else [value]):
            differing[name] = (said, value)
    assert differing == {}


# --- datasets


def test_the_table_of_datasets_is_the_catalog() -> None:
    shown: dict[str, tuple[str, str]] = {}
    for names, layer, kind, *_ in rows_of_tables((REPOSITORY / "docs" / "data.md").read_text(), "dataset"):
        shown |= dict.fromkeys(SPAN.findall(names), (layer, kind))
    stored = {
        name: (entry["metadata"]["kedro-viz"]["layer"], re.sub(r"^rovervision\..*\.", "", entry["type"]))
        for name, entry in loader("base")["catalog"].items()
    }
    assert shown == stored


@pytest.mark.parametrize("pipeline", PIPELINE_NAMES)
def test_the_table_of_steps_names_every_node_its_outputs_and_tags(pipeline: str) -> None:
    text = (REPOSITORY / "docs" / "pipelines" / f"{pipeline}.md").read_text()
    header = next(line for line in text.splitlines() if line.startswith("| node |"))
    columns = [cell.strip() for cell in header.strip("|").split("|")]
    for cells in rows_of_tables(text, "node"):
        row = dict(zip(columns, cells, strict=True))
        nodes = [node_of(pipeline, name) for name in SPAN.findall(row["node"])]
        written = [output for node in nodes for output in node.outputs]
        assert set(SPAN.findall(row["writes"])) == set(written), row["node"]
        assert all(node.tags == set(row.get("tags", "").split()) for node in nodes), row["node"]
    named = [name for cells in rows_of_tables(text, "node") for name in SPAN.findall(cells[0])]
    assert sorted(named) == sorted(node.name.rpartition(".")[2] for node in registered()[pipeline].nodes)


def node_of(pipeline: str, name: str) -> Node:
    return next(node for node in registered()[pipeline].nodes if node.name in (name, f"{pipeline}.{name}"))


# --- links


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    text = FENCE.sub("", path.read_text())
    targets = [urlsplit(target) for target in LINK.findall(text)]
    made = {f"{name}.md" for name in modules_by_page()} if path.parent.name == "api" else set()
    near = [each for each in targets if not each.scheme and each.path not in made]
    assert [each.geturl() for each in near if not (path.parent / each.path).exists()] == []


def modules_by_page() -> dict[str, list[str]]:
    """The pages that are made of docstrings when the documentation is built, and the modules on each."""
    return runpy.run_path(str(REPOSITORY / "docs" / "api" / "pages.py"))["modules_by_page"](REPOSITORY / "src")


def test_every_decision_stands_in_the_list() -> None:
    folder = REPOSITORY / "docs" / "decisions"
    assert set(LINK.findall((folder / "index.md").read_text())) == {path.name for path in folder.glob("0*.md")}


# --- commands


def commands(text: str) -> Iterator[list[str]]:
    """The words after every `kedro run` in a block or a span; a span `--params ...` counts as the end of one."""
    lines = [line for language, block in FENCE.findall(text) if language == "bash" for line in block.splitlines()]
    for span in SPAN.findall(FENCE.sub("", text)):
        lines.append(f"kedro run {span}" if span.startswith("--params ") else span)
    for line in lines:
        for part in re.split(r" (?:&&|;|#) ?", line):
            words = re.sub(r"^(\w+=\S+ )+", "", part.strip()).split(maxsplit=2)
            if words[:2] == ["kedro", "run"]:
                yield shlex.split(" ".join(words[2:]))


DOCUMENTED = sorted({(page_name(path), shlex.join(words)) for path in PAGES for words in commands(path.read_text())})


def refusals(command: str, queries: Iterable[Mapping[str, Any]] = ()) -> list[str]:
    """Return why such a run would not begin, whatever data there are, once these queries are added."""
    try:
        options = run.make_context("kedro run", shlex.split(command)).params
        known = registered()
        check_pipelines(options["pipelines"] or [])
        check_environment(options["env"], CONF)
    except (click.UsageError, RovervisionError) as error:
        return [str(error)]
    given, stored = options["params"] or {}, loader(options["env"] or "base")["parameters"]
    stored["ingestion"]["queries"] += queries
    nodes = [node for name in options["pipelines"] or PIPELINE_NAMES for node in known[name].nodes]
    chosen = {name for key in ("node_names", "from_nodes", "to_nodes") for name in options[key] or []}
    tags = set(options["tags"] or [])
    return [
        *unknown_keys(given, stored, runtime_keys(CONF)),
        *explain_sections(laid_over(stored, given), section_models()),
        *(chosen - {node.name for node in nodes}),
        *(tags - {tag for node in nodes for tag in node.tags}),
    ]


def laid_over(stored: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return nested values with the given ones in their places."""
    inner = {key: laid_over(stored[key], value) for key, value in given.items() if isinstance(stored.get(key), dict)}
    return {**stored, **given, **inner}


@pytest.mark.parametrize(("page", "command"), DOCUMENTED)
def test_every_documented_command_is_understood(page: str, command: str) -> None:
    assert refusals(command, queries_on(REPOSITORY / page)) == []


def queries_on(path: Path) -> list[dict[str, Any]]:
    """The queries that a page tells people to add."""
    blocks = [yaml.safe_load(block) for language, block in FENCE.findall(path.read_text()) if language == "yaml"]
    return [query for block in blocks if isinstance(block, list) for query in block]


@pytest.mark.parametrize(
    "command",
    [
        "--pipeline-names ingestion",
        "--pipelines ingestions",
        "--env mls",
        "--params colorization.training.epoch=3",
        "--params colorization.training.epochs=none",
        "--nodes colorization.no_such_node",
        "--pipelines curation --tags train",
    ],
)
def test_a_command_that_would_be_refused_is_noticed(command: str) -> None:
    assert refusals(command) != []


def test_the_pages_hold_commands() -> None:
    assert len(DOCUMENTED) > 15


# --- every command is run by a test, or says that it needs the network

NEEDS_NETWORK = "network needed"
ALONE, WHOLE = "tests/test_documented_commands.py::", "tests/test_run.py::"
RUN_BY = {
    r"torchrun .*kedro run": "tests/shell/test_ranks.py::test_two_processes_leave_one_model_and_one_mlflow_run",
    r"srun .*kedro run": "tests/slurm/test_training_jobs.py::test_two_processes_train_one_model",
    r"kedro run (.* )?--env nasa": "tests/test_live_archives.py::test_a_dry_run_prints_the_plan_and_fetches_no_image",
    r"kedro run .*--tags (film|truth)": ALONE + "test_a_folder_becomes_a_film_and_triplets_are_looked_for",
    r"kedro run .*--tags export": ALONE + "test_tiles_are_exported",
    r"kedro run .*--pipelines diffusion --tags apply": ALONE + "test_images_are_generated_on_demand",
    r"kedro run .*--pipelines clustering --tags": WHOLE + "test_what_was_clustered_tells_of_images_of_ones_own",
    r"kedro run .*--tags apply": WHOLE + "test_the_trained_model_colours_a_folder_of_ones_own",
    r"kedro run .*(model.kind=|--nodes|--only-missing)": ALONE + "test_two_kinds_of_colorizer_stand_side_by_side",
    r"kedro run": WHOLE + "test_one_command_goes_from_archive_to_colour",
    r"dask (scheduler|worker) ": "tests/datasets/test_dask_cluster.py::"
    "test_a_killed_worker_costs_shards_and_images_nothing_but_time",
    r"kedro registry list": ALONE + "test_the_pipelines_are_listed",
    r"kedro viz run": "tests/test_lineage.py::test_five_boxes_are_the_whole_and_each_opens",
    r"kedro viz build": "tests/test_lineage.py::test_the_export_is_whole_without_a_network",
    r"kedro jupyter lab": ALONE + "test_jupyter_lab_is_a_command_of_kedro",
    r"kedro package|rovervision ": "tests/test_wheel.py::test_the_wheel_runs_from_an_empty_folder",
    r"mlflow ui": ALONE + "test_the_runs_are_shown_by_mlflow_ui",
    r"mlflow models serve|curl ": "tests/datasets/test_served_colorizer.py::test_a_png_comes_back_in_colour",
    r"python -m benchmarks\.": "tests/test_documentation.py::test_every_documented_benchmark_is_there",
}
"""Pattern of a command → the test that types it, if with smaller numbers; the first that fits counts."""
OF_THE_SHELL = re.compile(r"cd |export |source |python -m venv |#|$")


def typed(text: str) -> Iterator[str]:
    """Every command in the bash blocks of a page that does not say, on its line, that it needs the network."""
    blocks = [block for language, block in FENCE.findall(text) if language == "bash"]
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        if NEEDS_NETWORK not in line:
            yield from (part.strip() for part in line.split(" # ")[0].split(" && "))


def runner(command: str) -> str | None:
    """The test that types such a command; None where none does."""
    bare_command = re.sub(r"^(\w+=\S+ )+", "", command)
    return next((test for pattern, test in RUN_BY.items() if re.match(pattern, bare_command)), None)


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_every_documented_command_is_run_by_a_test_or_needs_the_network(path: Path) -> None:
    commands_left = [each for each in typed(path.read_text()) if not OF_THE_SHELL.match(each)]
    assert [each for each in commands_left if runner(each) is None] == []


@pytest.mark.parametrize("test", sorted(set(RUN_BY.values())))
def test_the_tests_that_type_commands_are_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert f"\ndef {name}(" in (REPOSITORY / file).read_text()


def test_a_command_that_no_test_runs_is_noticed() -> None:
    block = "```bash\nkedro run && kedro fly   # to Mars\npip install x   # network needed\n```"
    assert [runner(each) is None for each in typed(block)] == [False, True]


@pytest.mark.parametrize(
    "command", sorted({each for path in PAGES for each in typed(path.read_text()) if "benchmarks." in each})
)
def test_every_documented_benchmark_is_there(command: str) -> None:
    """Its module exists and knows the options that are named; what it measures takes too long for a test."""
    module, *words = command.partition("python -m ")[2].split()
    text = (REPOSITORY / (module.replace(".", "/") + ".py")).read_text()
    shared = "".join(path.read_text() for path in (REPOSITORY / "benchmarks").glob("*.py"))
    assert "__main__" in text
    assert [word for word in words if word.startswith("--") and f'"{word}"' not in shared] == []


# --- blocks of configuration


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_every_block_of_parameters_is_valid(path: Path) -> None:
    """What a page shows as the content of a file in conf/ would be taken as it stands."""
    for language, block in FENCE.findall(path.read_text()):
        given = yaml.safe_load(textwrap.dedent(block)) if language in ("yaml", "yml") else None
        if isinstance(given, dict) and set(given) <= set(PIPELINE_NAMES):
            stored = loader("base")["parameters"]
            assert list(explain_sections(laid_over(stored, given), section_models())) == []
        elif isinstance(given, list):
            assert [Query.model_validate(each).name for each in given]


# --- pages made of docstrings


def test_every_public_module_has_its_place_on_a_page() -> None:
    pages = modules_by_page()
    placed = [module for modules in pages.values() for module in modules]
    public = [
        ".".join(path.relative_to(REPOSITORY / "src").with_suffix("").parts)
        for path in (REPOSITORY / "src").rglob("*.py")
        if not path.name.startswith("_")
    ]
    assert sorted(placed) == sorted(public)
    assert all(module == name or module.startswith(f"{name}.") for name, modules in pages.items() for module in modules)
    index = (REPOSITORY / "docs" / "api" / "index.md").read_text()
    assert [name for name in pages if f"({name}.md)" not in index] == []


@pytest.mark.parametrize("pipeline", PIPELINE_NAMES)
def test_a_pipelines_page_tells_the_same_things_as_the_others(pipeline: str) -> None:
    text = (REPOSITORY / "docs" / "pipelines" / f"{pipeline}.md").read_text()
    assert "**Question:**" in text.partition("\n## ")[0]
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert {"Inputs", "Steps", "Parameters", "Outputs", "Checks", "Limits"} <= set(headings)
