"""Thousands of images of which every tenth misbehaves: the good ones arrive, and of the others it is told why."""

import csv
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from rovervision.datasets.image_folder import FAILURES_NAME, ImageFolderDataset
from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.feeds.curiosity import CuriositySource
from rovervision.sources.feeds.perseverance import PerseveranceSource
from rovervision.sources.fetch_plan import FetchPlan, FetchTerms, FrameFetch, origin_of, stored_name
from rovervision.sources.frame import Frame, Query, Source
from rovervision.sources.http.addresses import allowed_hosts
from rovervision.sources.http.client import HttpTransport
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import FailureReason
from tests.archive_server.catalog import make_catalog
from tests.archive_server.faults import Fault, Kind, sow_faults
from tests.archive_server.images import image_bytes
from tests.archive_server.server import ArchiveServer, archive_server

THREADS = 8
HTTP = HttpConfig(
    connections_per_host=THREADS, attempts=3, backoff_s=0.005, backoff_max_s=0.02, read_timeout_s=0.5
)  # fmt: skip


def sources(server: ArchiveServer, folder: Path) -> dict[str, Source]:
    transport = HttpTransport(HTTP, allowed_hosts(HTTP, server.addresses()))
    listing = ListingConfig(cache_folder=str(folder / "listings"), page_spacing_s=0.0)
    addresses = server.addresses()
    return {
        "curiosity": CuriositySource(transport, addresses.raw_image_items, listing, HTTP),
        "perseverance": PerseveranceSource(transport, addresses.rss_api, listing, HTTP),
    }


def plan(frames: list[Frame], archives: dict[str, Source]) -> FetchPlan:
    promises = {stored_name(frame): FrameFetch(archives[frame.source], frame, origin_of(frame, "")) for frame in frames}
    return FetchPlan(promises, terms=FetchTerms(attempts=1, max_failed_frac=0.2, threads=THREADS))


@pytest.mark.slow
def test_every_good_image_arrives_and_every_bad_one_is_told(tmp_path: Path) -> None:
    catalog = make_catalog({"msl": range(1000, 1104), "mars2020": range(100, 232)})
    names = [*catalog.names("msl"), *catalog.names("mars2020")]
    faults = sow_faults(names, 0.1, seed=8, slow_s=0.05, silent_s=2.0)
    bad = {name: fault.kind.reason for name, fault in faults.items() if not fault.kind.is_recoverable}
    assert len(names) >= 5_000
    assert {fault.kind for fault in faults.values()} == {*Kind}, "the seed leaves out a fault"

    with archive_server(catalog, faults=faults, latency_s=0.002) as server:
        archives = sources(server, tmp_path)
        listed = chain.from_iterable(
            source.search(Query(name=name, source=name)) for name, source in archives.items()
        )  # fmt: skip
        frames = list({stored_name(frame): frame for frame in listed}.values())
        ImageFolderDataset(filepath=str(tmp_path / "images")).save(plan(frames, archives))
        assert server.count("/elsewhere/") == 0, "a redirect was followed to a host that is not allowed"
        assert 1 < server.most_at_once <= THREADS
        with (tmp_path / "images" / FAILURES_NAME).open(newline="") as file:
            told = {row["file"]: row["reason"] for row in csv.DictReader(file)}
        server.forget_requests()
        good = [frame for frame in frames if frame.file_name not in bad]
        ImageFolderDataset(filepath=str(tmp_path / "images")).save(plan(good, archives))
        assert server.count() == 0, "what was whole was fetched again"

    stored = {
        path.name: path.read_bytes() for path in (tmp_path / "images").iterdir() if path.suffix in (".png", ".jpg")
    }
    held = {frame.file_name: stored_name(frame) for frame in frames}

    assert {*held} == {*names}
    reasons = {name: told[stored] for name, stored in held.items() if stored in told}
    assert reasons == bad, wrong(reasons, bad, faults)
    assert len(told) == len(bad)
    assert {*stored} == {held[name] for name in names if name not in bad}
    assert [name for name in names if name not in bad and stored[held[name]] != image_bytes(name)] == []


def wrong(reasons: dict[str, str], bad: dict[str, FailureReason | None], faults: dict[str, Fault]) -> str:
    """Count what was told of which fault where another reason was due."""
    names = [name for name in {*reasons, *bad} if reasons.get(name) != bad.get(name)]
    fault_of = {name: faults[name].kind.name if name in faults else "none" for name in names}
    return str(Counter((fault_of[name], reasons.get(name, "nothing")) for name in names))
