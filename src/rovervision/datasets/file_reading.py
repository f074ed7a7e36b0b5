"""Reading one file that was looked at before: the same bytes, or a sentence."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

from rovervision.errors import RovervisionError


@dataclass(frozen=True, slots=True)
class FileRead:
    """Reads a file, wherever it is called: the path is absolute."""

    path: Path
    n_bytes: int
    modified_ns: int | None = None

    @classmethod
    def of(cls, path: Path) -> Self:
        """Look at a file as it is now."""
        stat = path.stat()
        return cls(path.absolute(), stat.st_size, stat.st_mtime_ns)

    @property
    def version(self) -> str | None:
        """Text that is equal only where the bytes are equal, as far as place, length and time of change can tell."""
        return None if self.modified_ns is None else f"{self.path} {self.n_bytes} {self.modified_ns}"

    def __call__(self) -> bytes:
        """Return the bytes. Raises RovervisionError where there are more or fewer than there were."""
        body = self.path.read_bytes()
        if len(body) != self.n_bytes:
            raise RovervisionError(
                f"{self.path} has changed while it was in use: {len(body)} bytes instead of {self.n_bytes}."
            )
        return body


def refuse(sentence: str) -> NoReturn:
    """Raise the sentence, in the place of reading a file that is not to be had."""
    raise RovervisionError(sentence)
