"""Frame ids are safe and unique; only images are walked."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.sources.image_files import frame_id_of, looks_like_image, marked_frame_id, walk_images

part = st.text(st.sampled_from("ab_-. é/\\"), min_size=1, max_size=6).filter(
    lambda text: "/" not in text and text.strip(".")
)
paths = st.lists(part, min_size=1, max_size=4).map(lambda parts: "/".join(parts) + "z.png")


@given(st.sets(paths, min_size=1, max_size=12))
def test_different_paths_have_different_safe_ids(names: set[str]) -> None:
    ids = [frame_id_of(name) for name in names]
    assert len(set(ids)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", frame_id) and len(frame_id) <= 150 for frame_id in ids)


def test_plain_paths_keep_their_look() -> None:
    assert frame_id_of("spirit/navcam_left/2N292280938EFFB100P0703L0M1.png") == (
        "spirit__navcam_left__2N292280938EFFB100P0703L0M1"
    )
    assert frame_id_of("NLA_402562693EDR_F0050000NCAM00445M_.JPG") == "NLA_402562693EDR_F0050000NCAM00445M_"
    assert len(frame_id_of("x/" * 200 + "y.png")) <= 150
    assert marked_frame_id("a.png") != marked_frame_id("a.jpg")


def test_only_visible_images_are_walked(tmp_path: Path) -> None:
    for name in ["b/1.png", "a.IMG", "a.img.jpg", ".x.png", ".git/y.png", "readme.md", "b/.thumb/z.jpg"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere")
    assert list(walk_images(tmp_path)) == ["a.IMG", "a.img.jpg", "b/1.png"]


def test_a_name_that_is_no_text_is_passed_over_with_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.png").write_bytes(b"1")
    try:
        (tmp_path / "\udcff.png").write_bytes(b"1")
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    assert list(walk_images(tmp_path)) == ["a.png"]
    assert "not valid UTF-8" in caplog.text


def test_a_folder_that_cannot_be_read_is_no_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(RovervisionError, match="cannot be read"):
        list(walk_images(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("head", "is_image"),
    [(b"\xff\xd8\xff\xe0", True), (b"\x89PNG\r\n\x1a\n", True), (b"PDS_VERSION_ID = PDS3", True), (b"<html>", False),
     (b"", False), (b"MZ\x90\x00", False)],
)  # fmt: skip
def test_images_are_known_by_their_first_bytes(head: bytes, is_image: bool) -> None:
    assert looks_like_image(head) is is_image
