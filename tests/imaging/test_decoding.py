"""Every file is read for what it is, or refused in a sentence."""

import contextlib
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from rovervision.errors import RovervisionError
from rovervision.imaging.decoding import PIXEL_LIMIT, decode_image, to_uint8
from rovervision.imaging.headers import header_size

RED_GREEN_BLUE = np.array([[[250, 0, 0], [0, 250, 0]], [[0, 0, 250], [10, 20, 30]]], np.uint8)


def texture(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return cv2.GaussianBlur(noise, (5, 5), 0)


def encoded(pixels: np.ndarray, suffix: str) -> bytes:
    """Encode gray or RGB(A)."""
    order = pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, *range(3, pixels.shape[2])]]
    good, data = cv2.imencode(suffix, order)
    assert good
    return data.tobytes()


def saved(image: Image.Image, path: Path, **options: object) -> bytes:
    image.save(path, **options)
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("shape", [(7, 300), (300, 7), (64, 65, 3)])
def test_the_header_tells_the_size_that_is_decoded(suffix: str, shape: tuple[int, ...]) -> None:
    data = encoded(texture(shape), suffix)
    assert header_size(data) == (shape[1], shape[0])
    for end in (8, 20, 40):
        assert header_size(data[:end]) in (None, (shape[1], shape[0]))
    assert header_size(b"GIF89a" + data) is None


def test_the_size_stands_behind_comments_and_tables(tmp_path: Path) -> None:
    image = Image.fromarray(texture((40, 90, 3)))
    for options in ({"comment": b"\xff\xc0" * 500}, {"progressive": True}, {"exif": b"Exif\0\0" + bytes(3000)}):
        assert header_size(saved(image, tmp_path / "a.jpg", **options)) == (90, 40)


def pds3(samples: np.ndarray, sample_type: str = "MSB_INTEGER") -> bytes:
    """Make a PDS3 file with an attached label, as small as they come."""
    lines, line_samples = samples.shape[-2:]
    bands = 1 if samples.ndim == 2 else samples.shape[0]
    bits = samples.dtype.itemsize * 8
    record = line_samples * samples.dtype.itemsize
    label_records = -(-1024 // record)
    label = "\r\n".join(
        [
            "PDS_VERSION_ID = PDS3",
            "RECORD_TYPE = FIXED_LENGTH",
            f"RECORD_BYTES = {record}",
            f"FILE_RECORDS = {label_records + lines * bands}",
            f"LABEL_RECORDS = {label_records}",
            f"^IMAGE = {label_records + 1}",
            "OBJECT = IMAGE",
            f"  LINES = {lines}",
            f"  LINE_SAMPLES = {line_samples}",
            f"  SAMPLE_TYPE = {sample_type}",
            f"  SAMPLE_BITS = {bits}",
            f"  BANDS = {bands}",
            "  BAND_STORAGE_TYPE = BAND_SEQUENTIAL",
            "END_OBJECT = IMAGE",
            "END",
            "",
        ]
    ).encode()
    return label.ljust(label_records * record) + samples.tobytes()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_lossless_color_comes_back_as_rgb(suffix: str) -> None:
    np.testing.assert_array_equal(decode_image(encoded(RED_GREEN_BLUE, suffix)), RED_GREEN_BLUE)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_gray_stays_gray(suffix: str) -> None:
    gray = texture((24, 40))
    decoded = decode_image(encoded(gray, suffix))
    assert decoded.shape == gray.shape
    assert np.abs(decoded.astype(int) - gray).mean() < 3


def test_jpeg_channels_are_not_swapped() -> None:
    flat = np.full((16, 16, 3), (200, 100, 20), np.uint8)
    assert np.abs(decode_image(encoded(flat, ".jpg")).astype(int) - flat).max() <= 3


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3)])
def test_sixteen_bits_stay_sixteen_bits(suffix: str, shape: tuple[int, ...]) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, shape, dtype=np.uint16)
    np.testing.assert_array_equal(decode_image(encoded(deep, suffix)), deep)


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    data = saved(Image.fromarray(RED_GREEN_BLUE).convert("P", palette=Image.Palette.ADAPTIVE), tmp_path / "p.png")
    np.testing.assert_array_equal(decode_image(data), RED_GREEN_BLUE)


