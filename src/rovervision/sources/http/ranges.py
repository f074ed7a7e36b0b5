"""Parts of files: the headers of RFC 9110, sections 13 and 14."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_CONTENT_RANGE: Final = re.compile(
    r"\s*bytes\s+(?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)\s*", re.IGNORECASE | re.ASCII
)


class ContentRange(NamedTuple):
    """Which part of a file an answer holds."""

    first: int | None
    """Offset of the first byte; None where the answer says only how long the file is (status 416)."""
    last: int | None
    """Offset of the last byte, inclusive."""
    total_bytes: int | None


def content_range(text: str) -> ContentRange | None:
    """Read a Content-Range header; None for one that makes no sense."""
    found = _CONTENT_RANGE.fullmatch(text)
    if not found:
        return None
    first, last, total = (int(each) if each and each != "*" else None for each in found.groups())
    if first is not None and last is not None and (last < first or (total is not None and last >= total)):
        return None
    return ContentRange(first, last, total)


def validator_of(headers: Mapping[str, str]) -> str | None:
    """Return what tells one version of a file from another: a strong ETag, else the date of the last change."""
    etag = headers.get("ETag", "").strip()
    if etag and not etag.startswith("W/"):
        return etag
    return headers.get("Last-Modified", "").strip() or etag or None


def range_headers(offset_bytes: int, validator: str | None) -> dict[str, str]:
    """Return the request headers for a file from an offset on, provided that it is still the same.

    A weak ETag may not stand in If-Range (RFC 9110, 13.1.5): the answer's own validator must then be compared.
    """
    if offset_bytes == 0:
        return {}
    condition = {"If-Range": validator} if validator and not validator.startswith("W/") else {}
    return {"Range": f"bytes={offset_bytes}-", **condition}
