"""The size that the header of a JPEG or PNG file promises, read without decoding."""

_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start of frame, all kinds of coding (ITU-T T.81, table B.1); the three left out define tables or are reserved."""

_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers that no length follows (ITU-T T.81, B.1.1.3)."""


def header_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels as a JPEG or PNG header states it; None for all else and where none is found."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png_size(data)
    return _jpeg_size(data) if data.startswith(b"\xff\xd8") else None


def _png_size(data: bytes) -> tuple[int, int] | None:
    """Read IHDR, which must come first (PNG specification, 11.2.1)."""
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return _known(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Walk from marker to marker up to the start of the frame (ITU-T T.81, B.2.2)."""
    at, end = 2, len(data) - 9
    while at < end:
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _FRAME_MARKERS:
            return _known(int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big"))
        if marker == 0xFF:  # a byte of filling
            at += 1
        elif marker in _BARE_MARKERS:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _known(width_px: int, height_px: int) -> tuple[int, int] | None:
    """Return the size, None where a part of it is 0: a JPEG may state its height behind the picture."""
    return (width_px, height_px) if width_px and height_px else None
