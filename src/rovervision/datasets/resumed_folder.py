"""Folders that are replaced as a whole, whose writing may stop at any time and go on in a later run."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rovervision.datasets.replaced_folder import replaced_folder, restore
from rovervision.errors import RovervisionError

JOURNAL_NAME = ".journal.jsonl"
"""Who writes in the folder notes here what is done. Without it nothing is worth keeping."""


@contextmanager
def resumed_folder(target: Path) -> Iterator[Path]:
    """Give the folder of an unfinished save of `target`, or an empty one; it replaces `target` if the block ends well.

    Otherwise it stays where it has a journal. Names with a leading dot are the writer's own and do not arrive. Raises
    RovervisionError where another process is writing.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    restore(target)
    unfinished = target.with_name(f".{target.name}-unfinished")
    unfinished.mkdir(exist_ok=True)
    try:
        with FileLock(unfinished / ".writing", timeout=0):  # the system lets go of it when the process dies
            try:
                yield unfinished
                (unfinished / JOURNAL_NAME).unlink(missing_ok=True)  # first: it must not outlive what it tells of
                _deliver(unfinished, target)
            finally:
                if not (unfinished / JOURNAL_NAME).exists():
                    shutil.rmtree(unfinished, ignore_errors=True)
    except Timeout:
        raise RovervisionError(f"Another process is writing {target}: wait until it is done, or stop it.") from None


def _deliver(unfinished: Path, target: Path) -> None:
    """Move what was written into the place of the target; renames within one folder's parent, so no byte is copied."""
    with replaced_folder(target) as fresh:
        for path in sorted(unfinished.iterdir()):
            if not path.name.startswith("."):
                path.replace(fresh / path.name)
