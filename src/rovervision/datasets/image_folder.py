"""A folder of image files: promised, fetched once, and never half there."""

import csv
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from kedro.io import AbstractDataset
from kedro_datasets._typing import ImagePreview

from rovervision.datasets.file_ledger import LEDGER_NAME, MANIFEST_NAME, FileLedger, Row, read_manifest, write_manifest
from rovervision.datasets.file_reading import FileRead, refuse
from rovervision.datasets.file_storing import INCOMING_NAME, Patience, Promise, is_disk_full, store_all
from rovervision.datasets.promised_files import left_to_do, workers_of
from rovervision.errors import RovervisionError
from rovervision.sources.fetch_plan import FetchTerms
from rovervision.sources.frame import StoredFile
from rovervision.sources.image_files import IMAGE_SUFFIXES, walk_images

_logger = logging.getLogger(__name__)

FAILURES_NAME: Final = "failures.csv"
_FILES_BETWEEN_LOOKS: Final = 64  # at the room left on the disk
_TRIES_BEFORE_GIVING_UP: Final = 20  # failures; a shorter run of them is no proof that the rest fails too


class ImageFolderDataset(AbstractDataset[Mapping[str, Promise], dict[str, StoredFile]]):
    """Image files in a folder and its sub-folders.

    Saving takes {file name: callable returning bytes} and calls each in a thread. A callable with an `origin` (text
    that is equal only where the bytes are equal, see `sources.fetch_plan`) is not called again while its file stands
    whole in the folder; one without is always called. A file gets its final name only when it is whole. What cannot be
    had is written to failures.csv with the reason, and the rest goes on; too many failures raise RovervisionError, and
    so does a disk that runs short. A mapping that has `terms` of its own (a FetchPlan) overrides the catalog's, and one
    that has `workers` (a ModelPlan) may have processes or Dask perform them: the files are the same.

    Loading returns the keys of the last complete save, no other file that lies in the folder; a failed one is there
    too, with its reason. A `read_only` folder may also be a user's own, in which nothing was ever saved: then loading
    returns whatever images stand in it, hidden ones aside, without their SHA-256.
    """

    def __init__(
        self,
        *,
        filepath: str,
        keyed_by: Literal["stem", "path"] = "path",
        read_only: bool = False,
        extensions: Iterable[str] = IMAGE_SUFFIXES,
        threads: int = 4,
        attempts: int = 3,
        retry_pause_s: float = 0.5,
        max_failed_frac: float = 0.05,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Name the folder and how it is used.

        Args:
            filepath: The folder.
            keyed_by: Keys on load: the file's stem, such as a frame id, or its path relative to the folder.
            read_only: Saving is refused, and a folder in which nothing was ever saved is listed.
            extensions: Name endings of the files that such a folder is searched for, case aside.
            threads: Files fetched at the same time.
            attempts: Calls of one promise before it counts as failed.
            retry_pause_s: Pause before the second attempt, doubled before each further one.
            max_failed_frac: Largest part of the files that may fail before the save does.
            metadata: Free for other tools, such as Kedro-Viz.
        """
        self._root = Path(filepath)
        self._keyed_by = keyed_by
        self._read_only = read_only
        self._extensions = tuple(f".{ending.lower().lstrip('.')}" for ending in extensions)
        self._terms = FetchTerms(attempts, max_failed_frac, threads)
        self._retry_pause_s = retry_pause_s
        self.metadata = metadata

    def save(self, data: Mapping[str, Promise]) -> None:
        """Perform every promise whose file does not stand whole in the folder."""
        if self._read_only:
            raise RovervisionError(f"{self._root} is the user's own folder and is only read. Write to another one.")
        self._check_names(data)
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            # From here to the end the folder is between two states, and loads as neither.
            (self._root / MANIFEST_NAME).unlink(missing_ok=True)
            rows = self._store(data)
            write_manifest(self._root, (rows[name] for name in data))
        except OSError as error:
            if is_disk_full(error):
                raise RovervisionError(
                    f"The disk that holds {self._root} is full. What was stored stays; make room and run again."
                ) from error
            raise
        finally:
            shutil.rmtree(self._root / INCOMING_NAME, ignore_errors=True)

    def load(self) -> dict[str, StoredFile]:
        """Return the stored files, and the failed ones with their reasons, by key."""
        files = self._listed() if self._is_users() else self._saved()
        return {file.key: file for file in files}

    def _is_users(self) -> bool:
        return self._read_only and not (self._root / LEDGER_NAME).exists()

    def _store(self, data: Mapping[str, Promise]) -> dict[str, Row]:
        terms: FetchTerms = getattr(data, "terms", self._terms)
        may_fail = terms.max_failed_frac * len(data)
        with FileLedger(self._root) as ledger:
            patience = Patience(terms.attempts, self._retry_pause_s)
            rows, tasks = left_to_do(data, ledger, self._root / INCOMING_NAME, patience)
            failed: list[Row] = []
            check_room(self._root, terms.expected_bytes if tasks else 0, terms.min_free_bytes)
            work = store_all(self._root, tasks, ledger, workers_of(data), terms.threads)
            try:
                with closing(work) as stored:
                    for count, row in enumerate(stored, 1):
                        rows[row.name] = row
                        failed += [row] if row.failure else []
                        if len(failed) > max(may_fail, _TRIES_BEFORE_GIVING_UP):
                            break
                        if count % _FILES_BETWEEN_LOOKS == 0:
                            check_room(self._root, 0, terms.min_free_bytes)
            finally:
                places = {name: place for place, name in enumerate(tasks)}
                _write_failures(self._root, sorted(failed, key=lambda row: places[row.name]))
        self._judge_failures(failed, len(rows), len(data), may_fail)
        return rows

    def _judge_failures(self, failed: list[Row], n_tried: int, n_asked: int, may_fail: float) -> None:
        if not failed:
            return
        if len(failed) <= may_fail:
            _logger.warning(
                "%d of %d files could not be stored in %s; each stands with its reason in %s",
                len(failed), n_asked, self._root, self._root / FAILURES_NAME,
            )  # fmt: skip
            return
        first = f"{failed[0].name}: {failed[0].failure}".rstrip(".")
        raise RovervisionError(
            f"{len(failed)} of {n_tried} files tried could not be stored in {self._root}, more than the allowed "
            f"{100 * may_fail / n_asked:.3g} % of {n_asked}. The first is {first}. All are in "
            f"{self._root / FAILURES_NAME}. What was stored stays, so a second run goes on from here."
        )

    def _check_names(self, names: Iterable[str]) -> None:
        root = self._root.resolve()
        keys: dict[str, str] = {}
        for name in names:
            path = PurePosixPath(name)
            inside = (root / name).resolve().is_relative_to(root) and (root / name).resolve() != root
            if not inside or path.is_absolute() or ".." in path.parts or "\\" in name or path.parts[0].startswith("."):
                raise RovervisionError(f"The name {name!r} leads out of the folder {self._root} or is a hidden one.")
            if name == FAILURES_NAME:
                raise RovervisionError(f"The name {FAILURES_NAME} in {self._root} is kept for the list of failures.")
            other = keys.setdefault(self._key(name), name)
            if other != name:
                raise RovervisionError(f"{other} and {name} in {self._root} would both be called {self._key(name)}.")

    def _key(self, name: str) -> str:
        return PurePosixPath(name).stem if self._keyed_by == "stem" else name

    def _saved(self) -> Iterator[StoredFile]:
        try:
            for row in read_manifest(self._root):
                yield self._stored(row)
        except FileNotFoundError as error:
            raise RovervisionError(
                f"The folder {self._root} holds no complete set of files: nothing was saved there yet, or the run that "
                "saved was interrupted. Run the pipeline that writes it again; what is whole is not fetched twice."
            ) from error

    def _stored(self, row: Row) -> StoredFile:
        path = self._root / row.name
        failure = row.failure or _missing(path, row.n_bytes)
        reason = row.reason if row.failure else "changed" if failure else None
        read = partial(refuse, f"{row.name}: {failure}") if failure else FileRead(path.absolute(), row.n_bytes)
        return StoredFile(self._key(row.name), str(path), row.n_bytes, row.sha256, failure, read, reason)

    def _listed(self) -> Iterator[StoredFile]:
        if absence := self.absence():
            raise RovervisionError(absence)
        for name in walk_images(self._root, self._extensions):
            path = self._root / name
            read = FileRead.of(path)
            yield StoredFile(self._key(name), str(path), read.n_bytes, "", None, read)

    def absence(self) -> str | None:
        """Return why a folder of the user's own cannot be read, in a sentence; None where it can or is no such one."""
        if not self._is_users():
            return None
        if not self._root.is_dir():
            return f"There is no folder {self._root}. Name the folder that holds the images."
        if any(True for _ in walk_images(self._root, self._extensions)):
            return None
        endings = ", ".join(self._extensions)
        return (
            f"The folder {self._root} holds no image ({endings}), nor do its sub-folders. Put images there, or name "
            "another folder."
        )

    def preview(self, images: int = 12) -> ImagePreview:
        """Return the first images that can be read on one sheet, for Kedro-Viz."""
        from rovervision.datasets.previews import preview_files

        return preview_files(self.load().values(), images)

    def _exists(self) -> bool:
        if self._is_users():
            return self.absence() is None
        try:
            return all(
                row.failure or not _missing(self._root / row.name, row.n_bytes) for row in read_manifest(self._root)
            )
        except FileNotFoundError:
            return False

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._root), "keyed_by": self._keyed_by, "read_only": self._read_only}


