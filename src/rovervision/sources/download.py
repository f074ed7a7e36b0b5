"""One large file from the web, whole or not at all."""

import errno
import os
import sys
import threading
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

import requests
from tqdm import tqdm

import rovervision
from rovervision.errors import RovervisionError

_TIMEOUT_S: Final = (15, 60)
_CHUNK_BYTES: Final = 1 << 18
_DOWNLOADING: Final = threading.Lock()
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_AGENT: Final = f"rovervision/{rovervision.__version__} (research; downloads once and keeps it)"


def is_address(archive: str) -> bool:
    """Tell an address on the web from a path."""
    return archive.lower().startswith(("http://", "https://"))


def downloaded(address: str, folder: Path, max_bytes: int) -> Path:
    """Return the local copy of a file on the web, downloading it first where there is none.

    The copy gets its name only when it is as long as the server said. Raises RovervisionError when it cannot be had or
    is longer than `max_bytes`.
    """
    name = PurePosixPath(unquote(urlsplit(address).path)).name
    if not name or name.startswith("."):
        raise RovervisionError(f"The address {address} names no file.")
    path = folder / name
    with _DOWNLOADING:
        return _fetched(address, path, max_bytes)


def _fetched(address: str, path: Path, max_bytes: int) -> Path:
    if path.is_file() and path.stat().st_size:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _stream(address, part, max_bytes)
        part.replace(path)
    except (requests.RequestException, OSError) as error:
        if error.errno in _NO_ROOM:  # the disk's fault, not the server's
            raise
        raise RovervisionError(
            f"{address} could not be downloaded: {error}. Try again, or download it yourself and set "
            "`ingestion.archive` to the file."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _stream(address: str, part: Path, max_bytes: int) -> None:
    with requests.get(address, stream=True, timeout=_TIMEOUT_S, headers={"User-Agent": _AGENT}) as answer:
        answer.raise_for_status()
        promised = int(answer.headers.get("Content-Length") or 0)
        _check_size(address, promised, max_bytes)
        n_bytes = 0
        with (
            part.open("wb") as file,
            tqdm(
                total=promised or None, unit="B", unit_scale=True, desc=part.name[1:20], disable=not sys.stderr.isatty()
            ) as bar,
        ):
            for chunk in answer.iter_content(_CHUNK_BYTES):
                n_bytes += len(chunk)
                _check_size(address, n_bytes, max_bytes)
                file.write(chunk)
                bar.update(len(chunk))
    if n_bytes < promised or not n_bytes:
        raise OSError(f"the connection ended after {n_bytes} of {promised} bytes")


def _check_size(address: str, n_bytes: int, max_bytes: int) -> None:
    if n_bytes > max_bytes:
        raise RovervisionError(
            f"{address} is longer than the limit of {max_bytes} bytes. Raise `ingestion.limits.max_download_bytes`."
        )
