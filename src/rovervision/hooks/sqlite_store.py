"""The SQLite file in which MLflow keeps its runs: its first use, quick and safe."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import event
from sqlalchemy.engine import Engine

from rovervision.context import SQLITE_PREFIX


def sqlite_path(tracking_uri: str) -> Path | None:
    """Return the file of a SQLite store, or None for a server."""
    return Path(tracking_uri.removeprefix(SQLITE_PREFIX)) if tracking_uri.startswith(SQLITE_PREFIX) else None


@contextmanager
def first_use(tracking_uri: str) -> Iterator[None]:
    """Open a store inside this block: one process at a time, since the first one creates tables and experiment.

    MLflow creates its tables by running its whole history of migrations. Without waiting for the disk after each of
    them this takes 1 s, not 6; a power cut in that second costs an empty file, which the next run makes again.
    """
    path = sqlite_path(tracking_uri)
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", timeout=300):
        if path.exists():
            yield
        else:
            with _unsynchronised():
                yield


@contextmanager
def _unsynchronised() -> Iterator[None]:
    """Let SQLite connections that open inside this block leave the disk to itself, until the block ends."""
    opened: list[sqlite3.Connection] = []

    def relax(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")
        opened.append(connection)

    event.listen(Engine, "connect", relax)
    try:
        yield
    finally:
        event.remove(Engine, "connect", relax)
        for connection in opened:
            with suppress(sqlite3.Error):  # closed in the meantime
                connection.execute("PRAGMA synchronous=FULL")
