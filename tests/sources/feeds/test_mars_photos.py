"""Services of the retired schema: one question a sol, counts instead of times, and the retired service itself."""

from pathlib import Path
from typing import Any

import pytest

from rovervision.errors import RovervisionError
from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.feeds.mars_photos import MarsPhotosSource
from rovervision.sources.frame import Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import FetchError
from tests.sources.feeds.fakes import PHOTOS, FakePhotos, FakeTransport, photo


def source(fake: FakePhotos, folder: Path, **settings: Any) -> tuple[MarsPhotosSource, FakeTransport]:
    transport = FakeTransport(fake.routes())
    listing = ListingConfig(cache_folder=str(folder), relist_sols=2)
    return MarsPhotosSource(transport, PHOTOS + "/", listing, HttpConfig(), **settings), transport


def query(**asked: Any) -> Query:
    return Query(**({"name": "q", "source": "mars_photos"} | asked))


def test_a_photo_becomes_a_frame(tmp_path: Path) -> None:
    (frame,) = source(FakePhotos([photo(n=486265257)]), tmp_path)[0].search(query(rover="curiosity"))
    assert frame.frame_id == "NLB_486265257EDR_F0481570NCAM00323M_"
    assert frame.url.startswith("https://mars.jpl.nasa.gov/msl-raw-images/")
    assert (frame.rover, frame.camera, frame.sol, frame.sample_type) == ("curiosity", "navcam_left", 1000, "full")
    assert frame.taken_utc is None, "earth_date is computed, and may be a day off"


@pytest.mark.parametrize("pages_always", [False, True])
@pytest.mark.parametrize("count", [3, 25, 60, 75])
def test_every_photo_of_a_sol_comes_once_whether_the_service_pages_or_not(
    tmp_path: Path, pages_always: bool, count: int
) -> None:
    fake = FakePhotos([photo(n=n) for n in range(count)], pages_always=pages_always)
    mars_photos, transport = source(fake, tmp_path)
    frames = list(mars_photos.search(query()))
    assert len({frame.frame_id for frame in frames}) == len(frames) == count
    assert "page" not in transport.asked[1][1]


def test_only_sols_that_hold_the_camera_are_asked(tmp_path: Path) -> None:
    fake = FakePhotos([photo(sol=1), photo(sol=5, camera="MAHLI", letters="NLA"), photo(sol=900)])
    mars_photos, transport = source(fake, tmp_path)
    assert [frame.sol for frame in mars_photos.search(query(cameras=["navcam_left"]))] == [900, 1]
    assert [params for _, params in transport.asked[1:]] == [
        {"sol": "900", "camera": "navcam"},
        {"sol": "1", "camera": "navcam"},
    ]


def test_left_and_right_are_told_apart_by_the_name(tmp_path: Path) -> None:
    fake = FakePhotos([photo(n=1), photo(n=2, letters="NRB")])
    assert [f.camera for f in source(fake, tmp_path)[0].search(query(cameras=["navcam_right"]))] == ["navcam_right"]


def test_a_second_listing_asks_once_and_counts_show_what_came_in_late(tmp_path: Path) -> None:
    fake = FakePhotos([photo(sol=sol, n=sol) for sol in (1, 2, 3, 50)])
    listed = list(source(fake, tmp_path)[0].search(query()))
    mars_photos, transport = source(fake, tmp_path)
    assert list(mars_photos.search(query())) == listed
    assert len(transport.asked) == 1
    fake.photos.append(photo(sol=2, n=222))
    mars_photos, transport = source(fake, tmp_path)
    assert len(list(mars_photos.search(query()))) == 5
    assert [params["sol"] for _, params in transport.asked[1:]] == ["50", "2"]


def test_newest_photos_serve_where_there_is_no_manifest(tmp_path: Path) -> None:
    fake = FakePhotos([photo(sol=8), photo(sol=10, n=3)], has_manifest=False)
    assert [frame.sol for frame in source(fake, tmp_path)[0].search(query(newest_sols=3))] == [10, 8]


@pytest.mark.parametrize("reason", ["not_found", "html_page"])
def test_the_retired_service_is_recognised_and_its_successors_are_named(tmp_path: Path, reason: Any) -> None:
    def gone(params: dict[str, str]) -> Any:
        raise FetchError(reason, "no such app.")

    fake = FakePhotos([photo()])
    transport = FakeTransport(dict.fromkeys(fake.routes(), gone))
    mars_photos = MarsPhotosSource(transport, PHOTOS, ListingConfig(cache_folder=str(tmp_path)), HttpConfig())
    with pytest.raises(RovervisionError, match="retired") as caught:
        list(mars_photos.search(query()))
    for word in ("ingestion.addresses.mars_photos", "`curiosity`", "`perseverance`", "`exploration_rovers`", PHOTOS):
        assert word in str(caught.value)


def test_a_service_that_is_down_is_not_called_retired(tmp_path: Path) -> None:
    def down(params: dict[str, str]) -> Any:
        raise FetchError("unreachable", "no connection.")

    transport = FakeTransport(dict.fromkeys(FakePhotos([photo()]).routes(), down))
    mars_photos = MarsPhotosSource(transport, PHOTOS, ListingConfig(cache_folder=str(tmp_path)), HttpConfig())
    with pytest.raises(FetchError, match="no connection") as caught:
        list(mars_photos.search(query()))
    assert caught.value.reason == "unreachable"
    assert "retired" not in str(caught.value)


def test_the_key_is_read_at_the_first_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTOS_KEY", raising=False)
    mars_photos, transport = source(FakePhotos([photo()]), tmp_path, key_variable="PHOTOS_KEY")
    frames = mars_photos.search(query())
    monkeypatch.setenv("PHOTOS_KEY", " secret\n")
    assert len(list(frames)) == 1
    assert transport.headers == [{"X-API-Key": "secret"}] * 2
    monkeypatch.delenv("PHOTOS_KEY")
    with pytest.raises(RovervisionError, match="variable PHOTOS_KEY"):
        list(mars_photos.search(query()))


def test_no_key_is_sent_where_none_is_wanted(tmp_path: Path) -> None:
    mars_photos, transport = source(FakePhotos([photo()]), tmp_path)
    list(mars_photos.search(query()))
    assert set(transport.headers) == {None}


def test_unknown_rovers_and_cameras_are_refused(tmp_path: Path) -> None:
    mars_photos, transport = source(FakePhotos([photo()]), tmp_path)
    with pytest.raises(RovervisionError, match="unknown rover `sojourner`"):
        mars_photos.search(query(rover="sojourner"))
    with pytest.raises(RovervisionError, match=r"unknown camera `navcam`. Did you mean `navcam_"):
        mars_photos.search(query(cameras=["navcam"]))
    assert transport.asked == []


def test_photos_of_another_rover_do_not_enter(tmp_path: Path) -> None:
    fake = FakePhotos([photo(n=1), photo(n=2, rover="Spirit")])
    assert len(list(source(fake, tmp_path)[0].search(query()))) == 1
