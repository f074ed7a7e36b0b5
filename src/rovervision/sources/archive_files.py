"""The files of an archive that someone else packed: a zip file or an unpacked folder, read without trust."""

import re
import stat
import threading
import zipfile
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final, NoReturn, Protocol

from pydantic import BaseModel, ConfigDict, Field

from rovervision.errors import RovervisionError

_DRIVE: Final = re.compile(r"^[A-Za-z]:")
_OPENING: Final = threading.Lock()  # of the module: a source that is not yet open can be copied
_RATIO_FREE_BYTES: Final = 1 << 20  # small members may be as regular as they like


class ArchiveLimits(BaseModel):
    """Sizes beyond which an archive is taken for an attack or a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_download_bytes: int = Field(default=2 * 1024**3, ge=1)
    max_member_bytes: int = Field(default=256 * 1024**2, ge=1)
    max_total_bytes: int = Field(default=64 * 1024**3, ge=1)
    max_compression_ratio: float = Field(default=200.0, gt=1.0)
    """Unpacked over packed size; deflate cannot exceed 1032, images stay below 2."""


class ArchiveFiles(Protocol):
    """Named bytes. Names are relative POSIX paths that stay inside the archive."""

    @property
    def place(self) -> str:
        """Where the archive is, for messages."""
        ...

    def names(self) -> list[str]:
        """Return the names of all files, in the archive's order."""
        ...

    def read(self, name: str) -> bytes:
        """Return a file's bytes. Raises RovervisionError for a name that the archive does not have."""
        ...

    def mark(self, name: str) -> str:
        """Return text that changes when the file does, at no cost."""
        ...


class ZipFiles:
    """The members of a zip file. It is opened at the first use and refused as a whole when any member is dangerous."""

    def __init__(self, path: Path, limits: ArchiveLimits) -> None:
        self._path = path
        self._limits = limits

    @property
    def place(self) -> str:
        """The path of the zip file."""
        return str(self._path)

    def names(self) -> list[str]:
        """Return the names of all members that are files."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """Return a member's bytes, checked against its CRC-32. Threads may read at the same time."""
        member = self._member(name)
        try:
            return self._zip.read(member)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, ValueError) as error:
            self._refuse(f"the member {name} is damaged ({error})", error)
        except Exception as error:  # zlib.error and its like have no common base
            self._refuse(f"the member {name} cannot be unpacked ({error})", error)

    def mark(self, name: str) -> str:
        """Return the member's CRC-32 and size."""
        member = self._member(name)
        return f"{member.CRC:08x}:{member.file_size}"

    def _member(self, name: str) -> zipfile.ZipInfo:
        if name not in self._members:
            raise RovervisionError(f"{self._path} has no member {name}.")
        return self._members[name]

    @property
    def _zip(self) -> zipfile.ZipFile:
        with _OPENING:
            return self._opened[0]

    @property
    def _members(self) -> dict[str, zipfile.ZipInfo]:
        with _OPENING:
            return self._opened[1]

    @cached_property
    def _opened(self) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
        try:
            archive = zipfile.ZipFile(self._path)
        except FileNotFoundError as error:
            raise RovervisionError(f"There is no zip file {self._path}. Set `ingestion.archive` to one.") from error
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            self._refuse(f"it is no whole zip file ({error})", error)
        try:
            return archive, self._checked(archive)
        except BaseException:
            archive.close()
            raise

    def _checked(self, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        for member in archive.infolist():
            if fault := fault_of(member, self._limits):
                self._refuse(fault)
            if member.filename in members:
                self._refuse(f"it holds the member {member.filename} twice")
            if not member.is_dir():
                members[member.filename] = member
        total = sum(member.file_size for member in members.values())
        if total > self._limits.max_total_bytes:
            self._refuse(f"it unpacks to {total} bytes, over the limit of {self._limits.max_total_bytes}")
        return members

    def _refuse(self, fault: str, cause: BaseException | None = None) -> NoReturn:
        raise RovervisionError(
            f"{self._path} is not read: {fault}. Fetch the archive again from its makers."
        ) from cause


def fault_of(member: zipfile.ZipInfo, limits: ArchiveLimits) -> str | None:
    """Say why a zip member must not be read; None when nothing speaks against it."""
    # ZipInfo cuts a name at NUL and turns backslashes of other systems; the original spelling counts.
    for name in (member.filename, member.orig_filename):
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or _DRIVE.match(name) or "\x00" in name or not path.parts:
            return f"the member {name!r} leads out of the archive"
    if stat.S_ISLNK(member.external_attr >> 16):
        return f"the member {member.filename} is a symbolic link"
    if member.flag_bits & 0x1:
        return f"the member {member.filename} is encrypted"
    if member.file_size > limits.max_member_bytes:
        return f"the member {member.filename} has {member.file_size} bytes, over the limit of {limits.max_member_bytes}"
    ratio = member.file_size / max(member.compress_size, 1)
    if member.file_size > _RATIO_FREE_BYTES and ratio > limits.max_compression_ratio:
        most = limits.max_compression_ratio
        return f"the member {member.filename} is packed {ratio:.0f}-fold, over the limit of {most:g}"
    return None


class FolderFiles:
    """The files of an unpacked archive."""

    def __init__(self, root: Path, limits: ArchiveLimits) -> None:
        self._root = root
        self._limits = limits

    @property
    def place(self) -> str:
        """The path of the folder."""
        return str(self._root)

    def names(self) -> list[str]:
        """Return the names of all files that are no links out of the folder, sorted."""
        files = sorted(path for path in self._root.rglob("*") if path.is_file() and self._holds(path))
        return [path.relative_to(self._root).as_posix() for path in files]

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        path = self._file(name)
        if (size := path.stat().st_size) > self._limits.max_member_bytes:
            raise RovervisionError(f"{path} has {size} bytes, over the limit of {self._limits.max_member_bytes}.")
        return path.read_bytes()

    def mark(self, name: str) -> str:
        """Return the file's time of change and size."""
        found = self._file(name).stat()
        return f"{found.st_mtime_ns}:{found.st_size}"

    def _file(self, name: str) -> Path:
        path = self._root / name
        if not self._holds(path):
            raise RovervisionError(f"{name} leads out of the folder {self._root}; such files are not read.")
        if not path.is_file():
            raise RovervisionError(f"{self._root} has no file {name}.")
        return path

    def _holds(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._root.resolve())
