"""Promised fetches: what to fetch, from which archive, how hard to try. Nothing happens until a promise is called."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from rovervision.sources.frame import Frame, MaskedSource, Source


@dataclass(frozen=True, slots=True)
class FrameFetch:
    """The promise to fetch one frame's image."""

    source: Source
    frame: Frame
    origin: str
    """Equal only where the fetched bytes are sure to be equal; by it a stored file is known to be the one asked for."""

    def __call__(self) -> bytes:
        """Return the image file's bytes."""
        return self.source.fetch(self.frame)


@dataclass(frozen=True, slots=True)
class MaskFetch:
    """The promise to fetch one frame's region mask."""

    source: MaskedSource
    frame: Frame
    origin: str

    def __call__(self) -> bytes:
        """Return the mask file's bytes, PNG."""
        return self.source.fetch_mask(self.frame)


class FetchPlan(dict[str, Callable[[], bytes]]):
    """File names and the promises of their bytes, with the patience and care that the plan's maker asks for."""

    def __init__(self, promises: Mapping[str, Callable[[], bytes]] | None = None, *, terms: "FetchTerms") -> None:
        super().__init__(promises or {})
        self.terms = terms


@dataclass(frozen=True, slots=True)
class FetchTerms:
    """How a plan is to be performed."""

    attempts: int = 3
    """Calls of one promise before it counts as failed."""
    max_failed_frac: float = 0.05
    """Largest part of the files that may fail before the whole does."""
    threads: int = 4
    """Promises called at the same time."""
    expected_bytes: int = 0
    """About how much will be stored, as far as it is known."""
    min_free_bytes: int = 0
    """What has to stay free on the disk."""


def origin_of(frame: Frame, fingerprint: str) -> str:
    """Digest everything that decides a frame's bytes: its address and record, and the archive's own configuration."""
    told = "\n".join((frame.source, frame.frame_id, frame.url, frame.version, frame.record, fingerprint))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def stored_name(frame: Frame) -> str:
    """Return the file name under which a frame is stored: its id, and the archive's own suffix in lower case."""
    return frame.frame_id + (PurePosixPath(frame.file_name).suffix.lower() or ".bin")
