"""Is it the image that was promised? Kind, size and every row of it, before it is stored under its name."""

import io
import re
import struct
import zlib
from typing import Final

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from rovervision.sources.frame import Frame
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.faults import looks_like_html
from rovervision.sources.http.transport import FailureReason, FetchError, Transport
from rovervision.sources.image_files import looks_like_image

_FETCHES: Final = 3
_FLAKY: Final[frozenset[FailureReason]] = frozenset({"empty", "html_page", "truncated", "undecodable"})

_JPEG_END: Final = b"\xff\xd9"
_JPEG_TAIL_BYTES: Final = 4096  # cameras and servers may pad after the end marker
_PNG_SIGNATURE_BYTES: Final = 8
_TIFF: Final = (b"II*\x00", b"MM\x00*")
_PDS_LABEL_BYTES: Final = 1 << 18
_PDS_END: Final = re.compile(rb"^[ \t]*END[ \t]*\r?$", re.MULTILINE)
_PDS_IMAGE: Final = re.compile(rb"^[ \t]*OBJECT\s*=\s*IMAGE[ \t]*\r?$(.*?)^[ \t]*END_OBJECT", re.MULTILINE | re.DOTALL)


def fetch_image(transport: Transport, frame: Frame, config: HttpConfig) -> bytes:
    """Return a frame's image file, verified; what a flaky server may have spoiled is asked for again, twice at most."""
    for attempt in range(1, _FETCHES + 1):
        body = transport.get_file(frame.url, max_bytes=config.max_image_bytes)
        try:
            verify_image(body, width_px=frame.width_px, height_px=frame.height_px, max_px=config.max_image_px)
            return body
        except FetchError as error:
            if error.reason not in _FLAKY or attempt == _FETCHES:
                raise
    raise AssertionError("the last attempt returns or raises")


def verify_image(body: bytes, *, width_px: int | None, height_px: int | None, max_px: int) -> None:
    """Raise FetchError, with the reason, for bytes that are not a whole image of the promised size.

    JPEG, PNG and TIFF are decoded (JPEG at an eighth of its size: every bit is read, few pixels are made); of a PDS3
    image with its label in front, the length is compared with the label. `max_px` is width times height, taken from
    the header before anything is decoded. Threads may call it at the same time; no setting of Pillow is changed or
    relied on.
    """
    if not body:
        raise FetchError("empty", "No bytes came.")
    if looks_like_html(body):
        raise FetchError("html_page", "A web page came instead of the image.")
    if not looks_like_image(body[:32]):
        raise FetchError("not_an_image", f"The file begins with {body[:12]!r}: no JPEG, PNG, TIFF or PDS image.")
    if body.startswith((b"\xff\xd8", b"\x89PNG", *_TIFF)):
        _check_picture(body, (width_px, height_px), max_px)
    else:
        _check_pds(body, (width_px, height_px), max_px)


def _check_picture(body: bytes, promised: tuple[int | None, int | None], max_px: int) -> None:
    """Check a JPEG, PNG or TIFF."""
    try:
        image = _opened(body)
    except Exception as error:  # Pillow's readers raise a dozen kinds for headers that make no sense
        raise _damaged(body, error) from error
    with image:
        _check_size(image.size, promised, max_px)
        if _is_cut(body):
            raise FetchError("truncated", "The image file ends early.")
        try:
            image.draft("L", (max(1, image.width // 8), max(1, image.height // 8)))
            image.load()
        except Exception as error:
            raise _damaged(body, error) from error


def _opened(body: bytes) -> Image.Image:
    """Read the header. `Image.open` would do so too, but warns and refuses by limits that all threads share."""
    stream = io.BytesIO(body)
    if body.startswith(b"\xff\xd8"):
        return JpegImageFile(stream)
    return PngImageFile(stream) if body.startswith(b"\x89PNG") else TiffImageFile(stream)


def _check_size(size: tuple[int, int], promised: tuple[int | None, int | None], max_px: int) -> None:
    width, height = size
    if width * height > max_px:
        raise FetchError("too_large", f"The image has {width} x {height} pixels, more than the limit of {max_px}.")
    if any(told is not None and told != found for told, found in zip(promised, size, strict=True)):
        asked = " x ".join("any" if each is None else str(each) for each in promised)
        raise FetchError("wrong_dimensions", f"The image has {width} x {height} pixels, the record says {asked}.")


def _damaged(body: bytes, error: Exception) -> FetchError:
    """Tell a file that ends early from one that is wrong within."""
    if _is_cut(body) or "truncated" in str(error).lower():
        return FetchError("truncated", "The image file ends early.")
    return FetchError("undecodable", f"The image cannot be decoded: {str(error)[:80] or type(error).__name__}.")


def _is_cut(body: bytes) -> bool:
    """Tell by its own marks whether a JPEG or PNG lacks its end; decoders may be told to overlook that."""
    if body.startswith(b"\xff\xd8"):
        return _JPEG_END not in body[-_JPEG_TAIL_BYTES:]
    return body.startswith(b"\x89PNG") and _is_cut_png(body)


def _is_cut_png(body: bytes) -> bool:
    """Walk from chunk to chunk (length, name, data, CRC: PNG specification, 5.3) until IEND."""
    at = _PNG_SIGNATURE_BYTES
    while at + 12 <= len(body):
        length, name = struct.unpack_from(">I4s", body, at)
        end = at + 12 + length
        if end > len(body):
            return True
        if name == b"IDAT" and zlib.crc32(body[at + 4 : end - 4]) != struct.unpack_from(">I", body, end - 4)[0]:
            raise FetchError("undecodable", "The image's check sum is wrong.")
        if name == b"IEND":
            return False
        at = end
    return True


def _check_pds(body: bytes, promised: tuple[int | None, int | None], max_px: int) -> None:
    """Check a PDS3 image by its label: records times bytes in each (PDS Standards Reference 3.8, chapter 15)."""
    label = body[:_PDS_LABEL_BYTES]
    end = _PDS_END.search(label)
    label = label[: end.end()] if end else label
    record_bytes, records = _number(label, b"RECORD_BYTES"), _number(label, b"FILE_RECORDS")
    if record_bytes is None or records is None:
        is_cut = end is None and len(body) < _PDS_LABEL_BYTES
        reason: FailureReason = "truncated" if is_cut else "undecodable"
        raise FetchError(reason, "The label of the PDS image does not tell its length.")
    image = _PDS_IMAGE.search(label)
    width, height = (_number(image[1], name) if image else None for name in (b"LINE_SAMPLES", b"LINES"))
    if width is not None and height is not None:
        _check_size((width, height), promised, max_px)
    if len(body) < record_bytes * records:
        raise FetchError("truncated", f"{len(body)} of the {record_bytes * records} bytes that the label promises.")
    if end is None:
        raise FetchError("undecodable", "The label of the PDS image has no end.")


def _number(label: bytes, keyword: bytes) -> int | None:
    found = re.search(rb"^[ \t]*" + keyword + rb"[ \t]*=[ \t]*(\d{1,12})", label, re.MULTILINE)
    return int(found[1]) if found else None
