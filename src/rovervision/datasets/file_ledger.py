"""The ledger of a folder of files: which were stored whole, so that no run stores them twice."""

import contextlib
import csv
import hashlib
import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

LEDGER_NAME: Final = ".ledger.jsonl"
MANIFEST_NAME: Final = ".manifest.csv"


@dataclass(frozen=True, slots=True)
class Row:
    """One file of the last complete save: stored, or failed and why."""

    name: str
    n_bytes: int
    sha256: str
    failure: str | None
    """A sentence."""
    reason: str | None = None
    """The same in a word that can be counted, see `datasets.file_storing`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file as it was stored."""

    name: str
    n_bytes: int
    sha256: str
    modified_ns: int
    origin: str | None

    @property
    def row(self) -> Row:
        """The row of a save of which the file is a part."""
        return Row(self.name, self.n_bytes, self.sha256, None)


class FileLedger:
    """A journal of stored files, one JSON line each, kept across interrupted runs.

    A line is written before its file takes its final name: whatever stands in the folder is either in the ledger or is
    not whole. Lines of an earlier run stay valid as long as their files do.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / LEDGER_NAME
        self._lock = threading.Lock()
        self._entries = {entry.name: entry for entry in _read_entries(self._path)}

    def __enter__(self) -> Self:
        """Compact the journal, drop a line that was cut off, and open it for more."""
        write_whole(self._path, "".join(_line(entry) for entry in self._entries.values()).encode())
        self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, entry: Entry) -> None:
        """Write one file's line, from any thread."""
        with self._lock:
            self._file.write(_line(entry))
            self._file.flush()
            self._entries[entry.name] = entry

    def standing(self) -> Iterator[Entry]:
        """Yield the entries whose files are there in the size in which they were stored; none is read."""
        for entry in self._entries.values():
            with contextlib.suppress(OSError):
                if (self._root / entry.name).stat().st_size == entry.n_bytes:
                    yield entry

    def whole(self, name: str, origin: str | None) -> Entry | None:
        """Return a file's entry when it stands in the folder unchanged and comes from this origin, else None.

        A file without origin is never whole: nothing says that it would be the same today. Only a file whose time of
        change differs from the ledger's is read again.
        """
        entry = self._entries.get(name)
        if entry is None or origin is None or entry.origin != origin:
            return None
        path = self._root / name
        try:
            stat = path.stat()
            is_whole = stat.st_size == entry.n_bytes and (
                stat.st_mtime_ns == entry.modified_ns or hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256
            )
        except OSError:
            return None
        return entry if is_whole else None


def write_whole(path: Path, body: bytes) -> None:
    """Write a small file so that no reader ever sees a part of it."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(body)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_manifest(root: Path, rows: Iterable[Row]) -> None:
    """Write the list of the files of one complete save."""
    part = root / f"{MANIFEST_NAME}.part"
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("name", "n_bytes", "sha256", "failure", "reason"))
            writer.writerows((row.name, row.n_bytes, row.sha256, row.failure or "", row.reason or "") for row in rows)
        part.replace(root / MANIFEST_NAME)
    finally:
        part.unlink(missing_ok=True)


def read_manifest(root: Path) -> Iterator[Row]:
    """Yield the files of the last complete save. Raises FileNotFoundError when there was none."""
    with (root / MANIFEST_NAME).open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            failure, reason = line["failure"] or None, line.get("reason") or None  # older manifests lack the reason
            yield Row(line["name"], int(line["n_bytes"]), line["sha256"], failure, reason)


def _line(entry: Entry) -> str:
    return json.dumps(asdict(entry)) + "\n"


def _read_entries(path: Path) -> Iterator[Entry]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            # A killed run leaves at most its last line unfinished.
            with contextlib.suppress(ValueError, TypeError):
                yield Entry(**json.loads(line))
