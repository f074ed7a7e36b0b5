"""Every run that logs a model makes it a version of a registered model, with its card."""

import json
from pathlib import Path

import mlflow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.io import DataCatalog
from mlflow.exceptions import MlflowException

from rovervision.hooks import mlflow_run
from rovervision.hooks.catalog_entries import CatalogEntries
from rovervision.hooks.mlflow_run import MlflowRun
from rovervision.hooks.model_registry import MAX_DESCRIPTION_CHARS, read_address, register, shortened
from tests.datasets.test_tracked_model import EXAMPLE, model

WISHES = {"registered_name": "painter", "card": "card"}


@pytest.fixture
def store(tmp_path: Path):
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.create_experiment("models", artifact_location=(tmp_path / "artifacts").as_uri())
    mlflow.set_experiment("models")
    yield mlflow.MlflowClient()
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(before)


def run_of(folder: Path, run_id: str) -> MlflowRun:
    """A tracked run that has saved a model whose card lies in the folder."""
    conf = {
        "served": {"filepath": str(folder / "served.json"), "metadata": {"mlflow": WISHES}},
        "card": {"filepath": str(folder / "card.md")},
    }
    run = MlflowRun(DataCatalog({}), CatalogEntries(conf))
    run.run_id, run._models, run._made = run_id, ["served"], {"card"}
    return run


def test_every_run_makes_a_version_described_by_its_card(store: mlflow.MlflowClient, tmp_path: Path) -> None:
    (tmp_path / "weights.json").write_text("7")
    made = []
    for card in ("# First", "# Second"):
        with mlflow.start_run() as active:
            model(tmp_path).save(EXAMPLE)
            (tmp_path / "card.md").write_text(card)
            run_of(tmp_path, active.info.run_id)._register("served")
            made.append((active.info.run_id, card))
    with mlflow.start_run() as scoring_alone:
        run_of(tmp_path, scoring_alone.info.run_id)._register("served")  # the model is of an earlier run
    versions = sorted(store.search_model_versions("name = 'painter'"), key=lambda each: int(each.version))
    assert [(each.run_id, each.description) for each in versions] == made
    assert mlflow.pyfunc.load_model("models:/painter/2").predict(EXAMPLE["input"]).max() == 7


def test_the_card_of_another_model_does_not_describe_this_one(store: mlflow.MlflowClient, tmp_path: Path) -> None:
    (tmp_path / "weights.json").write_text("7")
    (tmp_path / "card.md").write_text("# Of the model before")
    with mlflow.start_run() as active:
        model(tmp_path).save(EXAMPLE)
        run = run_of(tmp_path, active.info.run_id)
        run._made = set()
        run._register("served")
    assert store.get_model_version("painter", "1").description in (None, "")


def test_a_registry_that_is_away_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise MlflowException("the registry is away")

    monkeypatch.setattr(mlflow_run, "register", refuse)
    (tmp_path / "served.json").write_text(json.dumps({"model_uri": "models:/m-1", "run_id": "r"}))
    run_of(tmp_path, "r")._register("served")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "painter could not be registered" in caplog.text


def test_a_name_that_mlflow_refuses_is_no_silent_loss(store: mlflow.MlflowClient) -> None:
    with pytest.raises(MlflowException):
        register("", {"model_uri": "models:/m-1", "run_id": "r"}, "")


def test_without_a_logged_model_there_is_no_address(tmp_path: Path) -> None:
    assert read_address(None) == read_address(tmp_path / "absent.json") == {}


@given(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=300), max_size=60))
def test_a_card_fits_and_ends_with_a_line(lines: list[str]) -> None:
    card = "\n".join(lines)
    told = shortened(card)
    assert len(told) <= MAX_DESCRIPTION_CHARS
    if len(card) <= MAX_DESCRIPTION_CHARS:
        assert told == card
    else:
        kept = told.removesuffix("\n\n(The whole card is an artifact of the run.)")
        assert kept != told
        assert card.startswith(kept + "\n")
