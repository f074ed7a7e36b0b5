"""The labelled set: classes, splits and images of the published layout, as zip, folder and download."""

import json
import logging
import threading
import zipfile
from collections import Counter
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.sources.archive_files import ArchiveLimits
from rovervision.sources.frame import Frame, Query
from rovervision.sources.msl_labelled import Entry, MslLabelledSource, in_proportion

EVERYTHING = Query(name="msl", source="msl_labelled")
CLASSES = "0       apxs\n1  apxs cal target\n8\tground\n"
NAMES = ("apxs", "apxs cal target", "ground")


@pytest.fixture
def members() -> dict[str, bytes]:
    """8 train, 4 val and 2 test images in the published layout, and one image in no list."""
    members = {"msl-images/README.txt": b"about", "msl-images/msl_synset_words-indexed.txt": CLASSES.encode()}
    number = 0
    for split, count, first_sol in [("train", 8, 3), ("val", 4, 200), ("test", 2, 600)]:
        lines = ""
        for place in range(count):
            name = f"calibrated/{first_sol + place:04}M{'LRH'[number % 3]}00057800001{number:05}E01_DRCL.JPG"
            image = np.full((8, 8, 3), number, np.uint8)
            members[f"msl-images/{name}"] = cv2.imencode(".jpg", image)[1].tobytes()
            lines += f"{name} {(0, 1, 8)[number % 3]}\n"
            number += 1
        members[f"msl-images/{split}-calibrated-shuffled.txt"] = lines.encode()
    members["msl-images/calibrated/0999ML0005780000199999E01_DRCL.JPG"] = b"\xff\xd8\xff unlisted"
    return members


def packed(folder: Path, members: dict[str, bytes]) -> MslLabelledSource:
    with zipfile.ZipFile(folder / "msl-images.zip", "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return opened(folder / "msl-images.zip")


def opened(archive: Path | str, downloads: Path = Path("never")) -> MslLabelledSource:
    return MslLabelledSource(str(archive), str(downloads), ArchiveLimits())


def listed(source: MslLabelledSource, query: Query = EVERYTHING) -> list[Frame]:
    return list(source.search(query))


def test_frames_carry_class_split_sol_and_camera(tmp_path: Path, members: dict[str, bytes]) -> None:
    frames = listed(packed(tmp_path, members))
    assert Counter(frame.official_split for frame in frames) == {"train": 8, "val": 4, "test": 2}
    assert len({frame.frame_id for frame in frames}) == 14
    first = min(frames, key=lambda frame: frame.frame_id)
    assert first.frame_id == "0003ML0005780000100000E01_DRCL"
    assert (first.rover, first.camera, first.sol, first.label) == ("curiosity", "mastcam_left", 3, "apxs")
    assert first.credit == "NASA/JPL-Caltech/MSSS"
    assert json.loads(first.record)["class_id"] == 0
    assert {frame.label for frame in frames} == set(NAMES)


def test_images_are_fetched_byte_for_byte(tmp_path: Path, members: dict[str, bytes]) -> None:
    source = packed(tmp_path, members)
    for frame in listed(source):
        assert source.fetch(frame) == members[f"msl-images/calibrated/{frame.file_name}"]


def test_zip_folder_and_download_are_the_same(tmp_path: Path, members: dict[str, bytes]) -> None:
    zipped = packed(tmp_path, members)
    for name, body in members.items():
        path = tmp_path / "unpacked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/msl-images.zip"
    web = opened(address, tmp_path / "cache")
    found = [listed(web)]
    server.shutdown()
    server.server_close()
    found += [listed(source) for source in (web, zipped, opened(tmp_path / "unpacked"))]
    found += [listed(opened(tmp_path / "unpacked" / "msl-images"))]
    plain = [[replace(frame, url="", record="") for frame in frames] for frames in found]
    assert all(frames == plain[0] for frames in plain)
    assert len(plain[0]) == 14
    assert (tmp_path / "cache" / "msl-images.zip").is_file()


def test_a_limit_keeps_the_published_proportions(tmp_path: Path, members: dict[str, bytes]) -> None:
    frames = listed(packed(tmp_path, members), Query(name="q", source="msl_labelled", limit=7))
    assert Counter(frame.official_split for frame in frames) == {"train": 4, "val": 2, "test": 1}


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.data())
def test_every_first_part_is_in_proportion(lengths: list[int], data: st.DataObject) -> None:
    lists = [[Entry(f"{number}", place, f"{number}") for place in range(n)] for number, n in enumerate(lengths)]
    merged = in_proportion(lists)
    assert [[entry for entry in merged if entry.split == f"{number}"] for number in range(len(lists))] == lists
    count = data.draw(st.integers(0, len(merged)))
    for number, length in enumerate(lengths):
        got = sum(entry.split == f"{number}" for entry in merged[:count])
        assert abs(got - count * length / len(merged)) <= len(lengths) / 2 + 1e-9


