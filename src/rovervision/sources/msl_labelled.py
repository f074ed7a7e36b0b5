"""The labelled Mars surface set of Curiosity images (Wagstaff et al., IAAI 2018; doi 10.5281/zenodo.1049137).

Layout: one folder that holds the images, a list for each part of the published split (`train-*.txt`, `val-*.txt`,
`test-*.txt`, lines `calibrated/<name> <class id>`) and the classes' names (`<id>  <name>` lines).
"""

import heapq
import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from rovervision.errors import RovervisionError
from rovervision.sources.archive_files import ArchiveFiles, ArchiveLimits, FolderFiles, ZipFiles
from rovervision.sources.download import downloaded, is_address
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.image_files import frame_id_of, is_image_name, looks_like_image, marked_frame_id
from rovervision.sources.product_names import parse_product_name
from rovervision.sources.selection import select

MSL_LABELLED_URL: Final = "https://zenodo.org/record/1049137/files/msl-images.zip"
"""Where the set is published."""

_PARTS: Final = ("train", "val", "test")
_CLASS_FILES: Final = re.compile(r".*synset_words.*\.txt|class_map\.csv")
_CLASS_LINE: Final = re.compile(r"\s*(\d+)(?:\t+|\s{2,}|\s*,\s*|\s)(\S.*?)\s*")
_LIST_LINE: Final = re.compile(r"(\S.*?)[\s,]+(\d+)")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a published list."""

    name: str
    """The image's name in the archive."""
    class_id: int
    split: str


class MslLabelledSource:
    """The labelled set as a zip file, an unpacked folder, or the address of the zip file, kept after one download."""

    def __init__(
        self, archive: str, download_folder: str, limits: ArchiveLimits, http: HttpConfig | None = None
    ) -> None:
        self._archive = archive
        self._download_folder = download_folder
        self._limits = limits
        self._http = http or HttpConfig()

    def search(self, query: Query) -> Iterator[Frame]:
        """Yield the frames that answer the query; any first part of them holds train, val and test in proportion.

        Images that are in no list have no class and are left out; the log says how many.
        """
        yield from select(self._frames(), query)

    def fetch(self, frame: Frame) -> bytes:
        """Return an image's bytes. Raises RovervisionError for what is damaged or no image."""
        name = frame.url.rpartition("!/")[2]
        body = self._files.read(name)
        if body and not looks_like_image(body):
            raise RovervisionError(f"{name} in {self._files.place} is no image: it begins with {body[:8]!r}.")
        return body

    @cached_property
    def _files(self) -> ArchiveFiles:
        if is_address(self._archive):
            folder, most = Path(self._download_folder), self._limits.max_download_bytes
            return ZipFiles(downloaded(self._archive, folder, most, self._http), self._limits)
        path = Path(self._archive)
        if not path.exists():
            raise RovervisionError(
                f"There is no {path}. Set `ingestion.archive` to msl-images.zip, its unpacked folder, or "
                f"{MSL_LABELLED_URL}"
            )
        return FolderFiles(path, self._limits) if path.is_dir() else ZipFiles(path, self._limits)

    def _frames(self) -> Iterator[Frame]:
        names = self._files.names()
        classes = _read_classes(self._files, names)
        lists = [_read_list(self._files, name, split) for split, name in _find_lists(self._files, names)]
        entries = _present_once(in_proportion(lists), set(names), self._files.place)
        _report_unlisted(names, entries, self._files.place)
        taken: set[str] = set()
        for entry in entries:
            frame_id = frame_id_of(PurePosixPath(entry.name).name)
            if frame_id.casefold() in taken:
                frame_id = marked_frame_id(entry.name)
            taken.add(frame_id.casefold())
            yield self._frame(entry, frame_id, classes.get(entry.class_id, f"class {entry.class_id}"))

    def _frame(self, entry: Entry, frame_id: str, label: str) -> Frame:
        name = parse_product_name(PurePosixPath(entry.name).name)
        return Frame(
            frame_id=frame_id,
            file_name=PurePosixPath(entry.name).name,
            source="msl_labelled",
            rover="curiosity",
            camera=name.camera if name else "unknown",
            sol=name.sol if name else None,
            # Whatever the product was, the set's makers stored it at about 256 pixels, thumbnails too.
            sample_type="downsampled",
            product_type=name.product_type if name else "unknown",
            version=name.version if name else "",
            url=f"{self._files.place}!/{entry.name}",
            credit="NASA/JPL-Caltech/MSSS",
            label=label,
            official_split=entry.split,
            record=json.dumps(
                {
                    "name": entry.name,
                    "class_id": entry.class_id,
                    "split": entry.split,
                    "mark": self._files.mark(entry.name),
                }
            ),
        )


