"""The index of one volume, kept on this machine: its label as a whole, its table as far as it was read."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from rovervision.errors import RovervisionError
from rovervision.sources.exploration_rovers.index_label import IndexLayout, parse_index_label
from rovervision.sources.exploration_rovers.index_rows import NEEDED_COLUMNS, IndexRow, RowCount, read_rows
from rovervision.sources.exploration_rovers.volumes import Volume
from rovervision.sources.http.transport import FetchError, Transport

_MAX_LABEL_BYTES: Final = 1 << 20  # the archive's have 28 kB


class LineSource(Protocol):
    """A text file on the web that is kept here as far as it was read (`sources.http.resumable`)."""

    def lines(self) -> Iterator[bytes]:
        """Yield the lines from the first on: those that are here, then those that come."""
        ...


@dataclass(frozen=True)
class VolumeIndex:
    """Where a volume's index is, there and here."""

    transport: Transport
    base_url: str
    volume: Volume
    cache_folder: Path
    open_copy: Callable[[str, Path], LineSource]

    def layout(self) -> IndexLayout:
        """Return the columns, from the label that is kept or fetched now.

        Raises RovervisionError where it cannot be had or is another label.
        """
        url = self.volume.index_url(self.base_url, "edrindex.lbl")
        kept = self._folder / "edrindex.lbl.json"
        text = _kept_label(kept, url)
        if text is not None:
            return parse_index_label(text, NEEDED_COLUMNS, str(kept))
        try:
            text = self.transport.get_text(url, max_bytes=_MAX_LABEL_BYTES)
        except FetchError as error:
            raise self._not_to_be_had(url, error) from error
        layout = parse_index_label(text, NEEDED_COLUMNS, url)
        _keep_label(kept, url, text)
        return layout

    def rows(self, layout: IndexLayout, count: RowCount) -> Iterator[IndexRow]:
        """Yield the readable rows of the table; fetch no more of it than is asked for.

        Raises RovervisionError where the table cannot be had, or holds rows of which none can be read.
        """
        url, path = self.volume.index_url(self.base_url, "edrindex.tab"), self._folder / "edrindex.tab"
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            yield from read_rows(self.open_copy(url, path).lines(), layout, count)
        except FetchError as error:
            raise self._not_to_be_had(url, error) from error
        if count.broken and not count.readable:
            raise RovervisionError(
                f"No row of {url} could be read; the copy in {path} is something else. Delete {self._folder} and try "
                "again."
            )

    @property
    def _folder(self) -> Path:
        return self.cache_folder / self.volume.name

    def _not_to_be_had(self, url: str, error: FetchError) -> FetchError:
        sentence = f"The index of {self.volume.name} could not be had from {url}: {error}"
        return FetchError(error.reason, sentence, may_pass=error.may_pass)


def _kept_label(path: Path, url: str) -> str | None:
    """Return the label that was kept; None where there is none, it is damaged, or it came from another address."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(kept, dict) or kept.get("url") != url or not isinstance(kept.get("label"), str):
        return None
    return str(kept["label"])


def _keep_label(path: Path, url: str, label: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps({"url": url, "label": label}), encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