def test_missing_parts_are_coped_with(
    tmp_path: Path, members: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    for name in ["test-calibrated-shuffled.txt", "msl_synset_words-indexed.txt", "README.txt"]:
        del members[f"msl-images/{name}"]
    del members["msl-images/calibrated/0003ML0005780000100000E01_DRCL.JPG"]
    members["__MACOSX/msl-images/._train-calibrated-shuffled.txt"] = b"\x00\x05\x16\x07"
    with caplog.at_level(logging.WARNING):
        frames = listed(packed(tmp_path, members))
    assert Counter(frame.official_split for frame in frames) == {"train": 7, "val": 4}
    assert {frame.label for frame in frames} == {"class 0", "class 1", "class 8"}
    assert "1 listed images are not there" in caplog.text
    assert "3 images are in no list" in caplog.text


def test_an_image_in_two_lists_counts_once(
    tmp_path: Path, members: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    train = "msl-images/train-calibrated-shuffled.txt"
    members["msl-images/val-calibrated-shuffled.txt"] += members[train].splitlines(keepends=True)[0]
    frames = listed(packed(tmp_path, members))
    assert len(frames) == len({frame.frame_id for frame in frames}) == 14
    assert "1 are listed again" in caplog.text


@pytest.mark.parametrize("line", ["calibrated/x.JPG", "../../etc/passwd 3", "/etc/passwd 3", "a\\b.JPG 3"])
def test_bad_lines_are_told(tmp_path: Path, members: dict[str, bytes], line: str) -> None:
    members["msl-images/val-calibrated-shuffled.txt"] += line.encode()
    with pytest.raises(RovervisionError, match=r"Line 5 of|leads out of the archive"):
        listed(packed(tmp_path, members))


def test_another_zip_is_told_from_the_set(tmp_path: Path) -> None:
    with pytest.raises(RovervisionError, match=r"not the labelled set.*local_folder"):
        listed(packed(tmp_path, {"a/b.jpg": b"1"}))
    with pytest.raises(RovervisionError, match=r"There is no .*absent\.zip.*ingestion\.archive"):
        listed(opened(tmp_path / "absent.zip"))
    (tmp_path / "page.zip").write_bytes(b"<html>sorry</html>")
    with pytest.raises(RovervisionError, match="no whole zip file"):
        listed(opened(tmp_path / "page.zip"))


def test_what_is_no_image_is_not_fetched_and_what_is_empty_is(tmp_path: Path, members: dict[str, bytes]) -> None:
    images = [name for name in members if name.endswith(".JPG")]
    members[images[0]], members[images[1]] = b"#!/bin/sh\n", b""
    source = packed(tmp_path, members)
    frames = {frame.file_name: frame for frame in listed(source)}
    with pytest.raises(RovervisionError, match="is no image"):
        source.fetch(frames[Path(images[0]).name])
    assert source.fetch(frames[Path(images[1]).name]) == b""
    with pytest.raises(RovervisionError, match="has no member"):
        source.fetch(replace(frames[Path(images[1]).name], url="x.zip!/../../etc/passwd"))


@pytest.mark.real
def test_the_real_set(real_images: Path) -> None:
    source = opened(real_images / "msl-images.zip")
    frames = listed(source, Query(name="msl", source="msl_labelled", limit=50))
    assert Counter(frame.official_split for frame in frames) == {"train": 35, "val": 15}
    assert all(frame.sol is not None and frame.label for frame in frames)
    assert all(cv2.imdecode(np.frombuffer(source.fetch(frame), np.uint8), 1) is not None for frame in frames)
    everything = listed(source)
    assert Counter(frame.official_split for frame in everything) == {"train": 3746, "val": 1640}
    assert len({frame.frame_id for frame in everything}) == 5386
    assert {frame.camera for frame in everything} == {"mastcam_left", "mastcam_right", "mahli"}
    assert len({frame.label for frame in everything}) <= 24
    assert Counter(frame.label for frame in everything).most_common(1)[0][0] == "ground"
