"""The stand-in itself: every quirk that it is said to have, seen with a plain client."""

import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests

from rovervision.sources.exploration_rovers.index_label import parse_index_label
from rovervision.sources.exploration_rovers.index_rows import NEEDED_COLUMNS, RowCount, read_rows
from rovervision.sources.product_names import parse_product_name
from tests.archive_server.catalog import SOLS, make_catalog
from tests.archive_server.images import appearance, image_bytes, image_size
from tests.archive_server.server import ArchiveServer, archive_server

FEED = {"feed": "raw_images", "category": "mars2020", "feedtype": "json", "order": "sol desc"}


@pytest.fixture(scope="module")
def server() -> Iterator[ArchiveServer]:
    with archive_server() as running:
        yield running


def rss(server: ArchiveServer, **parameters: str) -> Any:
    answer = requests.get(f"{server.base_url}/rss/api/", FEED | parameters, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def items(server: ArchiveServer, **parameters: str) -> Any:
    answer = requests.get(f"{server.base_url}/api/v1/raw_image_items/", parameters, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def raw_status(server: ArchiveServer, target: str) -> int:
    """Return the status of a request whose target no client has tidied up."""
    connection = http.client.HTTPConnection(urlsplit(server.base_url).netloc, timeout=5)
    connection.request("GET", target)
    status = connection.getresponse().status
    connection.close()
    return status


# --- what it holds


def test_every_name_is_a_name_of_its_mission() -> None:
    catalog = make_catalog()
    for mission in SOLS:
        names = catalog.names(mission)
        assert len(names) == len({*names})
        assert [name for name in names if parse_product_name(name) is None] == []


@pytest.mark.parametrize("mission", SOLS)
def test_images_are_as_their_names_say(mission: str) -> None:
    import cv2

    for name in make_catalog({mission: [5]}).names(mission):
        pixels = cv2.imdecode(np.frombuffer(image_bytes(name), np.uint8), cv2.IMREAD_UNCHANGED)
        assert (pixels.shape[1], pixels.shape[0]) == image_size(name)
        is_gray = pixels.ndim == 2 or not np.any(pixels[..., 0] != pixels[..., 2])
        assert is_gray == (appearance(name) != "color"), name


def test_a_mosaic_is_one() -> None:
    import cv2

    name = next(name for name in make_catalog({"mars2020": [5]}).names("mars2020") if "ZL0" in name and "ECM" in name)
    pixels = cv2.imdecode(np.frombuffer(image_bytes(name), np.uint8), cv2.IMREAD_GRAYSCALE).astype(float)
    red, green, blue = pixels[0::2, 0::2].mean(), pixels[0::2, 1::2].mean(), pixels[1::2, 1::2].mean()
    assert red > green + 10 > blue + 20


# --- Perseverance and Ingenuity


def test_the_feed_gives_a_hundred_at_most_and_types_its_page_as_it_likes(server: ArchiveServer) -> None:
    first, second = rss(server, num="500"), rss(server, num="500", page="1")
    assert len(first["images"]) == 100
    assert (first["page"], second["page"]) == (0, "1")
    assert first["per_page"] == "100"
    assert first["total_results"] == len(server.catalog.images["mars2020"])


def test_pages_together_are_everything_once(server: ArchiveServer) -> None:
    total = rss(server)["total_results"]
    images = [image for page in range(1 + total // 100) for image in rss(server, num="100", page=str(page))["images"]]
    sols = [image["sol"] for image in images]
    assert len(images) == total
    assert sols == sorted(sols, reverse=True)
    ids = [image["imageid"] for image in images]
    assert len(ids) == len({*ids}) + 1, "one imageid comes twice, with another version of its file"
    assert {image["sample_type"] for image in images} == {"Full", "Thumbnail"}
    assert sum(image["drive"] == "UNK" for image in images) == 1


def test_a_plus_in_the_order_leads_to_a_page(server: ArchiveServer) -> None:
    answer = requests.get(f"{server.base_url}/rss/api/", FEED | {"order": "sol+desc"}, timeout=5)
    assert answer.history[0].status_code == 302
    assert "html" in answer.headers["Content-Type"]
    assert raw_status(server, "/rss/api/?feed=raw_images&category=mars2020&order=sol+desc") == 200
    assert raw_status(server, "/rss/api/?feed=raw_images&category=mars2020&order=sol%20desc") == 200


@pytest.mark.parametrize("path", ["/rss/api/?feed=raw_images&order=sol+desc&", "/api/v1/raw_image_items/?"])
def test_a_bare_bar_is_refused(server: ArchiveServer, path: str) -> None:
    assert raw_status(server, f"{path}search=|NAVCAM_LEFT") == 400
    assert raw_status(server, f"{path}search=%7CNAVCAM_LEFT") == 200


def test_without_an_order_the_feed_refuses(server: ArchiveServer) -> None:
    assert raw_status(server, "/rss/api/?feed=raw_images&category=mars2020") == 403


def test_a_repeated_key_makes_the_feed_forget_the_query(server: ArchiveServer) -> None:
    url = f"{server.base_url}/rss/api/"
    images = requests.get(
        url, [*(FEED | {"category": "ingenuity"}).items(), ("num", "3"), ("num", "4")], timeout=5
    ).json()
    assert images["mission"] == "mars2020"
    assert not any(image["imageid"].startswith("H") for image in images["images"])


def test_a_sol_without_images_gives_those_of_another(server: ArchiveServer) -> None:
    assert {image["sol"] for image in rss(server, sol="110")["images"]} == {110}
    assert {image["sol"] for image in rss(server, sol="5000")["images"]} == {123}
    assert rss(server, sol="110", num="1")["num_images"] > 1


def test_conditions_and_search(server: ArchiveServer) -> None:
    found = rss(server, condition_2="105:sol:gte", condition_3="107:sol:lte", search="|MCZ_LEFT|MCZ_RIGHT")
    assert {image["sol"] for image in found["images"]} == {105, 106, 107}
    assert {image["camera"]["instrument"] for image in found["images"]} == {"MCZ_LEFT", "MCZ_RIGHT"}
    assert {image["sol"] for image in rss(server, condition_3="104,109:sol:in")["images"]} == {104, 109}
    assert rss(server, condition_2="5000:sol:gte")["images"] == []
    late = rss(server, condition_2="2021-06-20T00:00:00Z:date_received:gte")
    assert 0 < late["total_results"] < rss(server)["total_results"]


def test_ranges_of_the_date_taken_change_nothing(server: ArchiveServer) -> None:
    assert (
        rss(server, condition_2="2031-01-01T00:00:00Z:date_taken_utc:gte")["total_results"]
        == rss(server)["total_results"]
    )


def test_asking_for_full_samples_finds_none(server: ArchiveServer) -> None:
    assert rss(server, extended="sample_type::full")["images"] == []
    assert rss(server, extended="sample_type::Full")["images"]


def test_unknown_missions_are_not_found(server: ArchiveServer) -> None:
    answer = requests.get(f"{server.base_url}/rss/api/", FEED | {"category": "insight"}, timeout=5)
    assert answer.status_code == 404
    assert "not found" in answer.json()["message"]
    assert "images" not in rss(server, category="msl")


def test_both_missions_in_one_answer(server: ArchiveServer) -> None:
    both = rss(server, category="mars2020,ingenuity")["total_results"]
    assert both == rss(server)["total_results"] + rss(server, category="ingenuity")["total_results"]


def test_a_record_by_its_id(server: ArchiveServer) -> None:
    record = rss(server)["images"][0]
    assert requests.get(record["json_link"], timeout=5).json() == record


# --- Curiosity and InSight


def test_items_come_two_hundred_at_a_time(server: ArchiveServer) -> None:
    first = items(server, condition_1="msl:mission", per_page="1000", order="sol desc")
    assert (len(first["items"]), first["more"], first["per_page"]) == (200, True, 200)
    last = items(server, condition_1="msl:mission", per_page="200", page=str(first["total"] // 200), order="sol desc")
    assert len(last["items"]) == first["total"] % 200
    assert last["more"] is False


@pytest.mark.parametrize(
    ("condition", "sols"),
    [("1003:sol:eq", {1003}), ("1003,1007:sol:in", {1003, 1007}), ("1001:sol:lte", {1000, 1001}),
     ("1001:sol:lt", {1000}), ("1023:sol:gte", {1023})],
)  # fmt: skip
def test_items_by_condition(server: ArchiveServer, condition: str, sols: set[int]) -> None:
    found = items(server, condition_1="msl:mission", condition_2=condition)["items"]
    assert {item["sol"] for item in found} == sols


def test_items_by_instrument_without_thumbnails(server: ArchiveServer) -> None:
    found = items(
        server, condition_1="msl:mission", search="|MAST_LEFT|MAST_RIGHT", extended="thumbnail::sample_type::noteq"
    )
    assert {item["instrument"] for item in found["items"]} == {"MAST_LEFT", "MAST_RIGHT"}
    assert not any(item["is_thumbnail"] for item in found["items"])
    assert items(server, condition_1="msl:mission", condition_2="MAHLI,MARDI:instrument:in")["total"] == 24 * 6
    assert items(server, condition_1="insight:mission", search="icc")["total"] == 6
    assert items(server, condition_1="mer:mission")["total"] == 0


def test_items_by_date_are_never_found(server: ArchiveServer) -> None:
    assert items(server, condition_1="msl:mission", condition_2="2010-01-01:date_taken:gte")["total"] == 0


def test_an_item_is_complete(server: ArchiveServer) -> None:
    for item in items(server, condition_1="msl:mission", condition_2="1004:sol:eq")["items"]:
        assert len(item) == 29 + 1  # and `extended`
        assert {"sample_type", "bucket"} <= item["extended"].keys()
    assert items(server, condition_1="insight:mission")["items"][0]["extended"].keys() == {"localtime"}


# --- what is new


def test_a_late_downlink_moves_the_latest_and_names_the_old_sol() -> None:
    with archive_server(make_catalog({"msl": range(10, 14), "mars2020": range(20, 24)})) as server:
        for mission, sol, latest in [
            ("msl", 11, lambda: items_latest(server)), ("mars2020", 21, lambda: rss(server, latest="true")),
        ]:  # fmt: skip
            before = latest()
            assert sol not in before["latest_sols"]
            names = server.catalog.add_downlink(mission, sol)
            after = latest()
            assert sol in after["latest_sols"]
            assert after["latest"] > before["latest"]
            assert after["total"] == before["total"] + len(names)
            assert {*names} <= {*server.catalog.names(mission)}


def items_latest(server: ArchiveServer) -> Any:
    answer = requests.get(f"{server.base_url}/api/v1/raw_image_items/msl/latest/", timeout=5).json()
    assert answer["success"] is True
    return answer["latest_data"]


def test_downlinks_get_names_of_their_own() -> None:
    catalog = make_catalog({mission: range(5, 7) for mission in SOLS})
    for mission in SOLS:
        names = [*catalog.names(mission), *catalog.add_downlink(mission, 5), *catalog.add_downlink(mission, 5)]
        assert len(names) == len({*names}), mission


# --- Spirit and Opportunity


def test_an_index_comes_whole_in_part_and_anew(server: ArchiveServer) -> None:
    url = f"{server.base_url}/img/data/mer/opportunity/mer1po_0xxx/index/edrindex.tab"
    whole = requests.get(url, timeout=5)
    assert len(whole.content) % 933 == 0
    part = requests.get(url, headers={"Range": "bytes=933-1865", "If-Range": whole.headers["ETag"]}, timeout=5)
    assert (part.status_code, part.content) == (206, whole.content[933:1866])
    assert part.headers["Content-Range"] == f"bytes 933-1865/{len(whole.content)}"
    stale = requests.get(url, headers={"Range": "bytes=933-", "If-Range": '"another"'}, timeout=5)
    assert (stale.status_code, stale.content) == (200, whole.content)
    beyond = requests.get(url, headers={"Range": f"bytes={len(whole.content)}-"}, timeout=5)
    assert beyond.status_code == 416


def test_an_index_names_its_volumes_products(server: ArchiveServer) -> None:
    for volume in ("mer1po_0xxx", "mer1do_0xxx"):
        base = f"{server.base_url}/img/data/mer/opportunity/{volume}/index"
        layout = parse_index_label(requests.get(f"{base}/edrindex.lbl", timeout=5).text, NEEDED_COLUMNS, volume)
        count = RowCount()
        table = requests.get(f"{base}/edrindex.tab", timeout=5).content.splitlines(keepends=True)
        ids = [row.product_id.lower() for row in read_rows(table, layout, count)]
        assert ids == [each.file_name[:27] for each in server.catalog.products if each.volume == volume]
        assert count.broken == 0


def test_folders_are_listed_but_not_the_huge_ones(server: ArchiveServer) -> None:
    volume = f"{server.base_url}/img/data/mer/opportunity/mer1po_0xxx"
    names = [
        product.file_name
        for product in server.catalog.products
        if product.sol == 3 and product.file_name.startswith("1p")
    ]
    listing = requests.get(f"{volume}/browse/sol0003/edr/", timeout=5).text
    assert [name for name in names if f'href="{name}.jpg"' not in listing] == []
    assert requests.get(f"{volume}/browse/sol0999/edr/", timeout=5).status_code == 404
    assert requests.get(f"{volume}/browse/", timeout=5).status_code == 504
    assert requests.get(f"{volume}/browse/sol0003/edr/{names[0]}.jpg", timeout=5).content == image_bytes(
        f"{names[0]}.jpg"
    )


@pytest.mark.filterwarnings("ignore")
def test_a_labelled_image_is_read_by_others(server: ArchiveServer, tmp_path: Any) -> None:
    import pdr

    product = server.catalog.products[0]
    body = requests.get(f"{server.base_url}/img/data/mer/opportunity{product.data_path}", timeout=5).content
    assert body == image_bytes(product.file_name)
    (tmp_path / product.file_name).write_bytes(body)
    image = pdr.read(str(tmp_path / product.file_name))["IMAGE"]
    assert image.shape == (64, 64)
    assert 0 < image.min() < image.max() < 4096


# --- the legacy schema


def test_the_clone_speaks_the_legacy_schema(server: ArchiveServer) -> None:
    base = f"{server.base_url}/clone/api/v1"
    answer = requests.get(f"{base}/rovers/Curiosity/photos", {"sol": "1001", "camera": "mast"}, timeout=5)
    assert {photo["camera"]["name"] for photo in answer.json()["photos"]} == {"MAST"}
    assert int(answer.headers["X-RateLimit-Limit"]) > int(answer.headers["X-RateLimit-Remaining"])
    everything = requests.get(f"{base}/rovers/perseverance/photos", {"sol": "101"}, timeout=5).json()["photos"]
    assert all(photo["img_src"].endswith("_1200.jpg") for photo in everything)
    assert requests.get(f"{base}/rovers/perseverance/photos", timeout=5).json() == {"photos": []}
    assert requests.get(f"{base}/rovers/zhurong/photos", timeout=5).status_code == 400
    paged = requests.get(f"{base}/rovers/spirit/photos", {"sol": "2", "page": "1", "per_page": "4"}, timeout=5).json()
    assert len(paged["photos"]) == 4
    manifest = requests.get(f"{base}/manifests/spirit", timeout=5).json()["photo_manifest"]
    assert manifest["max_sol"] == 6
    latest = requests.get(f"{base}/rovers/curiosity/latest_photos", timeout=5).json()["latest_photos"]
    assert {photo["sol"] for photo in latest} == {1023}
    assert requests.get(latest[0]["img_src"], timeout=5).content == image_bytes(latest[0]["img_src"].rpartition("/")[2])


def test_the_retired_address_answers_as_heroku_does(server: ArchiveServer) -> None:
    answer = requests.get(f"{server.base_url}/mars-photos/api/v1/rovers/curiosity/photos?sol=1", timeout=5)
    assert answer.status_code == 404
    assert "No such app" in answer.text


def test_the_quota_ends() -> None:
    with archive_server(make_catalog({"msl": [1]}), quota=2, quota_window_s=0.2) as server:
        codes = [requests.get(f"{server.base_url}/clone/api/v1/rovers", timeout=5) for _ in range(3)]
        assert [each.status_code for each in codes] == [200, 200, 429]
        assert codes[-1].json()["error"]["code"] == "OVER_RATE_LIMIT"
        assert codes[-1].headers["X-RateLimit-Remaining"] == "0"


# --- the server as a server


def test_requests_are_logged_and_connections_kept(server: ArchiveServer) -> None:
    server.forget_requests()
    name = server.catalog.names("msl")[0]
    with requests.Session() as session:
        for _ in range(2):
            session.get(f"{server.base_url}/msl-raw-images/x/{name}", headers={"User-Agent": "me"}, timeout=5)
    assert server.count(name) == 2
    assert server.requests[0].headers["user-agent"] == "me"
    assert server.most_at_once_by_kind["image"] == server.most_at_once == 1
