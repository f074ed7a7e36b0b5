"""Names, tags and the store of MLflow runs; hooks that need no whole run."""

from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from rovervision.errors import RovervisionError
from rovervision.hooks import InputHooks
from rovervision.hooks.catalog_entries import CatalogEntries
from rovervision.hooks.inputs import makers_of
from rovervision.hooks.report import closing_message, duration
from rovervision.hooks.sqlite_store import first_use, sqlite_path
from rovervision.hooks.tracking import as_text, provenance, run_name, typed_command
from rovervision.runners import rank

REPOSITORY = Path(__file__).resolve().parents[2]


def identity(value: object) -> object:
    return value


def registered() -> dict[str, Pipeline]:
    first = Pipeline([Node(identity, "params:x", "a@written", name="make_a")])
    second = Pipeline([Node(identity, "a@read", "b", name="make_b")])
    third = Pipeline([Node(identity, "b", "c", name="make_c")])
    return {"__default__": first + second + third, "third": third, "first": first, "second": second}


def conf_catalog(folder: Path, **files: str) -> dict[str, dict[str, str]]:
    files = {"a@written": "a", "a@read": "a", "b": "b", "c": "c"} | files
    return {
        name: {"type": "json.JSONDataset", "filepath": str(folder / f"{file}.json")} for name, file in files.items()
    }


def test_a_run_has_the_same_name_whatever_order_kedro_gives() -> None:
    assert run_name(["__default__"], {"tags": ()}) == "whole project"
    assert run_name(["a", "b"], {"tags": None}) == "a + b"
    assert run_name(["a"], {"tags": ("z", "y")}) == "a (y, z)"


def test_long_values_are_cut_and_odd_names_are_allowed() -> None:
    values = as_text({"a": {"b@c": "x" * 10_000, "none": None, "empty": {}}})
    assert set(values) == {"a.b_c", "a.none", "a.empty"}
    assert 100 < len(values["a.b_c"]) < 10_000


def test_provenance_names_the_commit_only_in_a_checkout(tmp_path: Path) -> None:
    assert "git_commit" not in provenance(tmp_path, None)
    assert provenance(tmp_path, None)["env"] == "local"
    if (REPOSITORY / ".git").exists():
        assert len(provenance(REPOSITORY, "msl")["git_commit"]) == 40


def test_the_command_is_kept_as_typed() -> None:
    assert typed_command(["/x/bin/kedro", "run", "--params", "a=b c"]) == "kedro run --params 'a=b c'"
    assert typed_command(["python -m kedro", "run"]) == "python -m kedro run"


def test_only_a_file_is_locked(tmp_path: Path) -> None:
    assert sqlite_path("http://server:5000") is None
    assert sqlite_path("sqlite:////a/b.db") == Path("/a/b.db")
    with first_use(f"sqlite:///{tmp_path}/deep/m.db"):
        assert (tmp_path / "deep").is_dir()
    with first_use("http://server:5000"):
        pass


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, 0),
        ({"RANK": ""}, 0),
        ({"SLURM_PROCID": "3"}, 3),
        ({"LOCAL_RANK": "1"}, 1),
        ({"RANK": "5", "LOCAL_RANK": "1"}, 5),
    ],
)
def test_rank_follows_the_launcher(variables: dict[str, str], expected: int) -> None:
    assert rank(variables) == expected


def test_makers_bring_their_own_makers_first(tmp_path: Path) -> None:
    conf = conf_catalog(tmp_path)
    stored, entries = DataCatalog.from_config(conf), CatalogEntries(conf)
    assert makers_of(["b"], registered(), entries, stored) == ["first", "second"]
    stored.save("a@written", {})
    assert makers_of(["b"], registered(), entries, stored) == ["second"]
    assert makers_of(["z"], registered(), entries, stored) == []


def test_nobody_makes_a_folder_that_the_person_named(tmp_path: Path) -> None:
    conf = conf_catalog(tmp_path, **{"a@read": "my_own"})
    assert makers_of(["a@read"], registered(), CatalogEntries(conf), DataCatalog.from_config(conf)) == []


def before_run(pipeline: Pipeline, conf: dict[str, dict[str, Any]], **params: object) -> None:
    hooks = InputHooks()
    hooks.after_catalog_created(conf_catalog=conf)
    hooks.before_pipeline_run(run_params=params, pipeline=pipeline, catalog=DataCatalog.from_config(conf))


def test_inputs_that_exist_or_may_be_absent_pass(tmp_path: Path) -> None:
    conf: dict[str, dict[str, Any]] = dict(conf_catalog(tmp_path))
    third = registered()["third"]
    with pytest.raises(RovervisionError, match=r"b\.json"):
        before_run(third, conf)
    before_run(third, {**conf, "b": {**conf["b"], "metadata": {"optional": True}}})
    before_run(third, conf, only_missing_outputs=True)
    DataCatalog.from_config(conf).save("b", {})
    before_run(third, conf)


def test_a_state_that_the_run_itself_saves_may_be_absent(tmp_path: Path) -> None:
    conf = conf_catalog(tmp_path, saved="state", state="state")
    before_run(Pipeline([Node(identity, "saved", "state", name="go_on")]), conf)


def test_the_report_names_places_and_counts_the_rest() -> None:
    text = closing_message(161, {"Look at": ["a.png\tA figure."], "Models": []}, 2, ["kedro viz run\tgraph"])
    assert "Done in 2 min 41 s." in text
    assert "a.png  " in text
    assert "Models" not in text
    assert "2 more datasets" in text


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (11_100, "3 h 5 min")]
)
def test_durations_read_well(seconds: float, words: str) -> None:
    assert duration(seconds) == words
