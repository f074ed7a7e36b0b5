"""Small images that follow from their names alone, so that a test can say which bytes must arrive.

They are a sixteenth as wide and high as the true products, and coloured as the product name says.
"""

import hashlib
import io
import struct
import zlib
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Final, Literal

import numpy as np
from PIL import Image

Appearance = Literal["color", "mosaic", "gray"]

_MARS_2020_STEM: Final = 54
_MMM_TYPE_AT: Final = {30: 22, 23: 16}  # place of the product type in the long and the early names
_MARS_2020_SIZES: Final = {"Z": (103, 75), "S": (100, 75), "L": (128, 128), "HN": (40, 30), "HS": (263, 195)}
_SIZE_VARIANTS: Final = {"_320": 2, "_800": 2, "_1200": 1}


def appearance(name: str) -> Appearance:
    """Return how a product looks: in colour, as a Bayer mosaic, or gray."""
    stem = _stem(name)
    if len(stem) == _MARS_2020_STEM:
        return _mars_2020_appearance(stem)
    if len(stem) in _MMM_TYPE_AT and stem[:4].isdigit() and stem[4] == "M":
        kind = stem[_MMM_TYPE_AT[len(stem)]]
        return "mosaic" if kind == "C" else "color" if kind in "EFIMNRT" else "gray"
    return "color" if stem[0] in "CD" and stem[1:4].isdigit() else "gray"  # InSight


def image_size(name: str) -> tuple[int, int]:
    """Return width and height in pixels."""
    stem = _stem(name)
    if len(stem) == _MARS_2020_STEM:
        if stem[27] == "T":
            return 20, 15
        width, height = _MARS_2020_SIZES.get(stem[:2]) or _MARS_2020_SIZES.get(stem[0], (80, 60))
        part = next((part for ending, part in _SIZE_VARIANTS.items() if f"{ending}." in name), 1)
        return width // part, height // part
    if len(stem) in _MMM_TYPE_AT and stem[:4].isdigit():
        return (10, 9) if stem[_MMM_TYPE_AT[len(stem)]] in "GHIOPQTU" else (84, 75)
    if len(stem) == 27:
        return {"eth": (16, 16), "esf": (64, 32), "edn": (32, 32), "erp": (64, 2)}.get(stem[11:14], (64, 64))
    if len(stem) == 36 and not stem[1:4].isdigit():
        return {"T": (16, 16), "D": (32, 32), "S": (64, 48)}.get(stem[17], (64, 64))
    return 64, 64


@lru_cache(maxsize=4096)
def image_bytes(name: str) -> bytes:
    """Return the whole file of that name: PNG, JPEG, or a PDS image with its label (.img)."""
    if name.endswith(".img"):
        return labelled_image(name)
    pixels = _pixels(name, *image_size(name))
    look = appearance(name)
    suffix = PurePosixPath(name).suffix.lower()
    if look != "color":
        pixels = _mosaic(pixels) if look == "mosaic" else pixels[..., 1]
        if suffix == ".png" and len(_stem(name)) == _MARS_2020_STEM:
            pixels = np.repeat(pixels[..., None], 3, axis=2)  # all public Mars 2020 files are RGB containers
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG" if suffix == ".png" else "JPEG", quality=90, compress_level=1)
    return file.getvalue()


