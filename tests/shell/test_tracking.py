"""Names, tags and the store of MLflow runs; hooks that need no whole run."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from kedro.framework.hooks import _create_hook_manager
from kedro.framework.hooks.manager import _register_hooks, _register_hooks_entry_points
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook
from mlflow.exceptions import MlflowException

from rovervision.errors import RovervisionError
from rovervision.hooks import InputHooks
from rovervision.hooks.catalog_entries import CatalogEntries
from rovervision.hooks.inputs import makers_of
from rovervision.hooks.mlflow_run import MlflowRun, as_text
from rovervision.hooks.provenance import kinds_of, provenance, run_name, typed_command
from rovervision.hooks.report import closing_message, duration, look_further
from rovervision.hooks.sqlite_store import first_use, sqlite_path
from rovervision.hooks.tracking import TrackingHooks, is_tracked, untracked_pipelines
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


def test_a_runs_name_tells_the_kinds_of_the_pipelines_that_run() -> None:
    parameters = {
        "a": {"model": {"kind": "small", "deep": {"kind": "no"}}},
        "b": {"part": {"kind": "other"}, "workers": {"kind": "threads"}},
        "seed": 1,
    }
    assert kinds_of(parameters, ["a"]) == ["small"]
    assert kinds_of(parameters, ["__default__"]) == ["small", "other"]
    assert run_name(["a"], {"tags": ("train",)}, kinds_of(parameters, ["a"])) == "a: small (train)"


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


def apply_conf(read: Path, written: Path) -> dict[str, dict[str, Any]]:
    kind = "rovervision.datasets.image_folder.ImageFolderDataset"
    return {
        "mine@read": {"type": kind, "filepath": str(read), "read_only": True},
        "coloured": {"type": kind, "filepath": str(written)},
    }


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ("mine", "mine"),
        ("mine", "mine/coloured"),
        ("mine/gray", "mine"),
        ("link", "mine/deep"),
        ("mine", "other/../mine"),
    ],
)
def test_no_output_lies_on_in_or_around_a_persons_own_folder(tmp_path: Path, read: str, written: str) -> None:
    (tmp_path / "mine" / "gray").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    colouring = Pipeline([Node(identity, "mine@read", "coloured", name="colour")])
    with pytest.raises(RovervisionError, match="mine@read is read from"):
        before_run(colouring, apply_conf(tmp_path / read, tmp_path / written))
    (tmp_path / "mine" / "a.png").touch()
    before_run(colouring, apply_conf(tmp_path / "mine", tmp_path / "mine_coloured"))


def test_what_a_run_writes_first_and_reads_later_is_no_overlap(tmp_path: Path) -> None:
    conf = apply_conf(tmp_path / "gray", tmp_path / "coloured")
    conf["mine@written"] = {"type": conf["coloured"]["type"], "filepath": str(tmp_path / "gray")}
    first = Node(identity, "params:x", "mine@written", name="gather")
    before_run(Pipeline([first, Node(identity, "mine@read", "coloured", name="colour")]), conf)


def test_colouring_guards_the_folder_that_apply_input_names() -> None:
    entries = yaml.safe_load((REPOSITORY / "conf" / "base" / "catalog_colorization.yml").read_text())
    named = [entry for entry in entries.values() if "runtime_params:apply.input" in entry["filepath"]]
    assert [entry.get("read_only") for entry in named] == [True]


def test_an_mlflow_that_fails_in_the_middle_costs_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise MlflowException("the server is away")

    class Fingerprinted(MemoryDataset):
        def fingerprint(self) -> str:
            return "f00"

    called = ("start_run", "log_params", "set_tag", "log_metrics", "log_artifact", "end_run")
    for name in called:
        monkeypatch.setattr(mlflow, name, refuse)
    conf = {"drawing": {"filepath": str(tmp_path / "d"), "metadata": {"mlflow": {"metrics": True, "artifact": True}}}}
    (tmp_path / "d").write_text("{}")
    catalog = DataCatalog({"seen": Fingerprinted(1), "drawing": MemoryDataset()})
    node = Node(identity, ["params:a"], "drawing", name="draw")
    run = MlflowRun(catalog, CatalogEntries(conf))
    run.run_id, run._is_mlflow_enabled, run._already_active_mlflow = "some", True, False
    hooks = TrackingHooks()
    hooks.run = run
    hooks.before_node_run(node=node, inputs={"params:a": 1})
    hooks.after_dataset_loaded(dataset_name="seen")
    hooks.after_dataset_saved(dataset_name="drawing", data={"n": 1})
    hooks.after_pipeline_run(run_params={}, pipeline=Pipeline([node]), catalog=catalog)
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert ["the server is away" in record.getMessage() for record in warnings] == [True]


@pytest.mark.parametrize(
    ("names", "tags", "expected"),
    [
        (["__default__"], (), True),
        (["ingestion"], (), False),
        (["curation", "ingestion"], (), False),
        (["curation", "colorization"], (), True),
        (["colorization"], ("apply",), False),
        (["colorization"], ("apply", "train"), True),
        (["colorization"], ("train",), True),
    ],
)
def test_runs_that_learn_are_tracked(names: list[str], tags: tuple[str, ...], expected: bool) -> None:
    config = yaml.safe_load((REPOSITORY / "conf" / "base" / "mlflow.yml").read_text())
    assert is_tracked(names, tags, untracked_pipelines(config)) == expected


def test_without_settings_every_pipeline_is_tracked() -> None:
    assert untracked_pipelines({}) == untracked_pipelines({"tracking": None}) == set()


def test_the_place_of_kedro_mlflows_own_hook_is_taken() -> None:
    manager = _create_hook_manager()
    hooks = TrackingHooks()
    _register_hooks(manager, [hooks])
    _register_hooks_entry_points(manager, ())
    (entry,) = [each for each in entry_points(group="kedro.hooks") if each.module.startswith("kedro_mlflow")]
    assert manager.get_plugin(entry.name) is hooks
    assert not any(isinstance(plugin, MlflowHook) for plugin in manager.get_plugins())


def test_the_report_leads_to_the_runs_of_the_experiment(tmp_path: Path) -> None:
    assert look_further(tmp_path, None) == []
    (server,) = look_further(tmp_path, ("http://server:5000/", "7"))
    assert server.startswith("http://server:5000/#/experiments/7/runs\t")
    start, page = look_further(tmp_path, ("sqlite:////a/mlflow.db", "7"))
    assert start.startswith("mlflow ui --backend-store-uri sqlite:////a/mlflow.db\t")
    assert page.startswith("http://127.0.0.1:5000/#/experiments/7/runs\t")
