"""Keeping promises: calling for bytes with patience, and storing them whole or not at all."""

import errno
import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tqdm import tqdm

from rovervision.datasets.file_ledger import Entry, FileLedger, Row
from rovervision.datasets.worker_threads import in_threads
from rovervision.errors import RovervisionError
from rovervision.sources.http.transport import FetchError
from rovervision.sources.stopping import check_wanted, pause

INCOMING_NAME: Final = ".incoming"

Promise = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Patience:
    """How hard to try."""

    attempts: int
    pause_s: float
    """Before the second attempt; twice as long before each further one."""


@dataclass(slots=True)
class Tally:
    """What has come so far, for the progress bar."""

    n_bytes: int = 0
    n_failed: int = 0

    def add(self, row: Row) -> None:
        """Count one file."""
        self.n_bytes += row.n_bytes
        self.n_failed += row.failure is not None

    def __str__(self) -> str:
        return f"{self.n_bytes / 1e6:.1f} MB" + (f", {self.n_failed} failed" if self.n_failed else "")


def is_disk_full(error: BaseException) -> bool:
    """Tell whether an error means that no more bytes fit on the disk, or within the user's quota."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def store_all(
    root: Path, promises: dict[str, Promise], ledger: FileLedger, patience: Patience, threads: int
) -> Iterator[Row]:
    """Perform promises in threads and yield each one's row as it ends. A full disk ends it with its error."""

    calls = (partial(store, root, name, promise, ledger, patience) for name, promise in promises.items())
    tally = Tally()
    with _progress(len(promises), root.name) as bar, closing(in_threads(calls, threads)) as rows:
        for row in rows:
            tally.add(row)
            bar.set_postfix_str(str(tally), refresh=False)
            bar.update()
            yield row


def _progress(total: int, name: str) -> "tqdm[Any]":
    return tqdm(total=total, unit="file", desc=name, disable=not sys.stderr.isatty(), smoothing=0.05)


def store(root: Path, name: str, promise: Promise, ledger: FileLedger, patience: Patience) -> Row:
    """Perform one promise and store its bytes; what cannot be had becomes a row that says why.

    Its reason is that of a FetchError, `empty`, `unreadable` for what a source refuses to hand on, or `error`.
    """
    try:
        body = call(promise, patience)
        check_wanted()
        if body:
            return _write(root, name, body, getattr(promise, "origin", None), ledger)
        return Row(name, 0, "", "empty file", "empty")
    except FetchError as error:
        return Row(name, 0, "", str(error), error.reason)
    except RovervisionError as error:
        return Row(name, 0, "", str(error), "unreadable")
    except Exception as error:
        if is_disk_full(error):
            raise
        return Row(name, 0, "", f"{type(error).__name__}: {error}", "error")


def call(promise: Promise, patience: Patience) -> bytes:
    """Call a promise until it holds. A RovervisionError is final, and a full disk stays full: neither is repeated."""
    for attempt in range(1, patience.attempts + 1):
        try:
            return promise()
        except RovervisionError:
            raise
        except Exception as error:
            if attempt == patience.attempts or is_disk_full(error):
                raise
            pause(patience.pause_s * 2 ** (attempt - 1))
    raise AssertionError("attempts is at least 1")


def _write(root: Path, name: str, body: bytes, origin: str | None, ledger: FileLedger) -> Row:
    """Write to a name of its own, tell the ledger, and only then give the file its final name."""
    part = root / INCOMING_NAME / uuid4().hex
    part.parent.mkdir(exist_ok=True)
    try:
        part.write_bytes(body)
        entry = Entry(name, len(body), hashlib.sha256(body).hexdigest(), part.stat().st_mtime_ns, origin)
        ledger.add(entry)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        part.replace(root / name)
    finally:
        part.unlink(missing_ok=True)
    return Row(name, entry.n_bytes, entry.sha256, None)
