"""Films at rest: an MP4 that plays, its list, and nothing half made."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from rovervision.datasets import film as films
from rovervision.datasets.film import FilmDataset
from rovervision.errors import RovervisionError
from rovervision.imaging.video import Film, FilmFrame

pytest.importorskip("imageio_ffmpeg")

COLORS = [(200, 60, 40), (60, 180, 80), (40, 60, 190), (190, 150, 100), (128, 128, 128)]


def frames(count: int, size: tuple[int, int] = (48, 64), broken: tuple[int, ...] = ()) -> Iterator[FilmFrame]:
    for number in range(count):
        color = np.array(COLORS[number % len(COLORS)], np.uint8)
        pixels = None if number in broken else np.broadcast_to(color, (*size, 3))
        yield FilmFrame(pixels, {"file": f"{number}.png", "failure": "no image" if number in broken else None})


def read_back(path: Path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    pictures = []
    while (answer := video.read())[0]:
        pictures.append(answer[1][..., ::-1])
    return pictures


def stream_of(path: Path) -> str:
    said = subprocess.run([films.ffmpeg(), "-i", str(path)], capture_output=True, text=True, check=False).stderr
    return next(line for line in said.splitlines() if "Video:" in line)


def encoders() -> str:
    return subprocess.run([films.ffmpeg(), "-encoders"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("encoder", ["libx264", "libopenh264"])
def test_a_film_is_h264_that_browsers_play(tmp_path, monkeypatch, encoder):
    if encoder not in encoders():
        pytest.skip(f"this ffmpeg has no {encoder}")
    monkeypatch.setattr(films, "_ENCODERS", (encoder,))
    path = tmp_path / "deep" / "film.mp4"
    FilmDataset(filepath=str(path)).save(Film(frames(7, broken=(2,)), 7, 5.0))
    told = stream_of(path)
    for word in ("h264", "yuv420p", "64x48", "5 fps", "bt709", "avc1"):
        assert word in told, told
    video = cv2.VideoCapture(str(path))
    assert (video.get(cv2.CAP_PROP_FRAME_COUNT), video.get(cv2.CAP_PROP_FPS)) == (6, 5)
    body = path.read_bytes()
    assert 0 < body.find(b"moov") < body.find(b"mdat")  # the index stands in front


def test_colours_and_order_survive(tmp_path):
    path = tmp_path / "film.mp4"
    FilmDataset(filepath=str(path)).save(Film(frames(5), 5, 2.5))
    pictures = read_back(path)
    assert len(pictures) == 5
    for picture, color in zip(pictures, COLORS, strict=True):
        assert np.abs(picture.mean((0, 1)) - color).max() < 6


def test_the_list_names_every_file_and_what_was_wrong(tmp_path):
    dataset = FilmDataset(filepath=str(tmp_path / "film.mp4"))
    dataset.save(Film(frames(4, broken=(0, 3)), 4, 5.0))
    listed = dataset.load()
    assert list(listed.columns) == list(films.COLUMNS)
    assert list(listed["file"]) == ["0.png", "1.png", "2.png", "3.png"]
    assert list(listed["failure"].isna()) == [False, True, True, False]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "film.mp4.csv"]


def test_no_film_is_made_where_none_was_asked_for():
    dataset = FilmDataset(filepath=None)

    def unread() -> Iterator[FilmFrame]:
        raise AssertionError("a frame was looked at")
        yield

    dataset.save(Film(unread(), 1, 5.0))
    assert dataset.load().empty
    assert not dataset.exists()


@pytest.mark.parametrize(
    ("name", "film", "words"),
    [
        ("film.avi", Film(frames(2), 2, 5.0), "ends in .mp4"),
        ("film.mp4", Film(frames(0), 0, 5.0), "no frame"),
        ("film.mp4", Film(frames(2, broken=(0, 1)), 2, 5.0), "None of the 2 files"),
        ("film.mp4", Film(frames(2, size=(47, 64)), 2, 5.0), "ffmpeg could not"),
    ],
)
def test_what_cannot_be_filmed_is_a_sentence_and_leaves_nothing(tmp_path, name, film, words):
    with pytest.raises(DatasetError, match=words):
        FilmDataset(filepath=str(tmp_path / name)).save(film)
    assert list(tmp_path.iterdir()) == []


def test_the_old_film_stays_until_the_new_one_is_whole(tmp_path):
    dataset = FilmDataset(filepath=str(tmp_path / "film.mp4"))
    dataset.save(Film(frames(2), 2, 5.0))
    before = (tmp_path / "film.mp4").read_bytes()

    def stopping() -> Iterator[FilmFrame]:
        yield from frames(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dataset.save(Film(stopping(), 9, 5.0))
    assert (tmp_path / "film.mp4").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "film.mp4.csv"]


def test_without_ffmpeg_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(DatasetError, match=r"rovervision\[film\]"):
        FilmDataset(filepath=str(tmp_path / "film.mp4")).save(Film(frames(2), 2, 5.0))


def test_an_ffmpeg_without_h264_is_a_sentence(tmp_path):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho ' V..... mpeg4 '\n")
    program.chmod(0o755)
    with pytest.raises(RovervisionError, match=r"no H\.264 encoder"):
        films.encoder_of(str(program))
    program.write_text("#!/bin/sh\nexit 3\n")
    for broken in (program, tmp_path / "absent"):
        with pytest.raises(RovervisionError, match="is no ffmpeg that runs"):
            films.encoder_of(str(broken))


MEMORY = """
import resource, sys
import numpy as np
from rovervision.datasets.film import FilmDataset
from rovervision.imaging.video import Film, FilmFrame

def frames(count):
    for number in range(count):
        yield FilmFrame(np.full((256, 256, 3), number % 256, np.uint8), {"file": str(number)})

FilmDataset(filepath=sys.argv[1]).save(Film(frames(100), 100, 5.0))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
FilmDataset(filepath=sys.argv[1]).save(Film(frames(1500), 1500, 5.0))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="memory is told by the resource module")
def test_memory_does_not_grow_with_the_length(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "film.mp4")], capture_output=True, text=True, check=True
    )
    assert int(answer.stdout) < 20_000  # KiB; 1,400 pictures more are 275,000


def test_a_list_of_no_film_has_no_row():
    pd.testing.assert_frame_equal(FilmDataset(filepath=None).load(), pd.DataFrame(columns=list(films.COLUMNS)))
