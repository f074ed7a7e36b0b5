"""Whole images pass; each way of being none is told by its name."""

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import Reply, Server
from PIL import Image, ImageFile

from rovervision.sources.frame import Frame
from rovervision.sources.http.client import HttpTransport
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import FetchError
from rovervision.sources.http.verification import fetch_image, verify_image

pytestmark = pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # of TIFF files that were spoiled on purpose

KINDS = ("jpeg", "jpeg_progressive", "jpeg_color", "png", "png_color", "png_16", "tiff", "pds")
WIDTH, HEIGHT = 61, 47


@cache
def image(kind: str, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A noisy picture, so that every byte counts."""
    noise = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    if kind == "pds":
        return pds(noise[..., 0])
    pixels = noise if kind.endswith("color") else noise[..., 0]
    pixels = pixels.astype(np.uint16) * 16 if kind == "png_16" else pixels
    stream = io.BytesIO()
    named = {"progressive": True} if kind == "jpeg_progressive" else {}
    Image.fromarray(pixels).save(stream, kind.partition("_")[0], **named)
    return stream.getvalue()


def pds(pixels: np.ndarray) -> bytes:
    """A PDS3 image with its label in front, as the archives write them."""
    height, width = pixels.shape
    lines = [
        "PDS_VERSION_ID                    = PDS3", "RECORD_TYPE                       = FIXED_LENGTH",
        "RECORD_BYTES                      = 64", "FILE_RECORDS                      = %05d",
        "GROUP                             = SUBFRAME_REQUEST_PARMS", "  LINES                           = 1024",
        "  LINE_SAMPLES                    = 1024", "END_GROUP                         = SUBFRAME_REQUEST_PARMS",
        "OBJECT                            = IMAGE", f"  LINES                           = {height}",
        f"  LINE_SAMPLES                    = {width}", "  SAMPLE_BITS                     = 8",
        "END_OBJECT                        = IMAGE", "END",
    ]  # fmt: skip
    label = "\r\n".join(lines) + "\r\n"
    length = -(-(len(label) + pixels.size) // 64) * 64
    return ((label % (length // 64)).encode() + pixels.tobytes()).ljust(length, b"\0")


def fault(body: bytes, width: int | None = None, height: int | None = None, max_px: int = 10**6) -> str | None:
    try:
        verify_image(body, width_px=width, height_px=height, max_px=max_px)
    except FetchError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
        return error.reason
    return None


@pytest.mark.parametrize("kind", KINDS)
def test_whole_images_of_the_right_size_pass(kind: str) -> None:
    body = image(kind)
    assert fault(body) is None
    assert fault(body, WIDTH, HEIGHT, WIDTH * HEIGHT) is None
    assert fault(body, WIDTH, None) is None and fault(body, None, HEIGHT) is None
    assert fault(body, HEIGHT, WIDTH) == fault(body, WIDTH + 1) == fault(body, None, HEIGHT - 1) == "wrong_dimensions"
    assert fault(body, max_px=WIDTH * HEIGHT - 1) == "too_large"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lenient", [False, True])
@given(share=st.floats(0, 1, exclude_max=True))
def test_images_that_end_early_are_told(kind: str, lenient: bool, share: float) -> None:
    """Also where another library has told Pillow to overlook it."""
    body = image(kind)
    cut = body[: int(share * len(body))]
    ImageFile.LOAD_TRUNCATED_IMAGES = lenient
    try:
        told = fault(cut)
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    if not cut:
        assert told == "empty"
    elif len(cut) < 16:
        assert told in {"not_an_image", "truncated", "undecodable"}
    elif kind == "tiff":
        assert told in {"truncated", "undecodable"} or (lenient and told is None)
    else:
        assert told == "truncated" or (kind == "pds" and len(cut) < 110 and told == "undecodable")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html></html>", "html_page"),
        (b"\xef\xbb\xbf\r\n  <HTML lang=en>", "html_page"),
        (b'<?xml version="1.0"?><!DOCTYPE x><html xmlns="x">', "html_page"),
        (b"<!-- moved --> <html>", "html_page"),
        (b'{"message": "This page was not found"}', "not_an_image"),
        (b"GIF89a" + bytes(100), "not_an_image"),
        (bytes(1000), "not_an_image"),
        (b"\xff\xd8\xff" + bytes(1000) + b"\xff\xd9", "undecodable"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "truncated"),
        (b"II*\x00" + bytes(1000), "undecodable"),
        (b"PDS_VERSION_ID = PDS3\r\nEND\r\n" + bytes(1000), "undecodable"),
        (b"PDS_VERSION_ID = PDS3\r\nRECORD_BYTES = 10\r\nFILE_RECORDS = 2\r\n" + bytes(1000), "undecodable"),
    ],
)
def test_what_is_no_image(body: bytes, told: str) -> None:
    assert fault(body) == told


@pytest.mark.parametrize("lenient", [False, True])
def test_a_png_with_a_wrong_byte_is_told(lenient: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    body = bytearray(image("png"))
    body[len(body) // 2] ^= 1
    assert fault(bytes(body)) == "undecodable"


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, data: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def test_a_png_whose_pixels_end_early_though_the_file_does_not() -> None:
    assert fault(png(8, 8, bytes(72))) is None
    assert fault(png(8, 8, bytes(40))) in {"truncated", "undecodable"}


def test_the_limit_holds_before_anything_is_decoded() -> None:
    """Sizes at which Pillow itself would warn, and others at which it would refuse, are left to our limit."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fault(png(60_000, 60_000, b""), max_px=10**9) == "too_large"
        assert fault(png(10_000, 10_000, bytes(10)), max_px=10**8 - 1) == "too_large"
        assert fault(png(10_000, 10_000, bytes(10_001) * 10_000), max_px=10**8) is None


@pytest.mark.parametrize("tail", [b"\r\n", bytes(1000)])
def test_padding_after_the_end_does_no_harm(tail: bytes) -> None:
    assert [kind for kind in KINDS if fault(image(kind) + tail)] == []


@given(st.binary(max_size=300), st.sampled_from(KINDS), st.integers(0, 400))
def test_any_bytes_pass_or_are_told(noise: bytes, kind: str, at: int) -> None:
    body = image(kind)
    fault(body[:at] + noise + body[at + len(noise) :])
    fault(body[:12] + noise)


def test_threads_do_not_disturb_one_another() -> None:
    bodies = [image(kind)[:cut] for kind in KINDS for cut in (None, 500, 1200)] * 10
    expected = [fault(body) for body in bodies]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(fault, bodies)) == expected