def test_alpha_is_composed_over_black(tmp_path: Path) -> None:
    rgba = np.dstack([RED_GREEN_BLUE, np.array([[255, 0], [128, 255]], np.uint8)])
    decoded = decode_image(saved(Image.fromarray(rgba), tmp_path / "a.png"))
    assert decoded.shape == (2, 2, 3)
    np.testing.assert_array_equal(decoded[0, 0], RED_GREEN_BLUE[0, 0])
    np.testing.assert_array_equal(decoded[0, 1], 0)
    assert abs(int(decoded[1, 0, 2]) - 250 * 128 // 255) <= 1


def test_gray_with_alpha_is_readable(tmp_path: Path) -> None:
    data = saved(Image.fromarray(np.dstack([texture((8, 8)), np.full((8, 8), 255, np.uint8)])), tmp_path / "la.png")
    decoded = decode_image(data)
    np.testing.assert_array_equal(decoded if decoded.ndim == 2 else decoded[..., 0], texture((8, 8)))


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0.0, 0.97), suffix=st.sampled_from([".jpg", ".png"]))
def test_a_truncated_file_is_refused(share: float, suffix: str) -> None:
    whole = encoded(texture((64, 64, 3)), suffix)
    with pytest.raises(RovervisionError):
        decode_image(whole[: int(share * len(whole))])


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 200, b"<!doctype html><title>404</title>", b"PDS_VERSION_ID = PDS3\r\nEND"]
)
def test_what_is_no_image_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(RovervisionError, match=r"\w+ \w+ \w+"):
        decode_image(data)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(RovervisionError):
        decode_image(data)


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    assert side * side > PIXEL_LIMIT

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(RovervisionError, match=r"pixels|large"):
        decode_image(bomb)


def test_a_pds3_image_is_read_by_its_content() -> None:
    samples = (np.arange(40 * 50).reshape(40, 50) * 2 - 10).astype(">i2")
    decoded = decode_image(pds3(samples))
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, np.clip(samples, 0, None))


def test_a_pds3_image_of_three_bands_is_rgb() -> None:
    bands = np.stack([np.full((20, 30), level, np.uint8) for level in (200, 100, 50)])
    decoded = decode_image(pds3(bands, "UNSIGNED_INTEGER"))
    assert decoded.shape == (20, 30, 3)
    np.testing.assert_array_equal(decoded[5, 5], [200, 100, 50])


def test_floating_point_samples_keep_their_order_and_missing_ones_are_black() -> None:
    samples = np.linspace(-1.0, 3.0, 600).reshape(20, 30).astype(">f4")
    samples[0, 0] = np.nan
    decoded = decode_image(pds3(samples, "IEEE_REAL"))
    assert decoded[0, 0] == 0
    assert (np.diff(decoded.ravel()[1:].astype(int)) >= 0).all()
    assert decoded.max() == 65535


def test_a_pds3_file_cut_short_is_refused() -> None:
    with pytest.raises(RovervisionError):
        decode_image(pds3(np.ones((40, 50), ">i2"))[:1500])


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.uint16, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 65535)))
def test_to_uint8_is_monotone_and_leaves_its_argument_alone(image: np.ndarray) -> None:
    before = image.copy()
    out = to_uint8(image)
    np.testing.assert_array_equal(image, before)
    assert out.dtype == np.uint8
    assert out.shape == image.shape
    order = np.argsort(image, axis=None, kind="stable")
    assert (np.diff(out.ravel()[order].astype(int)) >= 0).all()


@settings(max_examples=30, deadline=None)
@given(hnp.arrays(np.uint16, (6, 7), elements=st.integers(0, 255)))
def test_values_that_fit_eight_bits_are_kept(image: np.ndarray) -> None:
    np.testing.assert_array_equal(to_uint8(image), image)


def test_uint8_passes_through_and_other_types_are_refused() -> None:
    gray = texture((4, 4))
    assert to_uint8(gray) is gray
    with pytest.raises(RovervisionError):
        to_uint8(gray.astype(np.float32))


@pytest.mark.parametrize("level", [0, 1, 300, 65535])
def test_a_constant_image_stays_constant(level: int) -> None:
    assert len(np.unique(to_uint8(np.full((5, 5), level, np.uint16)))) == 1


def test_missing_pixels_do_not_move_the_stretch() -> None:
    seen = np.random.default_rng(0).integers(1, 3000, (40, 50)).astype(np.uint16)
    half_lost = np.vstack([seen, np.zeros_like(seen)])
    np.testing.assert_array_equal(to_uint8(half_lost)[:40], to_uint8(seen))
    assert to_uint8(half_lost)[40:].max() == 0


def test_one_stretch_serves_all_channels() -> None:
    ramp = np.linspace(500, 2000, 100).astype(np.uint16)
    out = to_uint8(np.dstack([ramp, ramp // 2, ramp // 4]).reshape(10, 10, 3))
    assert out[..., 0].mean() > 1.5 * out[..., 1].mean() > 2 * out[..., 2].mean()


@pytest.mark.real
def test_real_pds3_products_match_their_browse_image(real_images: Path) -> None:
    stem = real_images / "opportunity" / "navcam_left" / "1n579700548ffld2fcp1981l0m1"
    raw = decode_image(stem.with_suffix(".img").read_bytes())
    assert raw.dtype == np.uint16
    assert raw.max() < 4096
    browse = decode_image(stem.with_suffix(".png").read_bytes())
    assert np.corrcoef(to_uint8(raw).ravel(), to_uint8(browse).ravel())[0, 1] > 0.99


@pytest.mark.real
def test_every_real_image_decodes(real_images: Path) -> None:
    files = [path for path in real_images.glob("*/*/*") if path.is_file()]
    assert len(files) > 50
    for path in files:
        picture = to_uint8(decode_image(path.read_bytes()))
        assert picture.std() > 5, path.name
