"""Spirit and Opportunity from an archive in memory: which volumes are read, which frames come, and how far."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rovervision.errors import RovervisionError
from rovervision.sources.exploration_rovers import ExplorationRoversSource
from rovervision.sources.frame import Frame, MeasuringSource, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import FetchError, RangedAnswer
from tests.sources.exploration_rovers.volume import DESCENT_BYTES, STANDARD_BYTES, index_label, product_row, volume_of

BASE = "https://planetarydata.jpl.nasa.gov/img/data/mer"
REAL = "1P128287181EFF0000P2303L2M1"


def name(prefix: str, number: int, product: str = "EFF", eye: str = "L", filt: int = 0, version: int = 1) -> str:
    """A product name such as 1N000000007EFF0203P1111L0M1."""
    return f"{prefix}{number:09d}{product}0203P1111{eye}{filt}M{version}"


@dataclass
class Archive:
    """Labels and tables by address; remembers what was asked."""

    texts: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[bytes]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    n_lines: int = 0

    def add(self, product_id: str, sol: int, **fields: Any) -> None:
        place = self.place(volume_of(product_id))
        self.texts[f"{place}/edrindex.lbl"] = index_label(DESCENT_BYTES if product_id[1] == "E" else STANDARD_BYTES)
        self.tables.setdefault(f"{place}/edrindex.tab", []).append(product_row(product_id, sol, **fields))

    @staticmethod
    def place(volume: str) -> str:
        return f"{BASE}/{'opportunity' if volume[3] == '1' else 'spirit'}/{volume}/index"

    def get_text(self, url: str, *, max_bytes: int) -> str:
        self.asked.append(url)
        if url not in self.texts:
            raise FetchError("not_found", "the archive has no such file")
        return self.texts[url]

    def get_file(self, url: str, *, max_bytes: int) -> bytes:
        self.asked.append(url)
        return self.files[url]

    def size_bytes(self, url: str) -> int | None:
        self.asked.append(url)
        return 94_808

    def open_copy(self, url: str, path: Path) -> "Table":
        assert path.parent.is_dir()
        assert path.name == "edrindex.tab"
        return Table(self, url)


@dataclass
class Table:
    archive: Archive
    url: str

    def lines(self) -> Iterator[bytes]:
        self.archive.asked.append(self.url)
        if self.url not in self.archive.tables:
            raise FetchError("unreachable", "no connection")
        for line in self.archive.tables[self.url]:
            self.archive.n_lines += 1
            yield line


@pytest.fixture
def archive() -> Archive:
    """A few products of every camera of both rovers, and all five volumes of each."""
    filled = Archive()
    for rover in "12":
        for number, sol in enumerate([1, 1, 2, 10, 30], start=1):
            for product in ("EFF", "EDN", "ETH", "ERP", "ERS", "ECS", "EHG"):
                filled.add(name(f"{rover}P", number, product, "L", 2), sol)
                filled.add(name(f"{rover}P", number, product, "L", 1), sol)
                filled.add(name(f"{rover}P", number, product, "R", 7), sol)
            for kind in "NFR":
                filled.add(name(f"{rover}{kind}", number, "EFF", "L"), sol)
                filled.add(name(f"{rover}{kind}", number, "EFF", "R"), sol)
            filled.add(name(f"{rover}M", number, "EFF", "M", 2), sol)
        filled.add(name(f"{rover}E", 1, "EDN", "N"), 1, LINES=256)
    return filled


@pytest.fixture
def source(archive: Archive, tmp_path: Path) -> ExplorationRoversSource:
    return open_archive(archive, tmp_path)


def open_archive(archive: Archive, folder: Path) -> ExplorationRoversSource:
    return ExplorationRoversSource(archive, BASE + "/", folder, HttpConfig(), archive.open_copy)  # type: ignore[arg-type]


def ask(**words: Any) -> Query:
    return Query(name="some", source="exploration_rovers", **words)


def frames(source: ExplorationRoversSource, **words: Any) -> list[Frame]:
    return list(source.search(ask(**words)))


def tables_asked(archive: Archive) -> list[str]:
    return [url.split("/")[-3] for url in archive.asked if url.endswith(".tab")]


def test_the_archives_first_frame_is_told_as_it_is(tmp_path: Path) -> None:
    archive = Archive()
    archive.add(REAL, 1, FILTER_NAME="PANCAM_L2_753NM")
    source = open_archive(archive, tmp_path)
    (frame,) = frames(source, rover="opportunity", cameras=("pancam_left",))
    place = f"{BASE}/opportunity/mer1po_0xxx"
    assert frame.url == f"{place}/browse/sol0001/edr/1p128287181eff0000p2303l2m1.img.jpg"
    told = json.loads(frame.record)
    assert (told["SEQUENCE_ID"], told["FILTER_NAME"]) == ("p2303", "PANCAM_L2_753NM")
    assert frame == Frame(
        frame_id="1p128287181eff0000p2303l2m1",
        file_name="1p128287181eff0000p2303l2m1.img.jpg",
        source="exploration_rovers",
        query="some",
        rover="opportunity",
        camera="pancam_left",
        sol=1,
        taken_utc="2004-01-25T07:18:28Z",
        received_utc="2004-01-25T09:18:51Z",
        sclk_s=128287181.621,
        site="0",
        width_px=1024,
        height_px=1024,
        sample_type="full",
        product_type="EFF",
        color_type="narrow_band",
        filter="2",
        version="1",
        url=frame.url,
        record=frame.record,
    )
    (image,) = frames(source, rover="opportunity", cameras=("pancam_left",), file_kind="label")
    assert (image.url, image.file_name) == (f"{place}/data/sol0001/edr/{image.frame_id}.img", f"{image.frame_id}.img")
    assert isinstance(source, MeasuringSource)
    assert source.size_bytes(frame) == 94_808
    assert archive.asked[-1] == frame.url


def test_images_come_verified(tmp_path: Path) -> None:
    archive = Archive()
    archive.add(REAL, 1)
    source = open_archive(archive, tmp_path)
    (frame,) = frames(source, rover="opportunity", cameras=("pancam_left",))
    for side_px, reason in ((1024, None), (256, "wrong_dimensions")):
        file = io.BytesIO()
        Image.new("L", (side_px, side_px)).save(file, "JPEG")
        archive.files[frame.url] = file.getvalue()
        if reason is None:
            assert source.fetch(frame) == file.getvalue()
            continue
        with pytest.raises(FetchError) as caught:
            source.fetch(frame)
        assert caught.value.reason == reason


def test_the_descent_camera_has_no_paths_in_its_index(source: ExplorationRoversSource) -> None:
    (frame,) = frames(source, rover="spirit", cameras=("descent_camera",))
    assert frame.url == f"{BASE}/spirit/mer2do_0xxx/browse/sol0001/edr/{frame.frame_id}.img.jpg"
    assert (frame.camera, frame.sample_type, frame.width_px) == ("descent_camera", "downsampled", None)
    (image,) = frames(source, rover="spirit", cameras=("descent_camera",), file_kind="label")
    assert (image.width_px, image.height_px) == (1024, 256)


@pytest.mark.parametrize(
    ("words", "volumes"),
    [
        ({"rover": "spirit", "cameras": ("navcam_left",)}, ["mer2no_0xxx"]),
        ({"cameras": ("microscopic_imager",)}, ["mer1mo_0xxx", "mer2mo_0xxx"]),
        ({"rover": "opportunity", "cameras": ("rear_hazcam_right", "pancam_left")}, ["mer1po_0xxx", "mer1ho_0xxx"]),
        ({"rover": "spirit"}, ["mer2po_0xxx", "mer2no_0xxx", "mer2ho_0xxx", "mer2mo_0xxx", "mer2do_0xxx"]),
    ],
)
def test_only_volumes_that_can_answer_are_read(
    archive: Archive, source: ExplorationRoversSource, words: dict, volumes: list[str]
) -> None:
    found = frames(source, **words)
    assert found
    assert tables_asked(archive) == volumes
    assert {frame.camera for frame in found} == set(words.get("cameras") or {frame.camera for frame in found})


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            {"cameras": ("pancam_lft",)},
            r"unknown camera `pancam_lft` .*Did you mean `pancam_left`",
        ),
        ({"cameras": ("navcam_left", "zzz")}, r"unknown camera `zzz` of exploration_rovers. Known: pancam_left, "),
        ({"rover": "Oportunity"}, r"unknown rover `Oportunity` of exploration_rovers. Did you mean `opportunity`"),
        ({"product_types": ("ERP", "EHG")}, r"asks only for ERP, EHG, which are no pictures"),
    ],
)
def test_what_is_not_here_is_said_before_anything_is_read(
    archive: Archive, source: ExplorationRoversSource, words: dict, sentence: str
) -> None:
    with pytest.raises(RovervisionError, match=sentence):
        frames(source, **words)
    assert archive.asked == []


def is_picture(frame: Frame) -> bool:
    return frame.product_type not in {"ERP", "ERS", "ECS", "EHG"}


@pytest.mark.parametrize(
    ("words", "holds", "n_frames"),
    [
        ({}, is_picture, 162),
        ({"product_types": ("EFF",)}, lambda f: f.product_type == "EFF", 100),
        ({"product_types": ("EFF", "ERP")}, lambda f: f.product_type == "EFF", 100),
        ({"cameras": ("pancam_right",)}, lambda f: f.camera == "pancam_right" and f.filter == "7", 30),
        ({"cameras": ("navcam_left", "microscopic_imager")}, lambda f: f.camera.startswith(("nav", "mic")), 20),
        ({"sample_types": ("thumbnail",)}, lambda f: f.product_type == "ETH", 30),
        ({"sol_min": 2, "sol_max": 10}, lambda f: 2 <= (f.sol or 0) <= 10, 64),
        ({"sol_min": 0, "sol_max": 0}, lambda f: False, 0),
        ({"sol_step": 10}, lambda f: f.sol in {10, 30}, 64),
        ({"newest_sols": 21}, lambda f: f.sol in {10, 30}, 64),
        ({"newest_sols": 20, "rover": "spirit"}, lambda f: f.sol == 30 and f.rover == "spirit", 16),
        ({"newest_sols": 1, "cameras": ("descent_camera",)}, lambda f: f.sol == 1, 2),
        ({"since_last_run": True}, is_picture, 162),
        ({"color_types": ("gray",), "cameras": ("pancam_left",)}, lambda f: f.filter == "1", 30),
        ({"filters": ("2",), "cameras": ("pancam_left",)}, lambda f: f.color_type == "narrow_band", 30),
        ({"name_pattern": "2f*.img.jpg"}, lambda f: f.rover == "spirit" and "hazcam" in f.camera, 10),
        ({"limit": 7}, lambda f: f.camera.startswith("pancam"), 7),
    ],
)
def test_queries(source: ExplorationRoversSource, words: dict, holds: Callable[[Frame], bool], n_frames: int) -> None:
    found = frames(source, **words)
    assert len(found) == n_frames
    assert all(map(holds, found))
    assert len({frame.frame_id for frame in found}) == n_frames


def test_no_more_is_read_than_the_limit_needs(archive: Archive, source: ExplorationRoversSource) -> None:
    frames(source, limit=1, rover="opportunity", cameras=("pancam_left",))
    assert archive.n_lines == 2, "one more, to see that it is no higher version"
    search = source.search(ask())
    next(search)
    assert archive.n_lines == 4
    assert tables_asked(archive) == ["mer1po_0xxx"] * 2


def test_a_limit_counts_products_and_takes_their_highest_version(tmp_path: Path) -> None:
    archive = Archive()
    for number, version in [(1, 1), (2, 1), (2, 3), (2, 2), (3, 1), (4, 1)]:
        archive.add(name("1N", number, version=version), sol=1)
    source = open_archive(archive, tmp_path)
    told = [
        (frame.file_name[2:11], frame.version)
        for frame in frames(source, rover="opportunity", cameras=("navcam_left",), limit=2)
    ]
    assert told == [("000000001", "1"), ("000000002", "3")]
    (asked,) = frames(source, rover="opportunity", cameras=("navcam_left",), name_pattern="*000000002*m1.img.jpg")
    assert asked.version == "1", "a version that is asked for by name is not hidden by a higher one"


def test_the_label_is_kept_for_its_address_only(archive: Archive, tmp_path: Path) -> None:
    words = {"rover": "spirit", "cameras": ("navcam_left",)}
    first = frames(open_archive(archive, tmp_path), **words)
    assert frames(open_archive(archive, tmp_path), **words) == first
    label = f"{archive.place('mer2no_0xxx')}/edrindex.lbl"
    assert archive.asked.count(label) == 1
    (kept,) = (tmp_path / "mer2no_0xxx").iterdir()
    for damaged in ("{", '{"url": "https://elsewhere/edrindex.lbl", "label": ""}', f'{{"url": "{label}"}}', "[]"):
        kept.write_text(damaged)
        assert frames(open_archive(archive, tmp_path), **words) == first
    assert archive.asked.count(label) == 5
    assert [path.name for path in (tmp_path / "mer2no_0xxx").iterdir()] == [kept.name]


def test_a_wrong_label_is_not_kept(archive: Archive, source: ExplorationRoversSource, tmp_path: Path) -> None:
    label = f"{archive.place('mer2no_0xxx')}/edrindex.lbl"
    right, archive.texts[label] = archive.texts[label], "<html>Maintenance</html>"
    words = {"rover": "spirit", "cameras": ("navcam_left",)}
    with pytest.raises(RovervisionError, match=r"edrindex\.lbl describes no column PLANET_DAY_NUMBER, PRODUCT_ID"):
        frames(source, **words)
    archive.texts[label] = right
    assert frames(source, **words)


@pytest.mark.parametrize(("lost", "reason"), [("texts", "not_found"), ("tables", "unreachable")])
def test_an_index_that_cannot_be_had_is_named(archive: Archive, tmp_path: Path, lost: str, reason: str) -> None:
    getattr(archive, lost).clear()
    with pytest.raises(FetchError, match=rf"index of mer1mo_0xxx could not be had from {BASE}.*edrindex") as caught:
        frames(open_archive(archive, tmp_path), cameras=("microscopic_imager",))
    assert (caught.value.reason, caught.value.may_pass) == (reason, reason == "unreachable")


class RangedArchive(Archive):
    """Sends tables from an offset on, in pieces."""

    @contextmanager
    def get_range(self, url: str, offset_bytes: int, validator: str | None) -> Iterator[RangedAnswer]:
        whole = b"".join(self.tables[url])
        offset_bytes = offset_bytes if validator in {None, "tag"} else 0
        self.asked.append(f"{url}@{offset_bytes}")
        chunks = (whole[at : at + 5000] for at in range(offset_bytes, len(whole), 5000))
        yield RangedAnswer(offset_bytes, len(whole), "tag", chunks)


def test_a_table_that_was_left_early_is_read_on_from_there(tmp_path: Path) -> None:
    archive = RangedArchive()
    for number in range(1, 101):
        archive.add(name("1M", number, eye="M"), number)
    words = {"rover": "opportunity", "cameras": ("microscopic_imager",)}

    def ask_anew(**more: Any) -> list[Frame]:
        archive.asked.clear()
        source = ExplorationRoversSource(archive, BASE, tmp_path, HttpConfig())  # type: ignore[arg-type]
        return frames(source, **words, **more)

    table = f"{archive.place('mer1mo_0xxx')}/edrindex.tab"
    assert [frame.sol for frame in ask_anew(limit=3)] == [1, 2, 3]
    assert archive.asked[1:] == [f"{table}@0"]
    assert [frame.sol for frame in ask_anew()] == list(range(1, 101))
    assert archive.asked == [f"{table}@5000"]
    assert [frame.sol for frame in ask_anew(newest_sols=2)] == [99, 100]
    assert archive.asked == []
    assert (tmp_path / "mer1mo_0xxx" / "edrindex.tab").read_bytes() == b"".join(archive.tables[table])


def test_a_table_is_asked_for_as_often_as_configured(tmp_path: Path) -> None:
    archive = RangedArchive()
    archive.add(name("1M", 1, eye="M"), 1)
    archive.tables = {url: [] for url in archive.tables}  # the server ends before the first byte
    source = ExplorationRoversSource(archive, BASE, tmp_path, HttpConfig(attempts=2, backoff_s=0))  # type: ignore[arg-type]
    with pytest.raises(FetchError):
        frames(source, rover="opportunity", cameras=("microscopic_imager",))
    assert len(archive.asked[1:]) == 2


def test_newest_sols_count_back_from_what_is_asked_for(tmp_path: Path) -> None:
    archive = Archive()
    for sol, product in ((3, "EFF"), (4, "EFF"), (9, "EDN"), (40, "ERP")):
        archive.add(name("1N", sol, product), sol)
    archive.add(name("1N", 20, eye="R"), 20)
    source, words = open_archive(archive, tmp_path), {"rover": "opportunity", "cameras": ("navcam_left",)}
    assert [frame.sol for frame in frames(source, newest_sols=1, **words)] == [9]
    assert [frame.sol for frame in frames(source, newest_sols=2, product_types=("EFF",), **words)] == [3, 4]
    assert [frame.sol for frame in frames(source, newest_sols=1, rover="opportunity", cameras=("navcam_right",))] == [
        20
    ]


def test_a_thumbnail_of_an_unknown_type_is_told_by_the_record(tmp_path: Path) -> None:
    archive = Archive()
    archive.add(name("2N", 7, "EXX"), 3, IMAGE_TYPE="THUMBNAIL")
    archive.add(name("2N", 8, "EXX"), 3)
    found = frames(open_archive(archive, tmp_path), rover="spirit", cameras=("navcam_left",))
    assert [frame.sample_type for frame in found] == ["thumbnail", "unknown"]


def test_a_mirror_may_lack_volumes(archive: Archive, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for volume in ("mer1do_0xxx", "mer2po_0xxx"):
        del archive.texts[f"{archive.place(volume)}/edrindex.lbl"]
    source = open_archive(archive, tmp_path)
    with caplog.at_level(logging.WARNING):
        found = frames(source)
    assert {frame.rover + frame.camera[:3] for frame in found} >= {"opportunitypan", "spiritdes"}
    assert not any(frame.rover == "spirit" and frame.camera.startswith("pancam") for frame in found)
    assert [record.getMessage().split()[3] for record in caplog.records] == ["mer1do_0xxx", "mer2po_0xxx"]
    with pytest.raises(FetchError, match="mer2po_0xxx could not be had"):
        frames(source, rover="spirit", cameras=("pancam_left", "navcam_left"))
    archive.texts.clear()
    with pytest.raises(FetchError, match="could not be had"):
        frames(open_archive(archive, tmp_path / "other"))


HOSTILE_PATHS = ("//elsewhere.org/", "/mer1no_0xxx/data/../../x/", "https://elsewhere.org/data/x/", "/a/data/b c/", "/")


def test_broken_rows_are_left_out_and_counted_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    archive = Archive()
    for number, path in enumerate(HOSTILE_PATHS, start=1):
        archive.add(name("1N", number), 1, PATH_NAME=path)
    archive.add(name("1N", 8), 1)
    archive.add(name("1N", 9), 1, PRODUCT_ID=name("2N", 9))  # the other rover's
    archive.tables[f"{archive.place('mer1no_0xxx')}/edrindex.tab"] += [b"torn off\n", b"\n"]
    with caplog.at_level(logging.WARNING):
        found = frames(open_archive(archive, tmp_path), rover="opportunity", cameras=("navcam_left",))
    assert [frame.frame_id for frame in found] == [name("1N", 8).lower()]
    assert [record.getMessage() for record in caplog.records] == [
        f"{len(HOSTILE_PATHS) + 2} rows of the index of mer1no_0xxx are broken and were left out."
    ]


def test_a_page_in_place_of_the_table_is_no_empty_archive(archive: Archive, tmp_path: Path) -> None:
    archive.tables[f"{archive.place('mer1mo_0xxx')}/edrindex.tab"] = [b"<html>\n", b"Maintenance</html>\n"]
    with pytest.raises(RovervisionError, match=r"No row of .*mer1mo_0xxx/index/edrindex.tab could be read.* Delete "):
        frames(open_archive(archive, tmp_path), cameras=("microscopic_imager",))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"START_TIME": "UNK"}, {"taken_utc": None}),
        ({"START_TIME": "2004-01-25T07:18:28"}, {"taken_utc": "2004-01-25T07:18:28Z"}),
        ({"EARTH_RECEIVED_STOP_TIME": ""}, {"received_utc": None}),
        ({"SPACECRAFT_CLOCK_START_COUNT": "N/A"}, {"sclk_s": 7.0}),
        ({"ROVER_MOTION_COUNTER": "138 1019 0 0 0"}, {"site": "138"}),
        ({"ROVER_MOTION_COUNTER": "x x x x x"}, {"site": "2"}),
        ({"LINES": "9999"}, {"height_px": None, "width_px": 1024}),
        ({"LINES": "0", "LINE_SAMPLES": "no"}, {"height_px": None, "width_px": None}),
        ({"PATH_NAME": ""}, {"url": f"{BASE}/spirit/mer2no_0xxx/browse/sol0003/edr/{name('2N', 7).lower()}.img.jpg"}),
    ],
)
def test_odd_values_cost_no_frame(tmp_path: Path, fields: dict, told: dict) -> None:
    archive = Archive()
    archive.add(name("2N", 7), 3, **fields)
    (frame,) = frames(open_archive(archive, tmp_path), rover="spirit", cameras=("navcam_left",))
    assert {word: getattr(frame, word) for word in told} == told


def test_a_site_out_of_range_makes_a_safe_id(tmp_path: Path) -> None:
    archive = Archive()
    archive.add("2N000000007EFF####P1111L0M1", 3, ROVER_MOTION_COUNTER="- - - - -")
    (frame,) = frames(open_archive(archive, tmp_path), rover="spirit", cameras=("navcam_left",))
    assert (frame.frame_id, frame.site) == ("2n000000007eff____p1111l0m1", None)
    assert frame.url.endswith("/2n000000007eff%23%23%23%23p1111l0m1.img.jpg")
