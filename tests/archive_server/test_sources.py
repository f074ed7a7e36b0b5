"""Every source that asks the web, against the archives as they are: what it lists, what it brings, what is new."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import FetchError
from rovervision.sources.registry import IngestionConfig, open_source
from tests.archive_server.catalog import make_catalog
from tests.archive_server.faults import Fault, Kind
from tests.archive_server.images import appearance, image_bytes
from tests.archive_server.server import ArchiveServer, archive_server

MISSIONS = {
    "curiosity": "msl", "insight": "insight", "perseverance": "mars2020", "ingenuity": "ingenuity",
    "exploration_rovers": "opportunity",
}  # fmt: skip
SOLS = {
    "msl": range(1000, 1016), "insight": range(190, 193), "mars2020": range(100, 112), "ingenuity": [100, 104],
    "opportunity": range(1, 5), "spirit": range(1, 3),
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[ArchiveServer]:
    with archive_server(make_catalog(SOLS)) as running:
        yield running


def config_for(server: ArchiveServer, folder: Path, query: Query) -> IngestionConfig:
    return IngestionConfig(
        queries=(query,),
        addresses=server.addresses(),
        http=HttpConfig(attempts=3, backoff_s=0.005, read_timeout_s=2.0),
        listing=ListingConfig(cache_folder=str(folder), page_spacing_s=0.0, relist_sols=2),
        download_folder=str(folder),
    )


def listed(server: ArchiveServer, folder: Path, source: str, **asked: object) -> list[Frame]:
    query = Query.model_validate({"name": source, "source": source} | asked)
    return list(open_source(query, config_for(server, folder, query)).search(query))


def names_of(frames: list[Frame]) -> set[str]:
    return {frame.file_name for frame in frames}


@pytest.mark.parametrize("source", MISSIONS)
def test_everything_is_listed_once(server: ArchiveServer, tmp_path: Path, source: str) -> None:
    rover = {"rover": "opportunity"} if source == "exploration_rovers" else {}
    frames = listed(server, tmp_path, source, **rover)
    pictures = {name for name in server.catalog.names(MISSIONS[source]) if name[11:14] != "erp"}
    assert names_of(frames) == pictures
    assert len(frames) == len(pictures)


@pytest.mark.parametrize("source", MISSIONS)
def test_frames_are_described_as_they_are(server: ArchiveServer, tmp_path: Path, source: str) -> None:
    for frame in listed(server, tmp_path, source):
        assert frame.taken_utc is not None
        assert frame.received_utc is not None
        assert frame.taken_utc < frame.received_utc
        assert frame.sol is not None
        expected = {"narrow_band": "gray"}.get(frame.color_type, frame.color_type)
        assert expected in (appearance(frame.file_name), "unknown"), frame.file_name
        assert frame.camera != "unknown"


@pytest.mark.parametrize("source", MISSIONS)
def test_images_come_whole(server: ArchiveServer, tmp_path: Path, source: str) -> None:
    query = Query(name=source, source=source, limit=40)
    archive = open_source(query, config_for(server, tmp_path, query))
    for frame in archive.search(query):
        assert archive.fetch(frame) == image_bytes(frame.file_name)


def test_a_label_comes_with_its_image(server: ArchiveServer, tmp_path: Path) -> None:
    query = Query(name="labels", source="exploration_rovers", file_kind="label", cameras=("pancam_left",), limit=5)
    archive = open_source(query, config_for(server, tmp_path, query))
    frames = list(archive.search(query))
    assert [frame.file_name[-4:] for frame in frames] == [".img"] * 5
    assert [archive.fetch(frame) for frame in frames] == [image_bytes(frame.file_name) for frame in frames]


@pytest.mark.parametrize("source", ["curiosity", "perseverance"])
@pytest.mark.parametrize("asked", [{"newest_sols": 3}, {"since_last_run": True, "sol_min": 100}])
def test_what_comes_down_later_is_listed_even_of_old_sols(
    tmp_path: Path, source: str, asked: dict[str, object]
) -> None:
    mission = MISSIONS[source]
    with archive_server(make_catalog({mission: SOLS[mission]})) as server:
        old, new = min(SOLS[mission]) + 1, max(SOLS[mission]) + 1
        before = names_of(listed(server, tmp_path, source, **asked))
        late = {*server.catalog.add_downlink(mission, old)}
        fresh = {*server.catalog.add_downlink(mission, new)}
        after = names_of(listed(server, tmp_path, source, **asked))
        assert late | fresh <= after - before
        again = names_of(listed(server, tmp_path, source, **asked))
        assert late | fresh <= again if "since_last_run" in asked else fresh <= again


def test_the_legacy_schema_at_a_clone(server: ArchiveServer, tmp_path: Path) -> None:
    frames = listed(server, tmp_path, "mars_photos", rover="perseverance", sol_min=103, sol_max=105)
    wanted = {
        image["image_files"]["large"].rpartition("/")[2]
        for image in server.catalog.images["mars2020"]
        if image["sample_type"] == "Full" and 103 <= image["sol"] <= 105
    }
    assert names_of(frames) == wanted


def test_the_retired_service_is_recognised(server: ArchiveServer, tmp_path: Path) -> None:
    query = Query(name="legacy", source="mars_photos", rover="curiosity", sol_min=1000, sol_max=1001)
    config = config_for(server, tmp_path, query).model_copy(update={"addresses": server.addresses("retired")})
    with pytest.raises(FetchError, match="retired"):
        list(open_source(query, config).search(query))


@pytest.mark.parametrize("kind", Kind)
def test_each_fault_ends_as_it_should(server: ArchiveServer, tmp_path: Path, kind: Kind) -> None:
    query = Query(name="one", source="perseverance", cameras=("navcam_left",), limit=1)
    config = config_for(server, tmp_path, query)
    config = config.model_copy(update={"http": config.http.model_copy(update={"read_timeout_s": 0.2})})
    archive = open_source(query, config)
    (frame,) = archive.search(query)
    server.faults = {frame.file_name: Fault(kind, delay_s={Kind.SLOW: 0.02, Kind.SILENT: 0.5}.get(kind, 0.0))}
    server.forget_requests()
    try:
        if kind.is_recoverable:
            assert archive.fetch(frame) == image_bytes(frame.file_name)
        else:
            with pytest.raises(FetchError) as caught:
                archive.fetch(frame)
            assert caught.value.reason == kind.reason
        assert server.count("/elsewhere/") == 0
    finally:
        server.faults = {}