def labelled_image(name: str) -> bytes:
    """Return a PDS3 image: attached label, VICAR header, 16-bit big-endian samples of 12 bits."""
    stem = _stem(name)
    width, height = image_size(name)
    samples = (_pixels(name, width, height)[..., 1].astype(np.uint16) * 16).astype(">i2").tobytes()
    record_bytes, label_records = width * 2, -(-2048 // (width * 2))
    vicar = b"LBLSIZE=%-10d FORMAT='HALF' TYPE='IMAGE' NL=%d NS=%d" % (record_bytes, height, width)
    label = _label(stem, width, height, record_bytes, label_records).encode().ljust(record_bytes * label_records)
    return label + vicar.ljust(record_bytes)[:record_bytes] + samples


def image_header_only(suffix: str, side_px: int) -> bytes:
    """Return a small image file that claims to be side_px square: a decompression bomb's fuse."""
    file = io.BytesIO()
    Image.new("L", (8, 8), 90).save(file, "PNG" if suffix == ".png" else "JPEG")
    body = bytearray(file.getvalue())
    if suffix == ".png":
        header = b"IHDR" + struct.pack(">II", side_px, side_px) + bytes(body[24:29])
        body[12:29] = header
        body[29:33] = struct.pack(">I", zlib.crc32(header))
    else:
        at = body.index(b"\xff\xc0") + 5
        body[at : at + 4] = struct.pack(">HH", side_px, side_px)
    return bytes(body)


def _stem(name: str) -> str:
    stem = PurePosixPath(name).name.partition(".")[0]
    for ending in _SIZE_VARIANTS:
        stem = stem.removesuffix(ending)
    return stem


def _mars_2020_appearance(stem: str) -> Appearance:
    camera, filter_, product, compression = stem[0], stem[2], stem[23:26], stem[49:51]
    if camera == "Z" and filter_ != "0":
        return "gray"
    if product == "EBY" or filter_ == "F" or (camera == "Z" and compression.isdigit()):
        return "color"
    return "mosaic" if camera == "Z" or filter_ == "E" else "gray"


def _pixels(name: str, width: int, height: int) -> np.ndarray:
    """Return a tan slope with stones, (height, width, 3) uint8."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    bearing, contrast = rng.uniform(0, 2 * np.pi), rng.uniform(30, 60)
    slope = (np.cos(bearing) * x / width + np.sin(bearing) * y / height) * contrast // 4 * 4
    light = 128 + slope + rng.normal(0, 12, (height, width)) // 8 * 8  # in steps, so that files stay small
    return np.clip(light[..., None] * np.array([1.15, 0.95, 0.7]), 1, 255).astype(np.uint8)


def _mosaic(pixels: np.ndarray) -> np.ndarray:
    """Sample an RGGB pattern: (H, W, 3) to (H, W)."""
    mosaic = pixels[..., 1].copy()
    mosaic[0::2, 0::2] = pixels[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = pixels[1::2, 1::2, 2]
    return mosaic


def _label(stem: str, width: int, height: int, record_bytes: int, label_records: int) -> str:
    rover = stem[0]
    instrument = {"p": "PANCAM", "n": "NAVCAM", "f": "FRONT_HAZCAM", "r": "REAR_HAZCAM", "m": "MI", "e": "DESCAM"}[
        stem[1]
    ]
    eye = {"l": "LEFT", "r": "RIGHT"}.get(stem[23])
    lines = {
        "PDS_VERSION_ID": "PDS3",
        "RECORD_TYPE": "FIXED_LENGTH",
        "RECORD_BYTES": record_bytes,
        "FILE_RECORDS": label_records + 1 + height,
        "LABEL_RECORDS": label_records,
        "^IMAGE_HEADER": label_records + 1,
        "^IMAGE": label_records + 2,
        "DATA_SET_ID": f'"MER{rover}-M-{instrument}-2-EDR-OPS-V1.0"',
        "INSTRUMENT_HOST_ID": f'"MER{rover}"',
        "INSTRUMENT_HOST_NAME": f'"MARS EXPLORATION ROVER {rover}"',
        "INSTRUMENT_ID": f'"{instrument}_{eye}"' if eye else f'"{instrument}"',
        "IMAGE_TYPE": "THUMBNAIL" if stem[11:14] == "eth" else "REGULAR",
        "PRODUCT_ID": f'"{stem.upper()}"',
        "SPACECRAFT_CLOCK_START_COUNT": f'"{stem[2:11]}.500"',
        "TARGET_NAME": "MARS",
    }
    image = {
        "LINES": height, "LINE_SAMPLES": width, "BANDS": 1, "SAMPLE_TYPE": "MSB_INTEGER", "SAMPLE_BITS": 16,
        "LINE_PREFIX_BYTES": 0, "LINE_SUFFIX_BYTES": 0, "FIRST_LINE": 1, "FIRST_LINE_SAMPLE": 1,
    }  # fmt: skip
    text = [f"{key} = {value}" for key, value in lines.items()]
    text += [
        "OBJECT = IMAGE_HEADER",
        f"  BYTES = {record_bytes}",
        "  HEADER_TYPE = VICAR2",
        "END_OBJECT = IMAGE_HEADER",
    ]
    text += ["OBJECT = IMAGE", *(f"  {key} = {value}" for key, value in image.items()), "END_OBJECT = IMAGE"]
    return "\r\n".join([*text, "END", ""])
