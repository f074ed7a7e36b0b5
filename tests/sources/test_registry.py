"""Archives by name, and the configuration that names them."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from rovervision.errors import RovervisionError
from rovervision.sources.frame import Query, Source
from rovervision.sources.local_folder import LocalFolderSource
from rovervision.sources.msl_labelled import MslLabelledSource
from rovervision.sources.registry import IngestionConfig, fingerprint_of, open_source

CONF = Path(__file__).resolve().parents[2] / "conf"


def config(**settings: object) -> IngestionConfig:
    return IngestionConfig(**({"queries": [{"name": "q", "source": "synthetic"}]} | settings))  # type: ignore[arg-type]


def query(source: str) -> Query:
    return Query(name="q", source=source)


def test_sources_are_opened_by_name_and_read_nothing_yet() -> None:
    nowhere = config(archive="nowhere")
    assert isinstance(open_source(query("local_folder"), nowhere), LocalFolderSource)
    assert isinstance(open_source(query("msl_labelled"), nowhere), MslLabelledSource)
    synthetic: Source = open_source(query("synthetic"), nowhere)
    assert callable(synthetic.search) and callable(synthetic.fetch)


@pytest.mark.parametrize(
    ("name", "near"), [("sinthetic", "synthetic"), ("folder", "local_folder"), ("msl_labeled", "msl_labelled")]
)
def test_an_unknown_source_is_answered_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(RovervisionError, match=f"unknown source `{name}`. Did you mean `{near}`"):
        open_source(query(name), config())
    with pytest.raises(RovervisionError, match="Known: synthetic"):
        open_source(query("zzz"), config())


@pytest.mark.parametrize("source", ["local_folder", "msl_labelled"])
def test_an_archive_is_asked_for(source: str) -> None:
    with pytest.raises(RovervisionError, match=r"Set `ingestion\.archive`"):
        open_source(query(source), config())


@pytest.mark.parametrize(
    "wrong",
    [
        {"queries": []},
        {"queries": [{"name": "q", "source": "a"}, {"name": "q", "source": "b"}]},
        {"fetch_attempts": 0},
        {"max_failed_frac": 1.5},
        {"archve": "typo"},
        {"limits": {"max_bytes": 3}},
    ],
)
def test_nonsense_is_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


def test_only_what_changes_bytes_is_in_the_fingerprint() -> None:
    one, two = config(), config(synthetic={"seed": 1})
    assert fingerprint_of("synthetic", one) != fingerprint_of("synthetic", two)
    assert fingerprint_of("local_folder", one) == fingerprint_of("local_folder", two)
    assert fingerprint_of("synthetic", one) == fingerprint_of("synthetic", config(fetch_attempts=9))


@pytest.mark.parametrize("environment", ["base", "msl", "nasa", "folder"])
def test_the_shipped_parameters_are_valid(environment: str) -> None:
    section = yaml.safe_load((CONF / environment / "parameters_ingestion.yml").read_text())["ingestion"]
    told = IngestionConfig(**section)
    for one in told.queries:
        open_source(one, told)
    if environment == "base":
        assert set(section) == set(IngestionConfig.model_fields)
