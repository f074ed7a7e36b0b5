"""The environment `nasa`, as a person runs it, against a server of ours that stands in for every archive."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

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
