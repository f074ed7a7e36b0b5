"""The hook around the page: when it writes, where, and that it never costs a run."""

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rovervision.gallery import rooms as rooms_module
from rovervision.gallery.facts import differences
from rovervision.gallery.shelf import FOLDER, earlier_pages, frames_hash, page_name, store_page
from rovervision.hooks.gallery import GalleryHooks, where_tracked
from rovervision.hooks.tracking import TrackingHooks
from tests.gallery import scenes


class Catalog(dict[str, Any]):
    """As much of a catalog as the hook asks for."""

    def load(self, name: str) -> Any:
        return self[name]


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GalleryHooks:
    """The hook in a project in which ingestion has run."""
    reports = tmp_path / "08_reporting"
    reports.mkdir()
    (reports / "ingestion_summary.json").write_text("{}")
    made = GalleryHooks(TrackingHooks())
    monkeypatch.setattr("rovervision.hooks.gallery.base_parameters", lambda context: {"seed": 0})
    loader = {"parameters": {"seed": 3}}
    made.after_context_created(SimpleNamespace(params={}, project_path=tmp_path, env=None, config_loader=loader))  # type: ignore[arg-type]
    entry = {"filepath": str(reports / "ingestion_summary.json"), "metadata": {"kedro-viz": {"layer": "reporting"}}}
    scores = {"filepath": str(reports / "colorization_score_table.csv")}
    made.after_catalog_created(
        {"ingestion_summary": entry, "colorization_score_table": scores, "film": {"filepath": None}}
    )
    made.after_dataset_saved("ingestion_summary")
    return made


def finished(hooks: GalleryHooks, **run_params: Any) -> None:
    """Have the run end; what the others answer passes."""
    catalog = Catalog(ingestion_summary=scenes.ingestion_summary())
    ending = hooks.after_pipeline_run({"pipeline_names": ["ingestion"], **run_params}, catalog)  # type: ignore[arg-type]
    next(ending)
    with pytest.raises(StopIteration) as end:
        ending.send(["answers"])
    assert end.value.value == ["answers"]


def pages(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


def test_a_run_leaves_its_own_page_and_the_latest(
    hooks: GalleryHooks, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finished(hooks, env="msl")
    latest, own = sorted(pages(tmp_path), key=lambda path: len(path.parts))
    assert latest.name == "gallery.html" and own.parent.name == FOLDER
    text = own.read_text(encoding="utf-8")
    assert "<td>0</td><td><strong>3</strong></td>" in text
    assert "kedro run --pipelines curation --env msl" in text
    assert 'href="../ingestion_summary.json"' in text and 'href="ingestion_summary.json"' in latest.read_text()
    assert "gallery.html" in capsys.readouterr().out


@pytest.mark.parametrize("tags", [["apply"], ["similar"], ["plan"], ["apply", "similar"]])
def test_runs_that_only_use_what_was_learnt_leave_none(hooks: GalleryHooks, tmp_path: Path, tags: list[str]) -> None:
    finished(hooks, tags=tags)
    assert pages(tmp_path) == []


@pytest.mark.parametrize("tags", [["train"], ["film"], ["train", "apply"]])
def test_others_do(hooks: GalleryHooks, tmp_path: Path, tags: list[str]) -> None:
    finished(hooks, tags=tags)
    assert len(pages(tmp_path)) == 2


def test_a_run_that_saved_nothing_leaves_none(hooks: GalleryHooks, tmp_path: Path) -> None:
    hooks.after_catalog_created({})
    finished(hooks)
    assert pages(tmp_path) == []


def fail(*arguments: object) -> None:
    raise ZeroDivisionError("on purpose")


def full(*arguments: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("fault", [fail, full])
def test_a_fault_is_a_warning_and_the_run_has_ended_well(
    hooks: GalleryHooks,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: Callable[..., None],
) -> None:
    monkeypatch.setattr(rooms_module, "open_rooms", fault)
    with caplog.at_level(logging.WARNING):
        finished(hooks)
    assert pages(tmp_path) == []
    assert "The page of the run could not be written" in caplog.text


def test_pages_are_whole_and_none_is_overwritten(tmp_path: Path) -> None:
    name = page_name("2026-11-20 18:42", "colorization: residual (train)")
    assert name == "2026-11-20_1842_colorization-residual-train.html"
    for number in ("one", "two", "three"):
        assert store_page(tmp_path, name, number, f"latest {number}").read_text() == f"latest {number}"
    stored = {path.name: path.read_text() for path in (tmp_path / FOLDER).iterdir()}
    stem = name.removesuffix(".html")
    assert stored == {f"{stem}.html": "one", f"{stem}_2.html": "two", f"{stem}_3.html": "three"}
    assert [link.address for link in earlier_pages(tmp_path)][-1] == f"{FOLDER}/{stem}.html"


@pytest.mark.parametrize("name", ["", "///", "..", "ä" * 300, "a" * 300])
def test_no_name_of_a_run_leaves_the_folder(name: str) -> None:
    made = page_name("2026-11-20 18:42", name)
    assert Path(made).name == made and len(made) < 100


def test_differences_are_what_differs() -> None:
    base = {"a": {"b": 1, "c": True}, "gone": None}
    here = {"a": {"b": 2, "c": True}, "new": [1]}
    found = {each.name: (each.base, each.here) for each in differences(base, here)}
    assert found == {"a.b": ("1", "2"), "gone": ("null", "–"), "new": ("–", "[1]")}
    assert differences(base, base) == []


def test_the_hash_of_images_knows_no_order_and_every_file() -> None:
    import pandas as pd

    table = pd.DataFrame({"sha256": ["a", "b", None]})
    assert frames_hash(table) == frames_hash(table[::-1])
    assert frames_hash(table).value != frames_hash(table[:1]).value


def test_a_store_is_named_without_the_machine() -> None:
    assert where_tracked("sqlite:////home/someone/mlflow.db") == "mlflow ui --backend-store-uri sqlite:///mlflow.db"
    assert where_tracked("http://server:5000") == "http://server:5000"
    assert where_tracked("https://me:secret@server:5000") == "https://server:5000"
    assert "secret" not in where_tracked("postgresql://me:secret@server/mlflow")
    assert where_tracked(None) == ""
