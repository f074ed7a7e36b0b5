"""A folder of images: found in any tree, described by names and folders, read only inside."""

import csv
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from rovervision.errors import RovervisionError
from rovervision.sources.frame import Frame, MeasuringSource, Query, Source
from rovervision.sources.local_folder import LocalFolderSource, describe_folders

EVERYTHING = Query(name="all", source="local_folder")


def grow(root: Path, names: Iterable[str]) -> LocalFolderSource:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return LocalFolderSource(root)


def frames(source: Source, query: Query = EVERYTHING) -> dict[str, Frame]:
    return {frame.url: frame for frame in source.search(query)}


def test_every_image_is_listed_once_and_fetched_as_it_is(tmp_path: Path) -> None:
    names = ["b/c/1.png", "b/1.JPG", "a.img.jpg", "a.img", "a.tif", "b__1.png", "empty.png"]
    source = grow(tmp_path, [*names, "notes.txt", ".hidden.png", ".git/x.png"])
    (tmp_path / "empty.png").write_bytes(b"")
    listed = frames(source)
    assert set(listed) == set(names)
    assert len({frame.frame_id.lower() for frame in listed.values()}) == len(names)
    assert source.fetch(listed["b/c/1.png"]) == b"b/c/1.png"
    assert source.fetch(listed["empty.png"]) == b""
    assert frames(source) == listed


def test_product_names_tell_more_than_folders(tmp_path: Path) -> None:
    source = grow(tmp_path, ["curiosity/pictures/2N292280938EFFB100P0703L0M1.png"])
    (frame,) = frames(source).values()
    assert (frame.rover, frame.camera, frame.product_type) == ("spirit", "navcam_left", "EFF")
    assert (frame.site, frame.version, frame.sclk_s) == ("B1", "1", 292280938.0)
    assert (frame.color_type, frame.filter) == ("gray", "")


def test_the_layout_of_the_original_project_is_read(tmp_path: Path) -> None:
    source = grow(
        tmp_path / "data",
        [
            "perseverance/mcz_left/ZL6_1484_0798697293_098ECM_N0730000ZCAM01022_034080J02.png",
            "curiosity/mast/1000ML0044631000305186E01_DXXX.jpg",
            "curiosity/mast/picture.jpg",
            "opportunity/pancam/1p128287181eff0000p2303l2m1.img.jpg",
        ],
    )
    told = [
        (frame.rover, frame.camera, frame.sol, frame.product_type, frame.color_type, frame.filter, frame.version)
        for frame in frames(source).values()
    ]
    assert told == [
        ("curiosity", "mastcam_left", 1000, "E", "color", "", "1"),
        ("curiosity", "mast", None, "unknown", "unknown", "", ""),
        ("opportunity", "pancam_left", 1, "EFF", "narrow_band", "2", "1"),
        ("perseverance", "mastcamz_left", 1484, "ECM", "narrow_band", "6", "02"),
    ]


@pytest.mark.parametrize(
    ("path", "sol", "taken", "from_clock"),
    [
        # neither name nor folder tells the sol
        ("NRB_444375405EDR_F0260184NCAM00254M_.JPG", 528, "2014-01-30T", ["sol", "taken_utc"]),
        ("a/1n579700548ffld2fcp1981l0m1.img", 5086, "2018-05-15T23:58:", ["sol", "taken_utc"]),
        # the folder or the name tells it
        ("mer/sol5085/1n579700548ffld2fcp1981l0m1.img", 5085, "2018-05-15T23:58:", ["taken_utc"]),
        ("sol0001/NLF_0670_0726421423_362ECM_N0320604NCAM08111_01_095J01.png", 670, "2023-01-08T", ["taken_utc"]),
    ],
)
def test_clocks_tell_what_names_and_folders_do_not(
    tmp_path: Path, path: str, sol: int, taken: str, from_clock: list[str]
) -> None:
    (frame,) = frames(grow(tmp_path, [path])).values()
    record = json.loads(frame.record)
    assert frame.sol == sol
    assert frame.taken_utc and frame.taken_utc.startswith(taken) and frame.taken_utc.endswith("Z")
    assert record["from_clock"] == from_clock
    assert 0 < record["clock_error_s"] < 3600


@pytest.mark.parametrize(
    "path",
    [
        "0077ML0005780000102730I01_DRCL.JPG",  # no clock in the name
        "C000M0190_613408865EDR_F0000_0461M_.JPG",  # a clock that is not known
        "NLB_000000005EDR_F0260184NCAM00254M_.JPG",  # a time before the landing
        "picture.png",
    ],
)
def test_without_a_clock_no_time_is_made_up(tmp_path: Path, path: str) -> None:
    (frame,) = frames(grow(tmp_path, [path])).values()
    assert frame.taken_utc is None
    assert "from_clock" not in json.loads(frame.record)


