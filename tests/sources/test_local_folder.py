"""A folder of images: found in any tree, described by names and folders, read only inside."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from rovervision.errors import RovervisionError
from rovervision.sources.frame import Frame, Query, Source
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
    listed = frames(LocalFolderSource(real_images))
    assert len(listed) >= 50
    assert {frame.rover for frame in listed.values()} == {"curiosity", "perseverance", "spirit", "opportunity"}
    assert all(frame.camera != "unknown" for frame in listed.values())
    assert len({frame.frame_id for frame in listed.values()}) == len(listed)
