"""Perseverance and Ingenuity: each quirk of `rss/api`, and what a record becomes."""

import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from rovervision.errors import RovervisionError
from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.feeds.feed import SolRange
from rovervision.sources.feeds.perseverance import PerseveranceSource, RssCategory, RssFeed
from rovervision.sources.frame import Frame, MeasuringSource, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import FetchError
from tests.sources.feeds.fakes import RSS, FakeRss, FakeTransport, rss_record


def source(fake: Any, folder: Path, category: RssCategory = "mars2020") -> tuple[PerseveranceSource, FakeTransport]:
    transport = FakeTransport({RSS: fake})
    listing = ListingConfig(cache_folder=str(folder))
    return PerseveranceSource(transport, RSS, listing, HttpConfig(), category), transport


def query(**asked: Any) -> Query:
    return Query(**({"name": "q", "source": "perseverance"} | asked))


def search(fake: Any, folder: Path, category: RssCategory = "mars2020", **asked: Any) -> list[Frame]:
    return list(source(fake, folder, category)[0].search(query(**asked)))


def test_a_record_becomes_a_frame(tmp_path: Path) -> None:
    record = rss_record(n=813073669, credit="NASA/JPL-Caltech/ASU")
    (frame,) = search(FakeRss([record]), tmp_path)
    assert frame.frame_id == "NLF_1646_0813073669_097ECM_N0791204NCAM00595_01_195J01"
    assert frame.file_name == frame.frame_id + ".png"
    assert (frame.source, frame.rover, frame.camera, frame.sol) == ("perseverance", "perseverance", "navcam_left", 1646)
    assert frame.taken_utc == "2025-10-07T02:08:38.572Z"  # the feed leaves the zone out
    assert frame.received_utc == "2025-10-07T13:35:54Z"
    assert (frame.sclk_s, frame.site) == (813073669.716, "079")
    assert (frame.width_px, frame.height_px) == (1288, 968)
    assert (frame.sample_type, frame.product_type, frame.version) == ("full", "ECM", "01")
    assert (frame.filter, frame.color_type, frame.credit) == ("F", "color", "NASA/JPL-Caltech/ASU")
    assert json.loads(frame.record) == record


def test_it_is_a_source_that_measures(tmp_path: Path) -> None:
    perseverance, _ = source(FakeRss([rss_record()]), tmp_path)
    (frame,) = perseverance.search(query())
    assert isinstance(perseverance, MeasuringSource)
    assert perseverance.size_bytes(frame) == len(frame.url)


def test_a_question_names_order_sols_and_cameras_and_nothing_twice() -> None:
    request = RssFeed(RSS + "/").request(SolRange(3, 27), ("MCZ_LEFT", "MCZ_RIGHT"), 4)
    assert request.url == RSS + "/"
    assert request.params == {
        "feed": "raw_images", "category": "mars2020", "feedtype": "json", "ver": "1.2", "num": "100", "page": "4",
        "order": "sol desc", "condition_2": "3:sol:gte", "condition_3": "27:sol:lte", "search": "|MCZ_LEFT|MCZ_RIGHT",
    }  # fmt: skip
    arrivals = RssFeed(RSS).arrivals_request("2025-10-07T02:26:56Z", (), 0)
    assert arrivals.params["condition_2"] == "2025-10-07T02:26:56Z:date_received:gte"
    assert arrivals.params["order"] == "date_received desc"
    assert "search" not in arrivals.params
    (latest,) = RssFeed(RSS, "ingenuity").latest_requests()
    assert latest.params.items() >= {"latest": "true", "category": "ingenuity", "order": "sol desc"}.items()


def test_requests_keep_their_distance(tmp_path: Path) -> None:
    perseverance, transport = source(FakeRss([rss_record()]), tmp_path)
    list(perseverance.search(query()))
    assert transport.spacings_s and set(transport.spacings_s) == {0.75}


def test_all_pages_are_read_and_a_short_one_is_the_last(tmp_path: Path) -> None:
    perseverance, transport = source(FakeRss([rss_record(n=n) for n in range(250)]), tmp_path)
    frames = list(perseverance.search(query(sol_min=1625, sol_max=1649)))
    assert len({frame.frame_id for frame in frames}) == len(frames) == 250
    assert [params.get("page") for _, params in transport.asked] == ["0", "0", "1", "2"]


def test_the_answer_says_how_full_a_page_can_be(tmp_path: Path) -> None:
    assert len(search(FakeRss([rss_record(n=n) for n in range(250)], cap=40), tmp_path)) == 250


def test_a_server_that_always_gives_its_first_page_is_asked_once_more_and_no_more(tmp_path: Path) -> None:
    fake = FakeRss([rss_record(n=n) for n in range(250)])
    perseverance, transport = source(lambda params: fake(params | {"page": "0"}), tmp_path)
    assert len(list(perseverance.search(query(sol_min=1646)))) == 100
    assert len(transport.asked) == 3