def test_lengths_are_told(tmp_path: Path) -> None:
    source = grow(tmp_path, ["a.png", "some/longer.png"])
    assert isinstance(source, MeasuringSource)
    listed = frames(source)
    assert {url: source.size_bytes(frame) for url, frame in listed.items()} == {"a.png": 5, "some/longer.png": 15}
    assert source.size_bytes(replace(listed["a.png"], record="{}")) is None


@pytest.mark.parametrize(
    ("above", "below", "told"),
    [
        (("x", "data"), ("curiosity", "Front Hazcam"), ("curiosity", "front_hazcam", None)),
        (("x", "data"), ("opportunity", "navcam", "sol0100"), ("opportunity", "navcam", 100)),
        (("x", "data"), ("spirit", "sol-7", "PANCAM"), ("spirit", "pancam", 7)),
        (("data", "perseverance"), ("mcz",), ("perseverance", "mcz", None)),
        (("insight", "icc"), (), ("insight", "icc", None)),
        (("x", "data"), ("holiday",), ("unknown", "unknown", None)),
        (("x", "data"), ("curiosity",), ("curiosity", "unknown", None)),
        (("curiosity", "sol0100"), ("mahli",), ("curiosity", "mahli", 100)),
        (("data", "msl"), ("sol", "04100", "opgs", "edr", "ncam"), ("curiosity", "opgs", 4100)),
        (("mars2020", "sols"), ("12",), ("perseverance", "unknown", 12)),
        (("x", "solar7"), ("resol", "7"), ("unknown", "unknown", None)),
    ],
)
def test_folders_tell_what_names_do_not(above: tuple, below: tuple, told: tuple) -> None:
    assert describe_folders(above, below) == told


def test_queries_filter(tmp_path: Path) -> None:
    source = grow(
        tmp_path, [f"curiosity/{camera}/sol{sol}/x.png" for camera in ("mahli", "navcam") for sol in (1, 2, 3)]
    )
    query = Query(name="q", source="local_folder", cameras=("mahli",), sol_min=2, limit=1)
    assert list(frames(source, query)) == ["curiosity/mahli/sol2/x.png"]


def test_twins_that_differ_by_suffix_or_case_stay_apart(tmp_path: Path) -> None:
    source = grow(tmp_path, ["a.png", "a.jpg", "A.png", "d/e.png"])
    ids = [frame.frame_id for frame in frames(source).values()]
    assert len({frame_id.lower() for frame_id in ids}) == len(ids) == 4


def test_a_changed_file_has_another_record(tmp_path: Path) -> None:
    source = grow(tmp_path, ["a.png"])
    before = frames(source)["a.png"]
    (tmp_path / "a.png").write_bytes(b"something longer")
    after = frames(source)["a.png"]
    assert before.record != after.record
    assert replace(before, record="") == replace(after, record="")


def test_links_out_of_the_folder_are_neither_listed_nor_read(tmp_path: Path) -> None:
    grow(tmp_path, ["outside/secret.png"])
    source = grow(tmp_path / "inside", ["a.png", "b/c.png"])
    (tmp_path / "inside" / "link.png").symlink_to(tmp_path / "outside" / "secret.png")
    (tmp_path / "inside" / "way").symlink_to(tmp_path / "outside")
    (tmp_path / "inside" / "own.png").symlink_to(tmp_path / "inside" / "a.png")
    listed = frames(source)
    assert set(listed) == {"a.png", "b/c.png", "own.png"}
    for url in ["link.png", "way/secret.png", "../outside/secret.png", str(tmp_path / "outside" / "secret.png")]:
        with pytest.raises(RovervisionError, match="leads out"):
            source.fetch(replace(listed["a.png"], url=url))


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RovervisionError, match=r"no folder .*absent.*ingestion\.archive"):
        frames(LocalFolderSource(tmp_path / "absent"))
    source = grow(tmp_path, ["a.png"])
    (frame,) = frames(source).values()
    (tmp_path / "a.png").unlink()
    with pytest.raises(RovervisionError, match="listed and is gone"):
        source.fetch(frame)


@pytest.mark.real
def test_the_real_folders(real_images: Path) -> None:
    """Rover, camera and sol of every file agree with what is written about it."""
    listed = frames(LocalFolderSource(real_images))
    with (real_images / "PROVENANCE.csv").open(newline="") as file:
        written = {row["path"]: row for row in csv.DictReader(file)}
    assert set(listed) == set(written)
    for path, frame in listed.items():
        row = written[path]
        assert (frame.rover, frame.camera) == (row["rover"], row["camera"]), path
        assert frame.sol == (int(row["sol"]) if row["sol"] else None), path
        is_renamed = frame.file_name.startswith(("mars_", "cs537_"))
        assert is_renamed == (frame.product_type == "unknown") == (frame.taken_utc is None), path
        looks = "color" if frame.color_type == "color" else "gray"
        assert frame.color_type == "unknown" if is_renamed else looks == row["mode"], path
    assert len({frame.frame_id for frame in listed.values()}) == len(listed)
