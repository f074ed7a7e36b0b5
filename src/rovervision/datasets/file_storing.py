"""Keeping promises: calling for bytes with patience, and storing them whole or not at all."""

import errno
import hashlib
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tqdm import tqdm

from rovervision.datasets.file_ledger import Entry, FileLedger, Row
from rovervision.datasets.shard_work import perform
from rovervision.datasets.worker_threads import in_threads
from rovervision.errors import RovervisionError
from rovervision.imaging.shard_plan import WorkersConfig
from rovervision.sources.http.transport import FetchError
from rovervision.sources.stopping import check_wanted, pause

INCOMING_NAME: Final = ".incoming"
WORKER_LOST: Final = "worker_lost"

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


@dataclass(frozen=True, slots=True)
class Arrived:
    """A whole file under a name of its own, and the line for the ledger."""

    part: Path
    entry: Entry


@dataclass(frozen=True, slots=True)
class StoreTask:
    """The work on one file, wherever it is done: call, write to a name of its own, and tell what has come."""

    incoming: Path
    """The folder of what is not whole yet; absolute: the same path on every machine that works."""
    name: str
    promise: Promise
    origin: str | None
    patience: Patience

    def __call__(self) -> Arrived | Row:
        """Return what has arrived, or a row that says why nothing has.

        Its reason is that of a FetchError, `empty`, `unreadable` for what a source refuses to hand on, or `error`.
        """
        if not self.incoming.is_dir():
            raise RovervisionError(
                f"A worker does not find {self.incoming}. Every worker must see the data under the same path: put "
                "input, output and data_root on a disk that all of them share."
            )
        try:
            body = call(self.promise, self.patience)
            check_wanted()
            return self._write(body) if body else Row(self.name, 0, "", "empty file", "empty")
        except FetchError as error:
            return Row(self.name, 0, "", str(error), error.reason)
        except RovervisionError as error:
            return Row(self.name, 0, "", str(error), "unreadable")
        except Exception as error:
            if is_disk_full(error):
                raise
            return Row(self.name, 0, "", f"{type(error).__name__}: {error}", "error")

    def _write(self, body: bytes) -> Arrived:
        part = self.incoming / uuid4().hex
        try:
            part.write_bytes(body)
            digest = hashlib.sha256(body).hexdigest()
            return Arrived(part, Entry(self.name, len(body), digest, part.stat().st_mtime_ns, self.origin))
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def __str__(self) -> str:
        return f"The file {self.name}"


def store_all(
    root: Path, tasks: Mapping[str, StoreTask], ledger: FileLedger, workers: WorkersConfig, threads: int
) -> Generator[Row, None, None]:
    """Perform tasks and yield each one's row as it ends. A full disk ends it with its error.

    Args:
        root: The folder in which files get their names.
        tasks: Name → task. For processes and Dask they must survive pickling.
        ledger: Of the folder. Whoever works, it is written here alone.
        workers: Who performs the tasks.
        threads: Their number where they are threads and `workers` names none.
    """
    tally = Tally()
    with _progress(len(tasks), root.name) as bar, closing(_perform(root, tasks, ledger, workers, threads)) as rows:
        for row in rows:
            tally.add(row)
            bar.set_postfix_str(str(tally), refresh=False)
            bar.update()
            yield row


def _progress(total: int, name: str) -> "tqdm[Any]":
    return tqdm(total=total, unit="file", desc=name, disable=not sys.stderr.isatty(), smoothing=0.05)


def _perform(
    root: Path, tasks: Mapping[str, StoreTask], ledger: FileLedger, workers: WorkersConfig, threads: int
) -> Generator[Row, None, None]:
    if workers.kind == "threads":
        calls = (partial(_store, root, task, ledger) for task in tasks.values())
        yield from in_threads(calls, workers.count or threads)
        return
    with closing(perform(tasks, workers, _given_up)) as receipts:
        for _, receipt in receipts:
            yield _place(root, receipt, ledger)


def _given_up(name: str, attempts: int) -> Row:
    sentence = (
        f"it ended its worker {attempts} times. Either the memory of a worker did not suffice (take fewer, or give "
        "each more: `workers.count`, `workers.memory_gib`), or the file crashes its decoder."
    )
    return Row(name, 0, "", sentence, WORKER_LOST)


def _store(root: Path, task: StoreTask, ledger: FileLedger) -> Row:
    return _place(root, task(), ledger)


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


def _place(root: Path, receipt: Arrived | Row, ledger: FileLedger) -> Row:
    """Tell the ledger of a file, and only then give it its final name."""
    if isinstance(receipt, Row):
        return receipt
    entry = receipt.entry
    try:
        ledger.add(entry)
        (root / entry.name).parent.mkdir(parents=True, exist_ok=True)
        receipt.part.replace(root / entry.name)
    except OSError as error:
        if is_disk_full(error):
            raise
        return Row(entry.name, 0, "", f"{type(error).__name__}: {error}", "error")
    finally:
        receipt.part.unlink(missing_ok=True)
    return entry.row