def test_images_that_come_in_between_two_pages_cost_no_other_image(tmp_path: Path) -> None:
    fake = FakeRss([rss_record(n=n) for n in range(250)])
    before = {record["imageid"] for record in fake.records}

    def grow(page: int) -> None:
        fake.records = (
            [rss_record(n=1000 + page * 7 + i) for i in range(7)] + fake.records if page == 1 else fake.records
        )

    fake.grows = grow
    listed = [json.loads(frame.record)["imageid"] for frame in search(fake, tmp_path, sol_min=1646)]
    assert len(listed) == len(set(listed))
    assert before <= set(listed)


def test_the_newest_images_never_stand_in_for_a_sol_without_any(tmp_path: Path) -> None:
    fake = FakeRss([rss_record(sol=1646, n=n) for n in range(150)])
    assert fake({"category": "mars2020", "order": "sol desc", "num": "100", "page": "0", "condition_2": "7:sol:gte",
                 "condition_3": "8:sol:lte"})["images"], "the fake falls back"  # fmt: skip
    perseverance, transport = source(fake, tmp_path)
    assert list(perseverance.search(query(sol_min=7, sol_max=8))) == []
    assert len(transport.asked) == 2, "the fallback is not read to its end"


def test_single_sols_of_a_fallback_do_not_enter(tmp_path: Path) -> None:
    fake = FakeRss([rss_record(sol=10, n=1), rss_record(sol=1646, n=2)])
    answer = fake({"category": "mars2020", "order": "sol desc", "num": "100", "page": "0"})
    mixed = lambda params: fake.summary() if "latest" in params else answer  # noqa: E731
    assert [frame.sol for frame in search(mixed, tmp_path, sol_min=10, sol_max=10)] == [10]


@pytest.mark.parametrize("category", ["mars2020", "ingenuity"])
def test_records_of_the_other_vehicle_do_not_enter(tmp_path: Path, category: RssCategory) -> None:
    helicopter = rss_record(n=1, instrument="HELI_RTE", letters="HSF")
    fake = FakeRss([helicopter, rss_record(n=2), rss_record(n=3, letters="NRF", instrument="NAVCAM_RIGHT")])
    fake.category = category
    frames = search(fake, tmp_path, category)
    assert {frame.rover for frame in frames} == {"perseverance" if category == "mars2020" else "ingenuity"}
    assert len(frames) == (2 if category == "mars2020" else 1)


def test_an_answer_that_says_it_is_of_another_mission_does_not_enter(tmp_path: Path) -> None:
    fake = FakeRss([rss_record()])

    def other(params: dict[str, str]) -> Any:
        answer = fake(params)
        return answer if "latest" in params else answer | {"mission": "ingenuity"}

    assert search(other, tmp_path) == []


def test_ingenuity_is_a_rover_of_its_own(tmp_path: Path) -> None:
    fake = FakeRss([rss_record(sol=600, instrument="HELI_RTE", letters="HSF")], category="ingenuity")
    (frame,) = search(fake, tmp_path, "ingenuity", source="ingenuity", rover="ingenuity", cameras=["heli_rte"])
    assert (frame.source, frame.rover, frame.camera, frame.color_type) == (
        "ingenuity",
        "ingenuity",
        "heli_rte",
        "color",
    )


def test_cameras_that_the_server_does_not_sort_out_are_sorted_out_here(tmp_path: Path) -> None:
    fake = FakeRss([rss_record(n=1), rss_record(n=2, instrument="NAVCAM_RIGHT", letters="NRF")])
    blind = lambda params: fake({key: value for key, value in params.items() if key != "search"})  # noqa: E731
    assert [frame.camera for frame in search(blind, tmp_path, cameras=["navcam_right"])] == ["navcam_right"]
    kept = b"".join(gzip.decompress(path.read_bytes()) for path in tmp_path.rglob("*.jsonl.gz"))
    assert b"NAVCAM_RIGHT" in kept and b"NAVCAM_LEFT" not in kept


def test_both_computers_cameras_are_one_camera_of_ours(tmp_path: Path) -> None:
    fake = FakeRss(
        [
            rss_record(n=1, instrument="FRONT_HAZCAM_LEFT_A", letters="FLF"),
            rss_record(n=2, instrument="FRONT_HAZCAM_LEFT_B", letters="BLF"),
            rss_record(n=3, instrument="FRONT_HAZCAM_RIGHT_A", letters="FRF"),
        ]
    )
    assert len(search(fake, tmp_path, cameras=["front_hazcam_left"])) == 2


def test_sample_types_are_compared_in_lower_case_and_on_this_side(tmp_path: Path) -> None:
    fake = FakeRss([rss_record(n=1), rss_record(n=2, sample_type="Thumbnail"), rss_record(n=3, sample_type="full")])
    assert len(search(fake, tmp_path, sample_types=["full"])) == 2
    assert len(search(fake, tmp_path, sample_types=["thumbnail"])) == 1


