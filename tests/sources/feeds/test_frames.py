"""Addresses and names from the network: none leaves a folder, none takes another's place."""

from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.sources.feeds.cameras import CURIOSITY, INGENUITY, INSIGHT, MARS_PHOTOS, PERSEVERANCE, camera_words
from rovervision.sources.feeds.curiosity import ItemsFeed
from rovervision.sources.feeds.frames import image_file
from rovervision.sources.feeds.perseverance import RssFeed
from rovervision.sources.feeds.records import BadRecordError, filter_digit, iso, moment, number, pair, text, utc, whole
from rovervision.sources.fetch_plan import stored_name
from rovervision.sources.product_names import parse_product_name
from tests.sources.feeds.fakes import ITEMS, RSS, item, rss_record

BASE = "https://mars.nasa.gov/rss/api/"
NAME = "NLF_1646_0813073669_097ECM_N0791204NCAM00595_01_195J01"


def named(name: str) -> str:
    return image_file(f"https://mars.nasa.gov/a/{name}", BASE).frame_id


@pytest.mark.parametrize(
    "name",
    [
        f"{NAME}.png",
        f"{NAME}_1200.jpg",
        "NLA_402562693EDR_F0050000NCAM00445M_.JPG",
        "NLA_402562693EDR_F0050000NCAM00445M_-thm.jpg",
        "CR0_779313271PRC_F0103444CCAM01310_AUTOPROCESS.PNG",
        "0001MR0000000010100001C00_DXXX.jpg",
        "0003ML0000125000E1_DXXX.jpg",
        "C000M0190_613408865EDR_F0000_0461M_.JPG",
    ],
)
def test_product_names_are_their_own_ids(name: str) -> None:
    assert named(name) == PurePosixPath(name).stem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{NAME}.png", f"{NAME.lower()}.png"),
        (f"{NAME}.png", f"{NAME.lower()}.PNG"),
        (f"{NAME}.png", f"{NAME}.jpg"),
        (f"{NAME}.png", f"{NAME[:-2]}02.png"),
        ("NLA_402562693EDR_F0050000NCAM00445M_-thm.jpg", "NLA_402562693EDR_F0050000NCAM00445M_-THM.jpg"),
        ("picture.png", "Picture.png"),
        ("picture.png", "picture.jpg"),
        ("x" * 300 + "1.png", "x" * 300 + "2.png"),
        ("1" + "x" * 300 + ".png", "2" + "x" * 300 + ".png"),
        ("a%2fb.png", "a_2fb.png"),
        ("a..%2f..%2fb.png", "b.png"),
    ],
)
def test_twins_keep_apart_even_where_case_does_not_count(one: str, other: str) -> None:
    assert named(one).casefold() != named(other).casefold()


@given(name=st.text(st.characters(exclude_characters="/?#"), min_size=1, max_size=400))
def test_no_name_leaves_the_folder(name: str) -> None:
    for record in (rss_record(image_files={"full_res": f"https://mars.nasa.gov/{name}.png"}),):
        try:
            frame = RssFeed(RSS).frame_of(record, "{}")
        except ValueError:
            continue
        stored = stored_name(frame)
        assert PurePosixPath(stored).name == stored
        assert len(stored.encode()) <= 255
        assert stored.isascii() and stored.isprintable() and not stored.startswith((".", "-"))
        assert not set(stored) & set('/\\:*?"<>| ')


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "https://mars.nasa.gov/a/b.png\x00.jpg",
        "https://mars.nasa.gov/a/b\n.png",
        "https://mars.nasa.gov/a/b c.png",
        "https://mars.nasa.gov/a/../",
        "https://mars.nasa.gov/a/..",
        "https://mars.nasa.gov/a/.png",
        "https://mars.nasa.gov/a/.hidden.png",
        "https://mars.nasa.gov/a/page.html",
        "https://mars.nasa.gov/a/b.png.exe",
        "https://user:word@mars.nasa.gov/a/b.png",
        "file:///etc/b.png",
        "ftp://mars.nasa.gov/b.png",
        "https://mars.nasa.gov/a/..%2f..%2fb.png",
        "https://[::1/b.png",
        "https://mars.nasa.gov:port/b.png",
    ],
)
def test_an_address_of_no_image_on_the_web_is_refused(address: str | None) -> None:
    with pytest.raises(BadRecordError):
        image_file(address, BASE)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("http://mars.jpl.nasa.gov/a/b.png", "https://mars.jpl.nasa.gov/a/b.png"),
        ("http://mars.jpl.nasa.gov:80/a/b.png", "https://mars.jpl.nasa.gov/a/b.png"),
        ("HTTP://mars.nasa.gov/a/b.png#top", "https://mars.nasa.gov/a/b.png"),
        ("http://127.0.0.1:8000/a/b.png", "http://127.0.0.1:8000/a/b.png"),
        ("http://localhost:8000/a/b.png", "http://localhost:8000/a/b.png"),
        ("http://[::1]:8000/a/b.png", "http://[::1]:8000/a/b.png"),
        ("http://127.0.0.1.example.org/b.png", "https://127.0.0.1.example.org/b.png"),
        ("/a/b.png", "https://mars.nasa.gov/a/b.png"),
        ("//mars.jpl.nasa.gov/b.png", "https://mars.jpl.nasa.gov/b.png"),
    ],
)
def test_addresses_are_https_but_on_this_machine(address: str, url: str) -> None:
    assert image_file(address, BASE).url == url


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data(), value=_JSON)
def test_any_value_in_any_field_gives_a_frame_or_a_bad_record(data: st.DataObject, value: Any) -> None:
    feeds: list[tuple[Any, dict[str, Any]]] = [(RssFeed(RSS), rss_record()), (ItemsFeed(ITEMS), item())]
    feed, record = data.draw(st.sampled_from(feeds))
    record = record | {data.draw(st.sampled_from(sorted(record))): value}
    try:
        feed.key_of(record)
        feed.mark_of(record)
        frame = feed.frame_of(record, "{}")
    except BadRecordError:
        return
    "".join(str(getattr(frame, name)) for name in frame.__slots__).encode()  # Unicode all through, as tables need it
    assert frame.credit and (frame.width_px or 1) > 0


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ("2025-10-07T02:08:38.572", "2025-10-07T02:08:38.572Z"),
        ("2025-10-07T13:35:54Z", "2025-10-07T13:35:54Z"),
        ("2025-10-06T17:16:46.000Z", "2025-10-06T17:16:46Z"),
        ("2025-10-07T02:08:38+02:00", "2025-10-07T00:08:38Z"),
        ("0001-01-01T00:00:00+02:00", None),
        ("Sol-01646M15:18:15.xxx", None),
        ("UNK", None),
        (None, None),
        (12, None),
    ],
)
def test_times_of_both_spellings(told: Any, known: str | None) -> None:
    assert utc({"t": told}, "t") == known
    if known:
        assert iso(moment(known)) == known  # type: ignore[arg-type]


