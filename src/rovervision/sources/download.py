"""One large file from the web, whole or not at all; what came of it is gone on with."""

import threading
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from rovervision.errors import RovervisionError
from rovervision.sources.http.addresses import host_of, is_this_machine
from rovervision.sources.http.client import HttpTransport
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.resumable import download_whole
from rovervision.sources.http.transport import FetchError

_DOWNLOADING: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class NamedHost:
    """The hosts that may be asked for a file whose address a person typed: that one, and where it sends us on to.

    A person vouches for an address, not for the machines behind it: repositories hand large files out from stores whose
    names change. So a redirect may lead to any host (by https, as ever), for nothing but the request is told to it; but
    never from the web to this machine.
    """

    host: str

    def __contains__(self, host: object) -> bool:
        """Tell whether a host, in lower case, may be asked."""
        return host == self.host or not is_this_machine(str(host))


def is_address(archive: str) -> bool:
    """Tell an address on the web from a path."""
    return archive.lower().startswith(("http://", "https://"))


def downloaded(address: str, folder: Path, max_bytes: int, http: HttpConfig) -> Path:
    """Return the local copy of a file on the web, downloading it first where there is none.

    The copy gets its name only when it is as long as the server said. What came before the connection broke or the
    process was killed is gone on with, where the server can tell that the file is still the same. Raises
    RovervisionError when it cannot be had, is longer than `max_bytes`, or is asked for by plain http.
    """
    name = PurePosixPath(unquote(urlsplit(address).path)).name
    if not name or name.startswith("."):
        raise RovervisionError(f"The address {address} names no file.")
    path = folder / name
    with _DOWNLOADING:
        if not (path.is_file() and path.stat().st_size):
            _download(address, path, max_bytes, http)
    return path


def _download(address: str, path: Path, max_bytes: int, http: HttpConfig) -> None:
    try:
        transport = HttpTransport(http, NamedHost(host_of(address)))
        download_whole(transport, address, path, max_bytes, config=http)
    except FetchError as error:
        if error.reason == "too_large":
            raise RovervisionError(
                f"{address} is longer than the limit of {max_bytes} bytes. Raise `ingestion.limits.max_download_bytes`."
            ) from error
        raise RovervisionError(
            f"{address} could not be downloaded: {str(error).rstrip('.')}. Try again, or download it yourself and set "
            "`ingestion.archive` to the file."
        ) from error