def test_a_thumbnail_by_its_name_is_one_whatever_the_record_says(tmp_path: Path) -> None:
    record = rss_record()
    record["image_files"]["full_res"] = record["image_files"]["full_res"].replace("ECM_N", "ECM_T")
    (frame,) = search(FakeRss([record]), tmp_path)
    assert frame.sample_type == "thumbnail"


def test_nothing_is_made_of_unknown_values(tmp_path: Path) -> None:
    empty = {"sclk": "UNK", "dimension": "UNK", "subframeRect": "(1,1,5120,3840)"}
    record = rss_record(
        extended=empty, site=None, date_taken_utc="UNK", date_received=None, credit=None, sample_type="UNK", drive="UNK"
    )
    answer = {"images": [record | {"sol": "1646"}], "page": "0"}
    latest = {"latest": "2025-10-07T14:26:56Z", "latest_sol": 1646}
    (frame,) = search(lambda params: latest if "latest" in params else answer, tmp_path)
    assert (frame.taken_utc, frame.received_utc, frame.width_px, frame.height_px) == (None, None, None, None)
    assert frame.sclk_s == 0.097, "the name knows it"
    assert (frame.site, frame.credit, frame.sample_type) == ("079", "NASA/JPL-Caltech", "full")


def test_date_taken_serves_where_the_newer_field_is_missing(tmp_path: Path) -> None:
    record = rss_record(date_taken="2021-03-01T00:00:00Z")
    del record["date_taken_utc"]
    (frame,) = search(FakeRss([record]), tmp_path)
    assert frame.taken_utc == "2021-03-01T00:00:00Z"


@pytest.mark.parametrize("cap", [1, 100])
def test_a_record_that_comes_twice_is_listed_once_and_a_new_version_is_another_file(tmp_path: Path, cap: int) -> None:
    fake = FakeRss([rss_record(n=1), rss_record(n=1), rss_record(n=1, version="02")][cap == 1 :], cap=cap)
    assert [frame.version for frame in search(fake, tmp_path)] == ["01", "02"]


def test_one_bad_record_is_passed_over_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bad = rss_record(n=2, image_files={"full_res": None})
    with caplog.at_level(logging.WARNING):
        assert len(search(FakeRss([rss_record(n=1), bad]), tmp_path)) == 1
    assert "perseverance: 1 records were passed over; of the first, it has no usable address" in caplog.text


@pytest.mark.parametrize("lost", ["image_files", "sol"])
def test_a_page_without_one_readable_record_is_a_changed_schema(tmp_path: Path, lost: str) -> None:
    records = [rss_record(n=n) for n in range(3)]
    for record in records:
        del record[lost]
    answer = {"images": records, "per_page": "100", "page": 0}
    latest = {"latest": "2025-10-07T14:26:56Z", "latest_sol": 1646}
    with pytest.raises(FetchError, match="The feed of perseverance has changed: none of 3 records") as caught:
        search(lambda params: latest if "latest" in params else answer, tmp_path)
    assert caught.value.reason == "unexpected_answer"


@pytest.mark.parametrize(
    ("summary", "answer", "field"),
    [
        ({"latest_sol": 3}, {}, "`latest`"),
        ({"latest": "2025-10-07T14:26:56Z"}, {}, "`latest_sol`"),
        ([], {}, "`latest`"),
        ({"latest": "2025-10-07T14:26:56Z", "latest_sol": 3}, {"pictures": []}, "`images`"),
        ({"latest": "2025-10-07T14:26:56Z", "latest_sol": 3}, [1], "`images`"),
    ],
)
def test_a_changed_schema_is_named_by_field_and_feed(tmp_path: Path, summary: Any, answer: Any, field: str) -> None:
    with pytest.raises(FetchError, match=f"feed of perseverance has changed.*{field}") as caught:
        search(lambda params: summary if "latest" in params else answer, tmp_path)
    assert caught.value.reason == "unexpected_answer"


@pytest.mark.parametrize("body", [{"message": "No more images."}, "No more images"])
def test_no_more_images_is_an_end_not_a_failure(tmp_path: Path, body: Any) -> None:
    latest = {"latest": "2025-10-07T14:26:56Z", "latest_sol": 3}
    assert search(lambda params: latest if "latest" in params else body, tmp_path) == []


def test_an_unknown_category_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RovervisionError, match=r"rss/api, asked for images of perseverance.*404.*addresses\.rss_api"):
        search(FakeRss([rss_record()], category="msl"), tmp_path)


def test_unknown_cameras_and_rovers_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    perseverance, transport = source(FakeRss([rss_record()]), tmp_path)
    with pytest.raises(RovervisionError, match=r"camera `mastcam_left`. Did you mean `mastcamz_left`\? Known: nav"):
        perseverance.search(query(cameras=["mastcam_left"]))
    with pytest.raises(RovervisionError, match="rover `ingenuity`; it has perseverance only"):
        perseverance.search(query(rover="ingenuity"))
    assert transport.asked == []