def in_proportion(lists: Sequence[Sequence[Entry]]) -> list[Entry]:
    """Merge lists so that every first part of the result holds them in proportion to their lengths."""
    placed = [
        [((place + 0.5) / len(entries), number, entry) for place, entry in enumerate(entries)]
        for number, entries in enumerate(lists)
    ]
    return [entry for _, _, entry in heapq.merge(*placed, key=lambda item: item[:2])]


def _find_lists(files: ArchiveFiles, names: list[str]) -> list[tuple[str, str]]:
    """Return (part, name of its list) for the parts that the archive has."""
    lists = [
        (part, name)
        for part in _PARTS
        for name in names
        if re.fullmatch(rf"{part}[-_.].*txt", PurePosixPath(name).name) and not _is_foreign(name)
    ]
    if not lists:
        raise RovervisionError(
            f"{files.place} is not the labelled set: it has no list train-*.txt, val-*.txt or test-*.txt. "
            f"The published archive is {MSL_LABELLED_URL}; for a plain folder of images use the source `local_folder`."
        )
    return lists


def _is_foreign(name: str) -> bool:
    """Tell the files that other systems add to archives from the archive's own."""
    return any(part == "__MACOSX" or part.startswith(".") for part in PurePosixPath(name).parts)


def _read_list(files: ArchiveFiles, name: str, split: str) -> list[Entry]:
    folder = PurePosixPath(name).parent
    entries = []
    for number, line in enumerate(_text(files, name).splitlines(), start=1):
        if not line.strip():
            continue
        match = _LIST_LINE.fullmatch(line.strip())
        if match is None:
            raise RovervisionError(
                f"Line {number} of {name} in {files.place} is not `<image> <class id>`: {line[:80]!r}."
            )
        entries.append(Entry(_resolved(folder, match[1], files), int(match[2]), split))
    return entries


def _resolved(folder: PurePosixPath, listed: str, files: ArchiveFiles) -> str:
    if PurePosixPath(listed).is_absolute() or ".." in PurePosixPath(listed).parts or "\\" in listed:
        raise RovervisionError(f"A list in {files.place} names {listed!r}, which leads out of the archive.")
    return (folder / listed).as_posix()


def _read_classes(files: ArchiveFiles, names: list[str]) -> dict[int, str]:
    """Return {class id: name}; empty where the archive has no file of classes."""
    found = [name for name in names if _CLASS_FILES.fullmatch(PurePosixPath(name).name) and not _is_foreign(name)]
    if not found:
        _logger.warning("%s has no file of class names; labels are numbers.", files.place)
        return {}
    lines = (_CLASS_LINE.fullmatch(line) for line in _text(files, found[0]).splitlines())
    return {int(match[1]): match[2] for match in lines if match}


def _text(files: ArchiveFiles, name: str) -> str:
    try:
        return files.read(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RovervisionError(f"{name} in {files.place} is not text: {error}.") from error


def _present_once(entries: list[Entry], names: set[str], place: str) -> list[Entry]:
    """Drop what is listed and not there, and what is listed again; the first line counts."""
    first = list({entry.name: entry for entry in reversed(entries)}.values())[::-1]
    present = [entry for entry in first if entry.name in names]
    if len(present) < len(entries):
        absent, again = len(first) - len(present), len(entries) - len(first)
        _logger.warning("%s: %d listed images are not there, %d are listed again.", place, absent, again)
    return present


def _report_unlisted(names: list[str], entries: list[Entry], place: str) -> None:
    listed = {entry.name for entry in entries}
    unlisted = [name for name in names if is_image_name(PurePosixPath(name).name) and name not in listed]
    if unlisted := [name for name in unlisted if not _is_foreign(name)]:
        _logger.warning("%s: %d images are in no list and are left out, such as %s.", place, len(unlisted), unlisted[0])
