"""Listings at rest: the records of old sols, as gzip'd JSON lines, one file for each portion of sols.

A file is written whole under another name and then renamed. One that cannot be read counts as absent. The folder's
`state.json` says up to which moment of the archive all its files hold.
"""

import gzip
import io
import json
import os
import re
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rovervision.errors import RovervisionError
from rovervision.sources.feeds.feed import SolRange

_NAME: Final = re.compile(r"(\d{5})-(\d{5})(\.recent)?\.jsonl\.gz")
_BROKEN: Final = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zlib.error)


class PackedLines:
    """Lines of text, compressed as they come: a block of sols is a few MiB."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._file = gzip.GzipFile(fileobj=self._bytes, mode="wb", compresslevel=3, mtime=0)
        self.n_lines = 0

    def add(self, line: str) -> None:
        """Append one line."""
        self._file.write(line.encode() + b"\n")
        self.n_lines += 1

    def packed(self) -> bytes:
        """Close with a line that counts the others, and return everything."""
        self._file.write(b'{"lines": %d}\n' % self.n_lines)
        self._file.close()
        return self._bytes.getvalue()


@dataclass(frozen=True, slots=True)
class CacheState:
    """How far the archive had come when the folder was last compared with it."""

    stamp: str
    newest_sol: int
    totals: Mapping[int, int] | None = None
    shown: frozenset[str] | None = field(default=None, compare=False)
    """Frame ids of what had just come in by then; None where that was not listed."""


class ListingCache:
    """The kept listings of one feed and one choice of cameras."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def state(self) -> CacheState | None:
        """Return the last state; None where there is none that can be read."""
        try:
            told = json.loads((self._folder / "state.json").read_bytes())
            totals = told["totals"]
            counted = None if totals is None else {int(sol): int(count) for sol, count in totals.items()}
            shown = None if told["shown"] is None else frozenset(map(str, told["shown"]))
            return CacheState(str(told["stamp"]), int(told["newest_sol"]), counted, shown)
        except _BROKEN:
            return None

    def set_state(self, state: CacheState) -> None:
        """Remember that all files hold up to a state of the archive."""
        told: dict[str, Any] = {"stamp": state.stamp, "newest_sol": state.newest_sol}
        told["totals"] = None if state.totals is None else dict(state.totals)
        told["shown"] = None if state.shown is None else sorted(state.shown)
        write_whole(self._folder / "state.json", json.dumps(told).encode())

    def read(self, sols: SolRange, block_sols: int) -> list[str] | None:
        """Return the kept records of a portion, or of the whole block that holds it; None where none are kept."""
        block = sols.first // block_sols * block_sols
        names = [str(sols), f"{sols}.recent", str(SolRange(block, block + block_sols - 1))]
        found = (read_lines(self._folder / f"{name}.jsonl.gz") for name in dict.fromkeys(names))
        return next((lines for lines in found if lines is not None), None)

    def keep(self, sols: SolRange, lines: PackedLines, *, is_settled: bool) -> None:
        """Keep the records of a portion: for good, or until anything comes in."""
        write_whole(self._folder / f"{sols}{'' if is_settled else '.recent'}.jsonl.gz", lines.packed())

    def keep_late(self, lines: PackedLines) -> None:
        """Keep the records that came in late, in place of those kept before."""
        write_whole(self._folder / "late.jsonl.gz", lines.packed())

    def read_late(self) -> list[str]:
        """Return the records that came in late before the last state was set."""
        return read_lines(self._folder / "late.jsonl.gz") or []

    def forget(self, sols: Collection[int]) -> None:
        """Forget the portions that hold any of some sols, and all that are not settled."""
        for path, kept, is_recent in self._kept():
            if is_recent or any(sol in kept for sol in sols):
                _remove(path)

    def forget_all(self) -> None:
        """Forget everything, the state first: what is left of the folder must never count as current."""
        for path in [self._folder / "state.json", self._folder / "late.jsonl.gz", *(each[0] for each in self._kept())]:
            _remove(path)

    def _kept(self) -> Iterator[tuple[Path, SolRange, bool]]:
        for path in sorted(self._folder.glob("*.jsonl.gz")):
            if match := _NAME.fullmatch(path.name):
                yield path, SolRange(int(match[1]), int(match[2])), match[3] is not None


def read_lines(path: Path) -> list[str] | None:
    """Return the lines of a file that `PackedLines` made; None where it is absent, cut or changed."""
    try:
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        counted = json.loads(lines.pop())["lines"]
    except (*_BROKEN, IndexError):
        return None
    is_whole = counted == len(lines) and all(line.startswith("{") and line.endswith("}") for line in lines)
    return lines if is_whole else None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name and rename it. RovervisionError where the folder cannot be written."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> RovervisionError:
    return RovervisionError(
        f"The listing cache {path.parent} cannot be written: {error.strerror}. Make room or give it the right to, "
        "or set `ingestion.listing.cache_folder` to another folder."
    )


def remembered_first(folder: Path, key: str, otherwise: int) -> int:
    """Return the sol at which a query's first listing began; the first time, remember that it begins `otherwise`."""
    path = folder / f"{key}.json"
    try:
        return int(json.loads(path.read_bytes())["first_sol"])
    except _BROKEN:
        write_whole(path, json.dumps({"first_sol": otherwise}).encode())
        return otherwise


def counted_changes(before: Mapping[int, int] | None, now: Mapping[int, int] | None) -> set[int]:
    """Return the sols whose counts of images differ, where both states count them."""
    if before is None or now is None:
        return set()
    return {sol for sol in before.keys() | now.keys() if before.get(sol) != now.get(sol)}