# --- fetching


def frame_of(server: Server, **fields: int) -> Frame:
    return Frame(frame_id="a", file_name="a.jpg", source="test", url=f"{server.url}/a.jpg", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [Reply(body=image("jpeg")[:-300]), Reply(body=b"\xff\xd8\xff" + bytes(999) + b"\xff\xd9"),
     Reply(body=b"<html>busy</html>"), Reply(503), Reply(body=b"")],
)  # fmt: skip
def test_a_flaky_server_is_asked_again(server: Server, transport: HttpTransport, bad: Reply) -> None:
    server.script(bad, Reply(body=image("jpeg")))
    frame = frame_of(server, width_px=WIDTH, height_px=HEIGHT)
    assert fetch_image(transport, frame, HttpConfig()) == image("jpeg")
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("body", "told", "n_asked"),
    [
        (image("jpeg")[:-300], "truncated", 3),
        (image("png", 5, 5), "wrong_dimensions", 1),
        (b"GIF89a" + bytes(99), "not_an_image", 1),
        (b"<html>", "html_page", 2),
        (image("tiff", 200, 100), "too_large", 1),
        (bytes(50_000), "too_large", 1),
    ],
)
def test_what_stays_bad_is_told(server: Server, transport: HttpTransport, body: bytes, told: str, n_asked: int) -> None:
    server.script(Reply(body=body))
    limits = HttpConfig(max_image_bytes=49_999, max_image_px=10_000)
    with pytest.raises(FetchError) as error:
        fetch_image(transport, frame_of(server, width_px=WIDTH), limits)
    assert error.value.reason == told
    assert len(server.asked) == n_asked


@pytest.mark.real
def test_real_images_pass_and_their_beginnings_do_not(real_images: Path) -> None:
    suffixes = {".jpg", ".jpeg", ".png", ".img"}
    paths = [path for path in sorted(real_images.rglob("*")) if path.suffix.lower() in suffixes]
    assert len(paths) > 20
    for path in paths:
        body = path.read_bytes()
        assert fault(body, max_px=10**8) is None, path
        for cut in (len(body) // 3, len(body) - 30, len(body) - 1):
            assert fault(body[:cut], max_px=10**8) == "truncated", (path, cut)
