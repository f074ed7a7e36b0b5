"""Bytes of an image file to one array of pixels: JPEG, PNG, TIFF, and PDS3 images with an attached label."""

import io
import tempfile
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from rovervision.errors import RovervisionError
from rovervision.imaging.headers import header_size

PIXEL_LIMIT = 120_000_000
"""Largest decoded width x height: six times the 20-megapixel sensors of Perseverance, far below a bomb."""

STRETCH_PERCENTILES = (0.1, 99.9)
"""Black and white point of `to_uint8`, over the non-zero samples (zero marks missing pixels in PDS products)."""

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_PDS3 = (b"PDS_VERSION_ID", b"CCSD3ZF", b"NJPL1I00", b"ODL_VERSION_ID")


def decode_image(data: bytes) -> np.ndarray:
    """Return the picture as (H, W) gray or (H, W, 3) RGB, uint8 or uint16, recognised by its content, not its name.

    A gray file stays gray, 16 bits stay 16 bits, a palette is looked up, alpha is composed over black. Signed and
    floating-point samples become uint16 (see `_to_unsigned`). Truncated files, files that are no image and files of
    more than `PIXEL_LIMIT` pixels raise RovervisionError; the size is read from the header, before decoding.
    """
    if not data:
        raise RovervisionError("the image file is empty: fetch it again")
    if is_pds3(data):
        return _decode_pds3(data)
    _refuse_truncated(data)
    _refuse_oversized(data)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as failure:
        raise RovervisionError(f"the image file cannot be decoded: {failure.err}") from failure
    if pixels is None or pixels.size == 0:
        raise RovervisionError("the image file cannot be decoded: it is damaged or of an unknown kind")
    return _to_unsigned(_without_alpha(pixels))


def is_pds3(data: bytes) -> bool:
    """True for a file with an attached PDS3 label. Its samples are counts of the sensor, not a picture for a screen."""
    return data[:64].lstrip().startswith(_PDS3)


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Return the image as uint8, the same shape; uint8 passes through, the argument is never changed.

    uint16 is stretched linearly from the 0.1 to the 99.9 percentile of its non-zero samples, over all channels at
    once so that hue is kept, and clipped. The range is never narrower than 255 counts, so counts are not spread
    apart, noise is not blown up, and values that fit eight bits come out unchanged. Monotone.
    """
    if image.dtype == np.uint8:
        return image
    if image.dtype != np.uint16:
        raise RovervisionError(f"an image must be uint8 or uint16, not {image.dtype}")
    seen = image[image > 0]
    black, white = np.percentile(seen, STRETCH_PERCENTILES) if seen.size else (0.0, 0.0)
    black = max(0.0, min(black, white - 255.0))
    white = max(white, black + 255.0)
    scaled = (image.astype(np.float32) - np.float32(black)) * np.float32(255.0 / (white - black))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _refuse_truncated(data: bytes) -> None:
    """Raise for a JPEG without end marker or a PNG without last chunk: decoders would fill the rest with gray."""
    if data.startswith(_JPEG) and b"\xff\xd9" not in data[-4096:]:
        raise RovervisionError("the JPEG file is truncated: its end marker is missing; fetch it again")
    if data.startswith(_PNG) and b"IEND" not in data[-4096:]:
        raise RovervisionError("the PNG file is truncated: its last chunk is missing; fetch it again")


def _refuse_oversized(data: bytes) -> None:
    """Raise where the header promises more than `PIXEL_LIMIT` pixels, or where there is no image header."""
    width, height = header_size(data) or _pillow_size(data)
    if width * height > PIXEL_LIMIT:
        raise RovervisionError(f"the image has {width} x {height} pixels, more than the limit of {PIXEL_LIMIT}")


def _pillow_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) as Pillow reads it: slower, but for every kind of file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as header:
                return header.size
    except Image.DecompressionBombError as failure:
        raise RovervisionError(f"the image is too large to decode safely: {failure}") from failure
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as failure:
        start = data[:40].decode("ascii", "replace").replace("\n", " ")
        raise RovervisionError(f"the file is no image; it begins with {start!r}") from failure


def _without_alpha(pixels: np.ndarray) -> np.ndarray:
    """Turn OpenCV's channel order (gray, BGR, BGRA) into gray or RGB, composed over black where there is alpha."""
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return pixels.reshape(pixels.shape[:2])
    if pixels.shape[2] == 3:
        is_native = pixels.dtype in (np.uint8, np.uint16)  # OpenCV swaps these forty times as fast as numpy
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if is_native else np.ascontiguousarray(pixels[..., ::-1])
    if pixels.shape[2] not in (2, 4):
        raise RovervisionError(f"the image has {pixels.shape[2]} channels; 1 to 4 are understood")
    color, alpha = pixels[..., -2::-1], pixels[..., -1:]
    full = np.iinfo(pixels.dtype).max if np.issubdtype(pixels.dtype, np.integer) else 1.0
    composed = np.rint(color.astype(np.float64) * (alpha.astype(np.float64) / full))
    composed = composed.astype(pixels.dtype)
    return composed[..., 0] if composed.shape[2] == 1 else np.ascontiguousarray(composed)


def _to_unsigned(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 and uint16 unchanged, other integers that fit as uint16 (negatives at 0), all else scaled to uint16.

    The scaling is linear from the smallest to the largest finite sample; samples that are not finite become 0.
    """
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if np.issubdtype(pixels.dtype, np.integer) and pixels.max(initial=0) <= np.iinfo(np.uint16).max:
        return np.clip(pixels, 0, None).astype(np.uint16)
    samples = pixels.astype(np.float64)
    finite = np.isfinite(samples)
    low, high = (samples[finite].min(), samples[finite].max()) if finite.any() else (0.0, 0.0)
    unit = np.where(finite, (samples - low) / ((high - low) or 1.0), 0.0)
    return np.rint(unit * np.iinfo(np.uint16).max).astype(np.uint16)


def _decode_pds3(data: bytes) -> np.ndarray:
    """Read the IMAGE object behind an attached PDS3 label. Its samples are not compressed, so it cannot be a bomb."""
    import pdr  # heavy, and only needed for Spirit and Opportunity

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "product.img"
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                samples = pdr.read(str(path))["IMAGE"]
        except Exception as failure:  # pdr raises whatever its parsers raise on a damaged label
            raise RovervisionError(f"the PDS3 image cannot be read: {failure}") from failure
    if not isinstance(samples, np.ndarray) or samples.ndim not in (2, 3) or samples.size == 0:
        raise RovervisionError("the PDS3 file holds no image: its label or its data are damaged or cut short")
    samples = np.array(np.ma.filled(samples, 0))
    if samples.ndim == 3:
        samples = samples[0] if samples.shape[0] != 3 else np.moveaxis(samples, 0, -1)
    return _to_unsigned(np.ascontiguousarray(samples))