def check_room(root: Path, expected_bytes: int, min_free_bytes: int) -> None:
    """Raise RovervisionError where the disk would keep less than `min_free_bytes` free after storing so much more."""
    free_bytes = shutil.disk_usage(root).free
    if min_free_bytes and free_bytes - expected_bytes < min_free_bytes:
        wanted = f", about {expected_bytes / 1e9:.1f} GB are to be stored" if expected_bytes else ""
        raise RovervisionError(
            f"The disk that holds {root} has {free_bytes / 1e9:.1f} GB free{wanted}, and {min_free_bytes / 1e9:.1f} GB "
            "have to stay free (`ingestion.min_free_bytes`). What was stored stays: make room, ask for less, or set "
            "data_root to another disk, and run again."
        )


def _write_failures(root: Path, failed: list[Row]) -> None:
    if not failed:
        (root / FAILURES_NAME).unlink(missing_ok=True)
        return
    with (root / FAILURES_NAME).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "reason", "sentence"))
        writer.writerows((row.name, row.reason, row.failure) for row in failed)


def _missing(path: Path, n_bytes: int) -> str | None:
    """Say what is wrong with a file that the manifest calls whole; None when nothing is."""
    try:
        size = path.stat().st_size
    except OSError:
        return "the file has gone since it was stored; run the pipeline that writes it again."
    if size != n_bytes:
        return f"the file has {size} bytes and had {n_bytes} when stored; run the pipeline that writes it again."
    return None
