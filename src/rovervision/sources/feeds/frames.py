"""From a record's address and values to a Frame."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from rovervision.sources.feeds.records import BadRecordError, sample_type
from rovervision.sources.frame import Frame
from rovervision.sources.image_files import is_image_name, marked_frame_id
from rovervision.sources.product_names import ProductName, parse_product_name

_BROKEN: Final = re.compile(r"[\x00-\x20\x7f]")
_OFFICIAL: Final = re.compile(r"[A-Z0-9][A-Z0-9_]{0,100}(?:-thm)?")
_MASTCAMS: Final = ("mastcam_left", "mastcam_right")  # Curiosity's, whose names do not tell the filter
_NARROW_FILTERS: Final = tuple("123456")
_SIZED: Final = re.compile(r"_(320|800|1200)")


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image file by its address."""

    url: str
    file_name: str
    frame_id: str
    name: ProductName | None


def image_file(address: str | None, base: str) -> ImageFile:
    """Read the address of an image.

    Args:
        address: As the record has it; http becomes https, but on this machine itself.
        base: The feed's own address, for one that is relative.

    Raises:
        BadRecordError: There is no address, or it is none of an image on the web.
    """
    if not address or _BROKEN.search(address):
        raise BadRecordError("it has no usable address of an image")
    try:
        parts = urlsplit(urljoin(base, address))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadRecordError("its address of an image is malformed") from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise BadRecordError("its address of an image leads elsewhere than to the web")
    file_name = parts.path.rpartition("/")[2]
    if not is_image_name(file_name):
        raise BadRecordError("its address names no image file")
    if parts.scheme == "http" and not _is_loopback(host):
        netloc = parts.netloc.removesuffix(":80") if port == 80 else parts.netloc
        parts = parts._replace(scheme="https", netloc=netloc)
    name = parse_product_name(file_name)
    url = urlunsplit(parts._replace(fragment=""))
    return ImageFile(url, file_name, frame_id_of_name(file_name, name), name)


def frame_id_of_name(file_name: str, name: ProductName | None) -> str:
    """Make a frame id of a file name from the network: no other file's, whatever its case, and no path.

    A product name, spelled as the missions spell it and with its usual suffix, is its own stem. All others carry a
    digest, which no product name can look like.
    """
    path = PurePosixPath(file_name)
    if name is not None and _OFFICIAL.fullmatch(path.stem) and path.suffix.lower() == _usual_suffix(path.stem, name):
        return path.stem
    return marked_frame_id(file_name)


def frame(
    file: ImageFile,
    *,
    source: str,
    rover: str,
    camera: str | None,
    sol: int,
    told_sample_type: str | None = None,
    is_thumbnail: bool = False,
    told_filter: str = "",
    sclk_s: float | None = None,
    site: str | None = None,
    size_px: tuple[int, int] | None = None,
    **told: Any,
) -> Frame:
    """Join what the record tells with what the product name tells.

    The record's word comes first, but for the counter of sites, which the name spells as other sources do.

    Args:
        file: The image file.
        source: Name of the source.
        rover: Whose image it is.
        camera: In our words; None leaves it to the name.
        sol: Martian day since landing.
        told_sample_type: The record's word.
        is_thumbnail: The record's flag.
        told_filter: The wheel's position as the record has it, for names that have none.
        sclk_s: Spacecraft clock in seconds.
        site: Counter of sites.
        size_px: Width and height of the file.
        told: Further fields of Frame as they are.
    """
    name = file.name
    is_narrow = name is not None and name.camera in _MASTCAMS and told_filter in _NARROW_FILTERS
    return Frame(
        frame_id=file.frame_id,
        file_name=file.file_name,
        url=file.url,
        source=source,
        rover=rover,
        camera=camera or (name.camera if name else "unknown"),
        sol=sol,
        sclk_s=sclk_s if sclk_s is not None else (name.sclk_s if name else None),
        site=(name.site if name else None) or site,
        width_px=size_px[0] if size_px else None,
        height_px=size_px[1] if size_px else None,
        sample_type=sample_type(told_sample_type, name.sample_type if name else "unknown", is_thumbnail),
        product_type=name.product_type if name else "unknown",
        color_type="narrow_band" if is_narrow else (name.color_type if name else "unknown"),
        filter=(name.filter if name else "") or told_filter,
        version=name.version if name else "",
        **{key: value for key, value in told.items() if value is not None},
    )


def _usual_suffix(stem: str, name: ProductName) -> str:
    """Return the suffix that the missions' web sites give a product, in lower case."""
    is_png = name.rover in ("perseverance", "ingenuity") and not _SIZED.search(stem[-5:])
    return ".png" if is_png or name.product_type == "PRC" else ".jpg"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
