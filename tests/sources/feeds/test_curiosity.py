"""Curiosity and InSight: what the service does, and what an item becomes."""

import json
from pathlib import Path
from typing import Any

import pytest

from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.feeds.curiosity import CuriositySource, ItemsFeed, ItemsMission
from rovervision.sources.feeds.feed import SolRange
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import FetchError
from tests.sources.feeds.fakes import ITEMS, FakeItems, FakeTransport, item


def source(fake: FakeItems, folder: Path) -> tuple[CuriositySource, FakeTransport]:
    transport = FakeTransport(fake.routes())
    mission: ItemsMission = "insight" if fake.mission == "insight" else "msl"
    return CuriositySource(transport, ITEMS, ListingConfig(cache_folder=str(folder)), HttpConfig(), mission), transport


def search(fake: FakeItems, folder: Path, **asked: Any) -> list[Frame]:
    return list(source(fake, folder)[0].search(Query(**({"name": "q", "source": "curiosity"} | asked))))


def test_an_item_becomes_a_frame(tmp_path: Path) -> None:
    record = item(n=813038955, received="2025-10-07T11:12:08.000Z")
    (frame,) = search(FakeItems([record]), tmp_path)
    assert frame.frame_id == "NLB_813038955EDR_F1190000NCAM00445M_"
    assert (frame.source, frame.rover, frame.camera, frame.sol) == ("curiosity", "curiosity", "navcam_left", 4681)
    assert (frame.taken_utc, frame.received_utc) == ("2025-10-06T17:16:46Z", "2025-10-07T11:12:08Z")
    assert (frame.sclk_s, frame.site, frame.sample_type, frame.product_type) == (813038955.646, "119", "full", "EDR")
    assert (frame.width_px, frame.height_px) == (None, None), "subframe_rect is pixels of the detector"
    assert (frame.color_type, frame.credit) == ("gray", "NASA/JPL-Caltech")
    assert json.loads(frame.record) == record


def test_an_early_mastcam_item_with_nothing_known_of_it(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("site", "drive", "spacecraft_clock", "subframe_rect", "xyz", "attitude", "is_thumbnail"))
    url = "http://mars.jpl.nasa.gov/msl-raw-images/msss/00001/mcam/0001MR0000000010100001C00_DXXX.jpg"
    record = item(sol=1, instrument="MAST_RIGHT", url=url, extended={}, image_credit="NASA/JPL-Caltech/MSSS", **nothing)
    record |= {"imageid": "0001MR0000000010100001C00_DXXX", "https_url": None}
    (frame,) = search(FakeItems([record]), tmp_path)
    assert frame.url == url.replace("http:", "https:")
    assert (frame.camera, frame.sample_type, frame.color_type) == ("mastcam_right", "full", "mosaic")
    assert (frame.sclk_s, frame.site, frame.credit) == (None, None, "NASA/JPL-Caltech/MSSS")


def test_a_filter_of_the_wheel_is_known_from_the_record_alone(tmp_path: Path) -> None:
    url = "https://mars.nasa.gov/msl-raw-images/msss/00001/mcam/0001MR0000000010100001C00_DXXX.jpg"
    for told, wheel, color in (("MASTCAM_R3", "3", "narrow_band"), ("MASTCAM_R0", "0", "mosaic"), (None, "", "mosaic")):
        record = item(instrument="MAST_RIGHT", https_url=url, extended={"filter_name": told})
        (frame,) = search(FakeItems([record]), tmp_path / str(told))
        assert (frame.filter, frame.color_type) == (wheel, color)


def test_a_chemcam_item_takes_its_sample_type_from_the_name(tmp_path: Path) -> None:
    url = "https://mars.nasa.gov/x/ccam/CR0_813038955PRC_F1190000CCAM01310_AUTOPROCESS.PNG"
    record = item(instrument="CHEMCAM_RMI", https_url=url, extended={"sample_type": "chemcam prc"})
    (frame,) = search(FakeItems([record]), tmp_path)
    assert (frame.camera, frame.sample_type, frame.product_type) == ("chemcam_rmi", "full", "PRC")
    assert frame.frame_id == "CR0_813038955PRC_F1190000CCAM01310_AUTOPROCESS"


@pytest.mark.parametrize("told", [{"is_thumbnail": True}, {"extended": {"sample_type": "thumbnail"}}])
def test_thumbnails_by_flag_or_by_word(tmp_path: Path, told: dict[str, Any]) -> None:
    (frame,) = search(FakeItems([item(**told)]), tmp_path)
    assert frame.sample_type == "thumbnail"


