"""Image files by their names and first bytes: which files are images, and a safe, unique id for each."""

import hashlib
import logging
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NoReturn

from rovervision.errors import RovervisionError

IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".img")
"""File name endings of images, in lower case; `.img` is a PDS3 image with its label in front."""

_logger = logging.getLogger(__name__)

_MAGIC: Final = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"II*\x00",  # TIFF
    b"MM\x00*",
    b"PDS_VERSION_ID",  # PDS3, the label's usual first word and three that may precede it
    b"CCSD3ZF",
    b"NJPL1I00",
    b"ODL_VERSION_ID",
)
_LONGEST_ID: Final = 150  # leaves room for a suffix within the 255 bytes that file systems allow
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


def looks_like_image(head: bytes) -> bool:
    """Tell by the first bytes whether a file is a JPEG, PNG, TIFF or PDS3 image."""
    return head.startswith(_MAGIC)


def is_image_name(name: str, suffixes: Collection[str] = IMAGE_SUFFIXES) -> bool:
    """Tell by its name whether a file is an image that is meant to be seen: no hidden files."""
    return not name.startswith(".") and name.lower().endswith(tuple(suffixes))


def walk_images(root: Path, suffixes: Collection[str] = IMAGE_SUFFIXES) -> Iterator[str]:
    """Yield the images under a folder as relative POSIX paths, sorted folder by folder; hidden folders are passed over.

    Links to folders are not followed, so a loop of links cannot trap the walk. Raises RovervisionError for a folder
    that may not be read: its images would be missed without a word.
    """
    for folder, folders, names in os.walk(root, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if is_image_name(name, suffixes) and path.is_file() and _is_text(path):
                yield path.relative_to(root).as_posix()


def _refuse(error: OSError) -> NoReturn:
    raise RovervisionError(f"The folder {error.filename} cannot be read: {error.strerror}.") from error


def _is_text(path: Path) -> bool:
    """Tell whether a path is Unicode; tables cannot hold any other."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        _logger.warning("%a is passed over: its name is not valid UTF-8.", str(path))
        return False
    return True


def frame_id_of(path: str) -> str:
    """Make a frame id of a relative POSIX path: safe as a file stem, and different for different paths without suffix.

    `a/b.png` becomes `a__b`. Where this spelling cannot be undone (odd characters, great length, double underscores),
    ten hexadecimal digits of the path's SHA-1 keep the id unique.
    """
    stem = PurePosixPath(path).with_suffix("").as_posix()
    plain = stem.replace("/", "__")
    is_exact = (
        len(plain) <= _LONGEST_ID
        and not _UNSAFE.search(plain)
        and not plain.startswith((".", "-"))
        and plain.replace("__", "/") == stem
    )
    return plain if is_exact else marked_frame_id(path)


def marked_frame_id(path: str) -> str:
    """Make a frame id that carries a digest of the whole path, suffix included."""
    plain = PurePosixPath(path).with_suffix("").as_posix().replace("/", "__")
    digest = hashlib.sha1(path.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()[:10]
    readable = _UNSAFE.sub("_", plain).lstrip(".-")[-(_LONGEST_ID - 11) :].lstrip(".-")
    return f"{readable or 'image'}-{digest}"
