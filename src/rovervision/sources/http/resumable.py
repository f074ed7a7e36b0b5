"""A local copy of one large file that grows as the file is read, and goes on where it stopped."""

import random
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.faults import html_fault, looks_like_html
from rovervision.sources.http.stored_copy import StoredCopy, Version
from rovervision.sources.http.transport import FetchError, RangedAnswer, Transport
from rovervision.sources.http.waits import backoff_s
from rovervision.sources.stopping import pause

_LONGEST_LINE_BYTES: Final = 1 << 24
_COPY_MAX_BYTES: Final = 1 << 33


@dataclass(slots=True)
class _Reading:
    """How far one reader has come."""

    n_bytes: int = 0
    version: Version | None = None
    """What it reads; None before the first answer."""


class ResumableCopy:
    """A copy at `path` of the file at `url`, fetched while it is read.

    Reading may be given up at any moment, also by a kill: the next reader goes on from what stands on disk. A file
    that has changed on the server since (other ETag, date or length) is fetched anew. A complete copy costs no request
    and is not looked after again. Several readers and processes may use one copy: each appends only what is missing.

    Failures that may pass are repeated `config.attempts` times, counted anew whenever bytes arrive.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        path: Path,
        *,
        max_bytes: int = _COPY_MAX_BYTES,
        config: HttpConfig | None = None,
        sleep: Callable[[float], object] = pause,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._transport, self._url, self.path = transport, url, path
        self._max_bytes = max_bytes
        self._config = config or HttpConfig()
        self._sleep, self._jitter = sleep, jitter
        self._stored = StoredCopy(path)

    @property
    def complete(self) -> bool:
        """True when the whole file stands on disk."""
        return self._stored.is_complete(self._url)

    @property
    def resumable(self) -> bool:
        """True when a later reader could go on from what stands on disk."""
        return self._stored.n_resumable(self._stored.version(self._url)) > 0

    def discard(self) -> None:
        """Remove the copy from disk."""
        self._stored.discard()

    def lines(self) -> Iterator[bytes]:
        """Yield the file's lines with their line ends, from disk first and then as they arrive.

        Raises FetchError for what cannot be had, and where the file changes on the server in the middle of reading.
        """
        rest = b""
        with closing(self.chunks()) as chunks:
            for chunk in chunks:
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line + b"\n"
                if len(rest) > _LONGEST_LINE_BYTES:
                    raise FetchError("unexpected_answer", f"{self.path.name} is no table of text: a line has no end.")
        if rest:
            yield rest

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the file's bytes in pieces; see `lines`."""
        if self.complete:
            yield from self._stored.read(self._stored.n_bytes)
            return
        reading, failures = _Reading(), 0
        while True:
            before = reading.n_bytes
            try:
                yield from self._stretch(reading)
                if self._is_at_end(reading):
                    return
                error = FetchError("truncated", f"The server ended {self.path.name} after {reading.n_bytes} bytes.")
            except FetchError as fault:
                error = fault
            failures = 1 if reading.n_bytes > before else failures + 1
            if not error.may_pass or failures >= self._config.attempts:
                raise error
            self._sleep(backoff_s(failures, self._config.backoff_s, self._config.backoff_max_s, self._jitter()))

    def _is_at_end(self, reading: _Reading) -> bool:
        total = reading.version.total_bytes if reading.version else None
        if total == 0:
            raise FetchError("empty", f"{self.path.name} has no bytes on the server.")
        return reading.n_bytes == total

    def _stretch(self, reading: _Reading) -> Iterator[bytes]:
        """One request: yield what it brings beyond what was read, and store it."""
        known = reading.version or self._stored.version(self._url)
        start = reading.n_bytes if reading.version else self._stored.n_resumable(known)
        with self._transport.get_range(self._url, start, known.validator if known else None) as answer:
            if answer.offset_bytes not in (0, start):
                raise FetchError("unexpected_answer", f"Another part of {self.path.name} came than was asked for.")
            version = self._version_of(answer, start, known)
            if reading.version:
                self._check_same(version, reading.version)
            elif start and known and version.is_same(known):
                yield from self._read_again(reading, start)
            else:
                self._stored.begin(version)
            reading.version = version
            yield from self._arriving(reading, version, answer)

    def _read_again(self, reading: _Reading, n_bytes: int) -> Iterator[bytes]:
        for chunk in self._stored.read(n_bytes):
            reading.n_bytes += len(chunk)
            yield chunk

    def _check_same(self, version: Version, before: Version) -> None:
        if not version.is_same(before):
            self._stored.begin(version)
            raise FetchError("unexpected_answer", f"{self.path.name} changed while it was read. Run again.")

    def _version_of(self, answer: RangedAnswer, start: int, known: Version | None) -> Version:
        """Return what an answer is of; a continuation that names no validator vouches for the one it was asked for."""
        continues = known is not None and 0 < start == answer.offset_bytes
        validator = known.validator if known and continues and not answer.validator else answer.validator
        version = Version(self._url, validator, answer.total_bytes)
        if known and version.is_same(known) and version.total_bytes is None:
            return known
        return version

    def _arriving(self, reading: _Reading, version: Version, answer: RangedAnswer) -> Iterator[bytes]:
        """Yield and store the chunks of an answer, without those that were read before."""
        at = answer.offset_bytes
        with self._progress(version.total_bytes, reading.n_bytes) as bar:
            for chunk in answer.chunks:
                fresh = chunk[max(0, reading.n_bytes - at) :]
                at += len(chunk)
                if not fresh:
                    continue
                if reading.n_bytes == 0 and looks_like_html(fresh):
                    raise html_fault("The server")
                self._check_size(version, reading.n_bytes + len(fresh))
                self._stored.append(version, reading.n_bytes, fresh)
                reading.n_bytes += len(fresh)
                bar.update(len(fresh))
                yield fresh
        self._learn_length(reading, version, at)

    def _learn_length(self, reading: _Reading, version: Version, n_bytes: int) -> None:
        """Note the length where it was not known before: an answer without one has ended as it should."""
        reading.version = version if version.total_bytes is not None else replace(version, total_bytes=n_bytes)
        noted = self._stored.version(self._url)
        if noted and noted.total_bytes is None and noted.is_same(reading.version):
            self._stored.note(reading.version)

    def _check_size(self, version: Version, n_bytes: int) -> None:
        if max(n_bytes, version.total_bytes or 0) > self._max_bytes:
            raise FetchError("too_large", f"{self.path.name} is longer than the limit of {self._max_bytes} bytes.")
        if version.total_bytes is not None and n_bytes > version.total_bytes:
            raise FetchError("unexpected_answer", f"More bytes of {self.path.name} came than the server said.")

    def _progress(self, total: int | None, start: int) -> "tqdm[Any]":
        name, is_hidden = self.path.name.lstrip(".")[:24], not sys.stderr.isatty()
        return tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=name, disable=is_hidden)


def download_whole(
    transport: Transport, url: str, path: Path, max_bytes: int, *, config: HttpConfig | None = None
) -> None:
    """Download a file; it gets its name when it is whole. A later call goes on where one was broken off.

    Nothing is left of a file that could not be gone on with. Raises FetchError.
    """
    copy = ResumableCopy(transport, url, path.with_name(f".{path.name}.part"), max_bytes=max_bytes, config=config)
    try:
        with closing(copy.chunks()) as chunks:
            for _ in chunks:
                pass
        if copy.complete:
            copy.path.replace(path)
        elif not path.is_file():  # another process may have finished first
            raise FetchError("truncated", f"{path.name} was taken away while it was downloaded.")
    finally:
        if not copy.resumable:
            copy.discard()
