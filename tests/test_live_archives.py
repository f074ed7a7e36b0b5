"""The environment `nasa`, as a person runs it, against a server of ours that stands in for every archive.

The tests marked `remote` ask the archives themselves, where ROVERVISION_REMOTE is set: a job does so once a week, and a
failure says in a sentence what an archive has changed.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rovervision.errors import RovervisionError
from rovervision.imaging.decoding import decode_image
from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.config import ArchiveAddresses
from rovervision.sources.registry import IngestionConfig, open_source
from tests.archive_server.catalog import make_catalog
from tests.archive_server.server import ArchiveServer, archive_server
from tests.shell.conftest import kedro, quiet_environment
from tests.test_run import project_copy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SOLS = {"msl": range(1000, 1002), "mars2020": range(250, 252), "ingenuity": range(100, 102), "opportunity": range(1, 4)}
SETS = ["curiosity_mast_color_large", "curiosity_mast_color_small", "curiosity_navcam_gray", "perseverance_mast_color"]
SETS += ["perseverance_navcam_color", "opportunity_front_hazcam", "perseverance_watson", "perseverance_supercam_rmi"]
SETS += ["curiosity_mahli", "curiosity_chemcam_rmi", "ingenuity_color", "opportunity_pancam_triplets"]


@pytest.fixture(scope="module")
def server() -> Iterator[ArchiveServer]:
    with archive_server(make_catalog(SOLS)) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return project_copy(tmp_path)


def words(server: ArchiveServer, *params: str) -> list[str]:
    told = server.addresses().model_dump(exclude={"mars_photos_key_variable"})
    addresses = [f"ingestion.addresses.{name}={url}" for name, url in told.items()]
    joined = ",".join([*addresses, "ingestion.listing.page_spacing_s=0", *params])
    return ["run", "--env", "nasa", "--pipelines", "ingestion", "--params", joined]


def ingest(project: Path, server: ArchiveServer, *params: str) -> subprocess.CompletedProcess[str]:
    return kedro(project, *words(server, *params), timeout_s=120, PYTHONPATH=str(project / "src"))


def images(project: Path) -> dict[str, bytes]:
    folder = project / "data/nasa/01_raw/images_raw"
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*") if path.suffix != ".csv"}


def fetched(server: ArchiveServer) -> set[str]:
    """Names of the images that the server was asked to send."""
    names = {one.path.rpartition("/")[2] for one in server.requests if one.method == "GET"}
    return {stem(name) for name in names if name.lower().endswith((".jpg", ".png"))}


def stem(name: str) -> str:
    return name.lower().partition(".")[0]


def test_a_dry_run_prints_the_plan_and_fetches_no_image(project: Path, server: ArchiveServer) -> None:
    server.forget_requests()
    told = ingest(project, server, "ingestion.dry_run=true", f"ingestion.chosen={' '.join(SETS)}")
    assert told.returncode == 0, told.stdout + told.stderr
    for name in SETS:
        assert re.search(rf"^{name} +\w+/\w+ +\d+ +about [\d.]+ k?B +\d+ \(\d+\)", told.stdout, re.MULTILINE), name
    total = r"^\d+ frames selected, 0 of them stored; \d+ to fetch, about [\d.]+ kB\.$"
    assert re.search(total, told.stdout, re.MULTILINE)
    assert not (project / "data/nasa/01_raw/images_raw").exists()
    assert fetched(server) == set()


def test_what_a_killed_run_leaves_is_completed_and_not_fetched_twice(project: Path, server: ArchiveServer) -> None:
    chosen = "ingestion.chosen=opportunity_pancam_triplets opportunity_front_hazcam ingenuity_color"
    server.latency_s = 0.2
    server.forget_requests()
    command = [sys.executable, "-m", "kedro", *words(server, chosen, "ingestion.http.connections_per_host=2")]
    running = subprocess.Popen(
        command, cwd=project, env=quiet_environment(PYTHONPATH=str(project / "src")), stdout=subprocess.DEVNULL
    )
    until_s = time.monotonic() + 60
    while len(images(project)) < 3 and time.monotonic() < until_s:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    server.latency_s = 0.0
    before = images(project)
    assert 3 <= len(before) < 14
    server.forget_requests()
    told = ingest(project, server, chosen)
    assert told.returncode == 0, told.stdout + told.stderr
    after = images(project)
    assert {name: after[name] for name in before} == before
    assert fetched(server) & {stem(name) for name in before} == set()
    assert fetched(server)
    table = pd.read_parquet(project / "data/nasa/02_intermediate/frames_fetched.parquet")
    assert sorted(Path(path).name for path in table["path"]) == sorted(after)
    assert table["failure"].isna().all()
    assert not (project / "data/nasa/01_raw/images_raw/.incoming").exists()
    server.forget_requests()
    again = ingest(project, server, chosen)
    assert "0 to fetch." in again.stdout
    assert fetched(server) == set()


def test_without_a_network_one_sentence_says_so_within_a_minute(project: Path) -> None:
    started_s = time.monotonic()
    told = kedro(
        project, "run", "--env", "nasa", "--pipelines", "ingestion", "--params",
        "ingestion.addresses.raw_image_items=http://127.0.0.1:9/api/v1/raw_image_items",
        timeout_s=100, PYTHONPATH=str(project / "src"),
    )  # fmt: skip
    assert time.monotonic() - started_s < 60
    assert told.returncode == 1
    assert "127.0.0.1 cannot be reached" in told.stderr
    assert "Traceback" not in told.stdout + told.stderr


def test_a_retired_service_is_recognised(project: Path, server: ArchiveServer) -> None:
    (project / "conf/local/parameters_ingestion.yml").write_text(
        json.dumps({"ingestion": {"queries": [{"name": "old", "source": "mars_photos", "rover": "curiosity"}]}})
    )
    address = server.addresses("retired").mars_photos
    told = kedro(
        project, "run", "--pipelines", "ingestion", "--params", f"ingestion.addresses.mars_photos={address}",
        timeout_s=100, PYTHONPATH=str(project / "src"),
    )  # fmt: skip
    assert told.returncode == 1
    assert "NASA retired api.nasa.gov/mars-photos" in told.stderr
    assert "curiosity" in told.stderr


# --- the archives themselves

ASKED: dict[str, dict[str, Any]] = {
    "curiosity": {"cameras": ["mahli"], "sol_min": 1000, "sol_max": 1001},
    "insight": {"sol_min": 190, "sol_max": 192},
    "perseverance": {"cameras": ["mastcamz_left"], "sol_min": 250, "sol_max": 251},
    "ingenuity": {"sol_min": 100, "sol_max": 104},
    "exploration_rovers": {"rover": "opportunity", "cameras": ["front_hazcam_left"]},
}
"""A question to each archive that a few records answer; our own server answers it, too."""

ALSO_HELD = {"msl": range(1000, 1002), "insight": range(190, 193), "mars2020": range(250, 252)}
ALSO_HELD |= {"ingenuity": range(100, 105), "opportunity": range(1, 4)}


def listed(source: str, folder: Path, addresses: ArchiveAddresses | None = None) -> tuple[Any, list[Frame]]:
    """The archive, and the first of what it answers."""
    query = Query.model_validate({"name": source, "source": source, "limit": 5, **ASKED[source]})
    listing = ListingConfig(cache_folder=str(folder), page_spacing_s=0.0 if addresses else 0.75)
    config = IngestionConfig(queries=(query,), listing=listing, addresses=addresses or ArchiveAddresses())
    archive = open_source(query, config)
    return archive, list(archive.search(query))[:5]


def fields_of(record: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """Dotted name of every field of a record → the kind of its value; a null tells no kind."""
    fields: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            fields |= fields_of(value, f"{above}{name}.")
        else:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            fields[above + name] = "null" if value is None else "number" if number else type(value).__name__
    return fields


def changes(source: str, known: Iterable[Mapping[str, Any]], met: Iterable[Mapping[str, Any]]) -> str:
    """What has become of the fields that every known record has, in one sentence; nothing where all are there."""
    before, after = [fields_of(each) for each in known], [fields_of(each) for each in met]
    always = set.intersection(*map(set, before))
    gone = sorted(name for name in always if any(name not in each for each in after))
    kinds = {name: {each[name] for each in before if name in each} for name in always}
    other = sorted(
        f"{name} ({each[name]})"
        for name in always - set(gone)
        for each in after[:1]
        if "null" not in kinds[name] | {each[name]} and each[name] not in kinds[name]
    )
    told = [f"without {', '.join(gone)}"] * bool(gone) + [f"with other kinds of {', '.join(other)}"] * bool(other)
    return f"The archive asked by `{source}` has changed: its records come {' and '.join(told)}." if told else ""


@pytest.fixture(scope="module")
def known_records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Records of each source in the schema that the code was written for."""
    with archive_server(make_catalog(ALSO_HELD)) as ours:
        folder = tmp_path_factory.mktemp("known")
        answers = {source: listed(source, folder / source, ours.addresses())[1] for source in ASKED}
    return {source: [json.loads(frame.record) for frame in frames] for source, frames in answers.items()}


