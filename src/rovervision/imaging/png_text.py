"""Words inside a PNG file: text chunks, as the PNG specification (ISO/IEC 15948, 11.3.4.3) has them."""

import io
import struct
import zlib
from collections.abc import Mapping

from PIL import Image

_HEADER_END = 8 + 25
"""The signature, and the first chunk, IHDR, behind which text may stand."""


def with_text(png: bytes, text: Mapping[str, str]) -> bytes:
    """Return the PNG with text added, keyword → text: Latin-1, keywords of 1 to 79 characters."""
    chunks = b"".join(_chunk(key.encode("latin-1") + b"\0" + value.encode("latin-1")) for key, value in text.items())
    return png[:_HEADER_END] + chunks + png[_HEADER_END:]


def text_of(png: bytes) -> dict[str, str]:
    """Return the text that a PNG holds, keyword → text."""
    with Image.open(io.BytesIO(png)) as image:
        return {key: value for key, value in image.info.items() if isinstance(key, str) and isinstance(value, str)}


def _chunk(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + b"tEXt" + data + struct.pack(">I", zlib.crc32(b"tEXt" + data))