def test_values_in_drifting_types() -> None:
    record = {"a": "12", "b": 12.0, "c": "UNK", "d": None, "e": {"f": "(1288, 968)"}, "g": True, "h": "1e999", "i": []}
    assert [whole(record, key) for key in "abcdghi"] == [12, 12, None, None, None, None, None]
    assert number(record, "h") is None
    assert pair(record, "e", "f") == (1288, 968)
    assert pair({"x": "(0,968)"}, "x") is None
    assert text(record, "e", "f", "g") is None
    assert text({"x": "\ud800"}, "x") == "?"


@pytest.mark.parametrize(
    ("told", "digit"),
    [("ZCAM_L0_RGB", "0"), ("ZCAM_R2_866NM", "2"), ("MASTCAM_L6", "6"), ("R1", "1"), ("UNK", ""), (None, "")],
)
def test_the_wheels_position_in_a_filter_name(told: str | None, digit: str) -> None:
    assert filter_digit(told) == digit


def test_our_cameras_are_those_of_product_names() -> None:
    """So that a query for a camera finds the same images in a feed and in a folder."""
    samples = {
        "perseverance": [f"{i}F_1646_0813073669_097ECM_N0791204NCAM00595_01_195J01" for i in (
            "NL", "NR", "FL", "FR", "RL", "RR", "ZL", "ZR", "SI", "SC", "LR", "PC", "WS", "CC",
            "EA", "EB", "ED", "EL", "ES", "EU")],
        "ingenuity": [f"{i}M_0600_0813073669_097ECM_N0791204NCAM00595_01_195J01" for i in ("HN", "HS")],
        "curiosity": [f"{i}A_402562693EDR_F0050000NCAM00445M_" for i in ("NL", "NR", "FL", "FR", "RL", "RR")]
        + ["CR0_402562693EDR_F0050000NCAM00445M_"]
        + [f"0001{i}0000000010100001C00_DXXX" for i in ("ML", "MR", "MH", "MD")],
        "insight": [f"{i}000M0190_613408865EDR_F0000_0461M_" for i in "CD"],
    }  # fmt: skip
    known = {"perseverance": PERSEVERANCE, "ingenuity": INGENUITY, "curiosity": CURIOSITY, "insight": INSIGHT}
    for rover, names in samples.items():
        parsed = [parse_product_name(name) for name in names]
        assert {name.camera for name in parsed if name} == set(known[rover])
        assert all(name and name.rover == rover for name in parsed)


def test_cameras_and_instruments_are_inverse() -> None:
    for known in (PERSEVERANCE, INGENUITY, CURIOSITY, INSIGHT):
        words = camera_words(known)
        assert {camera: {name.upper() for name in names} for camera, names in known.items()} == {
            camera: {name for name, word in words.items() if word == camera} for camera in known
        }
    assert "NAVCAM" not in camera_words(MARS_PHOTOS["curiosity"]), "one name for two eyes tells neither"