@pytest.mark.parametrize("source", ASKED)
def test_a_changed_schema_is_told_in_a_sentence(source: str, known_records: dict[str, list[dict[str, Any]]]) -> None:
    known = known_records[source]
    assert known and changes(source, known, known) == ""
    flat = next(name for name, value in known[0].items() if isinstance(value, str))
    without = [{name: value for name, value in record.items() if name != flat} for record in known]
    assert changes(source, known, without).endswith(f"records come without {flat}.")
    assert changes(source, known, [{**record, flat: 7} for record in known]).endswith(
        f"other kinds of {flat} (number)."
    )
    assert changes(source, known, [{**record, "something_new": 7} for record in known]) == "", "more fields do no harm"


@pytest.mark.remote
@pytest.mark.skipif("ROVERVISION_REMOTE" not in os.environ, reason="asks the archives: set ROVERVISION_REMOTE=1")
@pytest.mark.parametrize("source", ASKED)
def test_the_archive_answers_as_it_did(
    source: str, known_records: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    told = ""
    try:
        archive, frames = listed(source, tmp_path)
        picture = decode_image(archive.fetch(frames[0])) if frames else None
    except RovervisionError as error:
        told = f"The archive asked by `{source}` cannot be used: {error}"
    else:
        told = changes(source, known_records[source], [json.loads(frame.record) for frame in frames])
        told = told if frames else f"The archive asked by `{source}` has no answer any more to {ASKED[source]}."
    if told:
        pytest.fail(told, pytrace=False)
    assert picture is not None and picture.ndim in (2, 3)
    assert {frame.camera for frame in frames} <= set(ASKED[source].get("cameras", [frame.camera for frame in frames]))
    assert all(frame.url.startswith("https://") for frame in frames)
