"""Folders that are replaced as a whole: a reader finds the old one or the new one, whatever interrupts the writer."""

import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_LOCK = ".writing"


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder that takes the place of `target` when the block ends well, and else goes away.

    What a process that was killed left behind is put right first: its old folder returns, its unfinished one goes.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    restore(target)
    _clean(target)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        with FileLock(fresh / _LOCK):  # the system lets go of it when the process dies, however it dies
            yield fresh
        (fresh / _LOCK).unlink(missing_ok=True)
        fresh.chmod(0o777 & ~_umask())
        _swap(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def restore(target: Path) -> None:
    """Give `target` back the folder that a stop between the two renames of a save left under another name."""
    if not target.exists():
        old = sorted(target.parent.glob(_siblings(target) + "-old"), key=lambda path: path.stat().st_mtime_ns)
        if old:
            old[-1].rename(target)


def _swap(fresh: Path, target: Path) -> None:
    old = fresh.with_name(fresh.name + "-old")
    try:
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)  # what cannot be removed now goes with the next save


def _clean(target: Path) -> None:
    """Remove what killed saves left: replaced folders, and unfinished ones that no process holds."""
    if target.exists():
        for old in target.parent.glob(_siblings(target) + "-old"):
            shutil.rmtree(old, ignore_errors=True)
    for unfinished in target.parent.glob(_siblings(target)):
        try:
            with FileLock(unfinished / _LOCK, timeout=0):
                shutil.rmtree(unfinished, ignore_errors=True)
        except Timeout:
            continue  # another process is writing it


def _siblings(target: Path) -> str:
    """Pattern of the folders that `replaced_folder` makes beside a target; mkdtemp adds eight characters."""
    return f".{glob.escape(target.name)}-????????"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def is_whole(folder: Path, names: tuple[str, ...]) -> bool:
    """Tell whether a folder holds every one of these files."""
    return all((folder / name).is_file() for name in names)
