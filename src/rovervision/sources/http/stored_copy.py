"""The beginning of a file from the web, at rest: its bytes, and which version of which file they belong to."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from filelock import FileLock

from rovervision.sources.http.transport import FetchError

_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Version:
    """Which file it is that a copy holds the beginning of."""

    url: str
    validator: str | None
    """ETag or date of the last change."""
    total_bytes: int | None

    def is_same(self, other: "Version") -> bool:
        """Tell whether both are one file, as far as they say."""
        lengths = {self.total_bytes, other.total_bytes} - {None}
        return self.url == other.url and self.validator == other.validator and len(lengths) <= 1


class StoredCopy:
    """The file at `path`, with `<name>.version.json` and a lock file beside it.

    Whatever is cut off by a kill, the bytes are a beginning of the file that the version names.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._version_path: Final = path.with_name(f"{path.name}.version.json")
        self._lock: Final = FileLock(path.with_name(f"{path.name}.lock"))

    @property
    def n_bytes(self) -> int:
        """Length of what is stored."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def version(self, url: str) -> Version | None:
        """Return what the copy is of; None where that is not known or is another address."""
        try:
            found = Version(**json.loads(self._version_path.read_text("utf-8")))
            return found if found.url == url else None
        except (OSError, ValueError, TypeError):
            return None

    def is_complete(self, url: str) -> bool:
        """Tell whether the whole file is stored."""
        version = self.version(url)
        return bool(version and version.total_bytes and self.n_bytes == version.total_bytes)

    def n_resumable(self, version: Version | None) -> int:
        """Return how many bytes may be gone on from: none without a way to see that the file is still the same."""
        if not version or not version.validator:
            return 0
        n_bytes = self.n_bytes
        return n_bytes if version.total_bytes is None or n_bytes <= version.total_bytes else 0

    def read(self, n_bytes: int) -> Iterator[bytes]:
        """Yield the first `n_bytes` in pieces."""
        if not n_bytes:
            return
        with self.path.open("rb") as file:
            while n_bytes > 0:
                chunk = file.read(min(_READ_BYTES, n_bytes))
                if not chunk:
                    raise FetchError("truncated", f"{self.path} was shortened while it was read.", may_pass=False)
                n_bytes -= len(chunk)
                yield chunk

    def begin(self, version: Version) -> None:
        """Empty the copy and note which file it is to hold. A kill in between leaves an empty copy."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            with self.path.open("wb"):
                pass
            self.note(version)

    def note(self, version: Version) -> None:
        """Write down which file the copy is of."""
        part = self._version_path.with_name(f".{self._version_path.name}.{uuid4().hex}")
        try:
            part.write_text(json.dumps(asdict(version)), "utf-8")
            part.replace(self._version_path)
        finally:
            part.unlink(missing_ok=True)

    def append(self, version: Version, at: int, chunk: bytes) -> None:
        """Store what is missing of a chunk that begins at `at`.

        Nothing is stored where another process has come further, or has begun anew with another version.
        """
        with self._lock:
            n_bytes, found = self.n_bytes, self.version(version.url)
            if at <= n_bytes < at + len(chunk) and found and found.is_same(version):
                with self.path.open("ab") as file:
                    file.write(chunk[n_bytes - at :])

    def discard(self) -> None:
        """Remove the copy and what stands beside it, as far as that is allowed."""
        for path in (self.path, self._version_path, Path(self._lock.lock_file)):
            with suppress(OSError):
                path.unlink()
