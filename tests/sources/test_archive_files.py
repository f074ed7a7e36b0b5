"""Zip files and folders that someone else packed: read whole, or refused in a sentence."""

import stat
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rovervision.errors import RovervisionError
from rovervision.sources.archive_files import ArchiveLimits, FolderFiles, ZipFiles

SMALL = ArchiveLimits(max_member_bytes=10_000_000, max_total_bytes=15_000_000, max_compression_ratio=50)


def pack(
    path: Path, members: list[tuple[str | zipfile.ZipInfo, bytes]], packing: int = zipfile.ZIP_DEFLATED
) -> ZipFiles:
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return ZipFiles(path, SMALL)


def test_members_are_read_from_many_threads(tmp_path: Path) -> None:
    bodies = {f"d/{n}.jpg": bytes([n]) * (1000 + n) for n in range(40)}
    files = pack(tmp_path / "a.zip", [("d/", b""), *bodies.items()])
    assert files.names() == list(bodies)
    with ThreadPoolExecutor(8) as executor:
        assert list(executor.map(files.read, bodies)) == list(bodies.values())
    with pytest.raises(RovervisionError, match="has no member nothing"):
        files.read("nothing")


def test_marks_follow_content(tmp_path: Path) -> None:
    one = pack(tmp_path / "a.zip", [("a", b"1"), ("b", b"1"), ("c", b"2")])
    assert one.mark("a") == one.mark("b") != one.mark("c")


@pytest.mark.parametrize(
    "name",
    ["../a.jpg", "d/../../a.jpg", "/etc/a.jpg", "C:/a.jpg", "c:a.jpg", "..\\a.jpg", "d\\..\\..\\a.jpg", "\\a.jpg"],
)
def test_members_that_leave_the_folder_refuse_the_archive(tmp_path: Path, name: str) -> None:
    files = pack(tmp_path / "a.zip", [("good.jpg", b"1"), (name, b"2")])
    with pytest.raises(RovervisionError, match="leads out of the archive"):
        files.names()
    with pytest.raises(RovervisionError, match="leads out of the archive"):
        files.read("good.jpg")


def test_symbolic_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(RovervisionError, match=r"link\.jpg is a symbolic link"):
        pack(tmp_path / "a.zip", [(link, b"/etc/passwd")]).names()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_double_members_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RovervisionError, match=r"the member a\.jpg twice"):
        pack(tmp_path / "a.zip", [("a.jpg", b"1"), ("a.jpg", b"2")]).names()


@pytest.mark.parametrize(
    ("sizes", "packing", "fault"),
    [
        ([5_000_000], zipfile.ZIP_DEFLATED, r"packed \d+-fold, over the limit of 50"),
        ([11_000_000], zipfile.ZIP_STORED, "has 11000000 bytes, over the limit"),
        ([8_000_000] * 2, zipfile.ZIP_STORED, "unpacks to 16000000 bytes, over the limit"),
    ],
)
def test_bombs_are_refused_before_anything_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int], packing: int, fault: str
) -> None:
    files = pack(tmp_path / "a.zip", [(f"{n}.jpg", bytes(size)) for n, size in enumerate(sizes)], packing)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_, **__: pytest.fail("a bomb was opened"))
    with pytest.raises(RovervisionError, match=fault):
        files.names()


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    """The directory says 100 bytes and the stream holds a million."""
    pack(tmp_path / "a.zip", [("a.jpg", bytes(1_000_000))])
    body = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(body.replace((1_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    with pytest.raises(RovervisionError, match=r"a\.jpg is damaged"):
        ZipFiles(tmp_path / "a.zip", SMALL).read("a.jpg")


@pytest.mark.parametrize("keep", [0, 10, 200, 2000, -30])
def test_a_cut_zip_is_refused(tmp_path: Path, keep: int) -> None:
    pack(tmp_path / "a.zip", [(f"{n}.jpg", bytes(range(256)) * 4) for n in range(9)], zipfile.ZIP_STORED)
    body = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(body[:keep])
    with pytest.raises(RovervisionError, match="is no whole zip file"):
        ZipFiles(tmp_path / "a.zip", SMALL).names()


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_flipped_byte_is_refused(tmp_path: Path, packing: int) -> None:
    pack(tmp_path / "a.zip", [("a.jpg", bytes(range(256)) * 8)], packing)
    body = bytearray((tmp_path / "a.zip").read_bytes())
    body[80] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(body)
    with pytest.raises(RovervisionError, match=r"a\.jpg (is damaged|cannot be unpacked)"):
        ZipFiles(tmp_path / "a.zip", SMALL).read("a.jpg")


def test_a_missing_zip_is_told(tmp_path: Path) -> None:
    with pytest.raises(RovervisionError, match="There is no zip file"):
        ZipFiles(tmp_path / "a.zip", SMALL).names()


def test_folders_are_read_inside_only(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)
    (root / "d" / "a.jpg").write_bytes(b"1")
    (root / "link").symlink_to(tmp_path / "secret")
    files = FolderFiles(root, ArchiveLimits(max_member_bytes=5))
    assert files.names() == ["d/a.jpg"]
    assert files.read("d/a.jpg") == b"1"
    for name in ["link", "../secret", str(tmp_path / "secret")]:
        with pytest.raises(RovervisionError, match="leads out"):
            files.read(name)
    with pytest.raises(RovervisionError, match="has no file"):
        files.read("d/b.jpg")
    before = files.mark("d/a.jpg")
    (root / "d" / "a.jpg").write_bytes(b"too long")
    assert files.mark("d/a.jpg") != before
    with pytest.raises(RovervisionError, match="over the limit of 5"):
        files.read("d/a.jpg")