def test_a_question_of_one_page() -> None:
    request = ItemsFeed(ITEMS + "/").request(SolRange(3, 27), ("NAV_LEFT_A", "NAV_LEFT_B"), 2)
    assert request.url == ITEMS + "/"
    assert request.params == {
        "order": "sol desc,instrument_sort asc,sample_type_sort asc, date_taken desc", "per_page": "200", "page": "2",
        "condition_1": "msl:mission", "condition_2": "3:sol:gte", "condition_3": "27:sol:lte",
        "search": "NAV_LEFT_A|NAV_LEFT_B",
    }  # fmt: skip
    assert ItemsFeed(ITEMS, "insight").latest_requests()[0].url == ITEMS + "/insight/latest/"


@pytest.mark.parametrize(
    ("says", "cap"),
    [
        (("more", "total", "page", "per_page"), 200),
        (("more", "total", "page", "per_page"), 60),
        (("more",), 60),
        (("total", "page", "per_page"), 60),
        (("total", "page", "per_page"), 200),
        ((), 200),
    ],
)
def test_all_pages_are_read_by_whatever_the_answer_says(tmp_path: Path, says: tuple[str, ...], cap: int) -> None:
    fake = FakeItems([item(n=n) for n in range(450)], cap=cap, says=says)
    assert len({frame.frame_id for frame in search(fake, tmp_path, sol_min=4681)}) == 450


@pytest.mark.parametrize("says", [("more",), ("total", "page", "per_page")])
def test_a_full_last_page_is_known_for_the_last(tmp_path: Path, says: tuple[str, ...]) -> None:
    curiosity, transport = source(FakeItems([item(n=n) for n in range(400)], says=says), tmp_path)
    assert len(list(curiosity.search(Query(name="q", source="curiosity", sol_min=4681)))) == 400
    assert len(transport.asked) == 1 + 2


def test_cameras_of_both_computers_are_asked_together_and_without_haste(tmp_path: Path) -> None:
    curiosity, transport = source(FakeItems([item(n=1), item(n=2, instrument="NAV_LEFT_A", letters="NLA")]), tmp_path)
    frames = list(curiosity.search(Query(name="q", source="curiosity", cameras=("navcam_left",), sol_min=4681)))
    assert {frame.camera for frame in frames} == {"navcam_left"}
    assert len(frames) == 2
    assert transport.asked[1][1]["search"] == "NAV_LEFT_A|NAV_LEFT_B"
    assert set(transport.spacings_s) == {0.0}


def test_an_unknown_camera_is_listed_with_all_and_named_by_its_file(tmp_path: Path) -> None:
    (frame,) = search(FakeItems([item(instrument="NEW_CAMERA")]), tmp_path)
    assert frame.camera == "navcam_left"


def test_items_of_another_mission_do_not_enter(tmp_path: Path) -> None:
    fake = FakeItems([item(n=1), item(n=2, mission="insight")])
    blind = FakeTransport(
        fake.routes() | {ITEMS: lambda params: {"items": fake.records, "more": False, "total": 2, "page": 0}}
    )
    curiosity = CuriositySource(blind, ITEMS, ListingConfig(cache_folder=str(tmp_path)), HttpConfig())
    assert len(list(curiosity.search(Query(name="q", source="curiosity")))) == 1


def test_insight_spells_its_cameras_in_lower_case(tmp_path: Path) -> None:
    url = "https://mars.nasa.gov/insight-raw-images/surface/sol/0190/icc/C000M0190_613408865EDR_F0000_0461M_.JPG"
    record = item(sol=190, instrument="icc", mission="insight", url=url, https_url=url, site=None)
    record |= {"imageid": "C000M0190_613408865EDR_F0000_0461M_", "extended": {"localtime": "16:22:28.916"}}
    fake = FakeItems([record, record | {"instrument": "idc", "url": "", "https_url": url.replace("C000", "D000")}])
    fake.mission = "insight"
    (frame,) = search(fake, tmp_path, source="insight", cameras=["icc"])
    assert (frame.source, frame.rover, frame.camera, frame.sol) == ("insight", "insight", "icc", 190)
    assert (frame.frame_id, frame.sample_type) == ("C000M0190_613408865EDR_F0000_0461M_", "full")


def test_a_changed_schema_is_named(tmp_path: Path) -> None:
    routes = FakeItems([item()]).routes()
    for body, field in (({"images": []}, "`items`"), ({"items": [{"sol": None}] * 3}, "`sol`")):
        transport = FakeTransport(routes | {ITEMS: lambda params, body=body: body})
        curiosity = CuriositySource(transport, ITEMS, ListingConfig(cache_folder=str(tmp_path)), HttpConfig())
        with pytest.raises(FetchError, match=f"The feed of curiosity has changed.*{field}"):
            list(curiosity.search(Query(name="q", source="curiosity")))
