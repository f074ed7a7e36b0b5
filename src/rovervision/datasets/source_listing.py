"""The listing of one or more archives, streamed to Parquet."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset

from rovervision.errors import RovervisionError
from rovervision.sources.frame import Frame
from rovervision.sources.frame_table import FRAME_COLUMNS, FrameListing

_logger = logging.getLogger(__name__)

_TYPES: Final = {
    "sol": pa.int64(),
    "width_px": pa.int64(),
    "height_px": pa.int64(),
    "sclk_s": pa.float64(),
    "has_mask": pa.bool_(),
}
_READ_ROWS: Final = 20_000
LISTING_SCHEMA: Final = pa.schema([(name, _TYPES.get(name, pa.string())) for name in FRAME_COLUMNS])
"""One column for each field of Frame; the same for every archive, so that listings can be put together."""


class SourceListingDataset(AbstractDataset[Mapping[str, Callable[[], Iterator[Frame]]], FrameListing]):
    """Searches archives on save, and keeps what they answered; loads as a listing that is read in batches.

    Saving takes {query name: callable returning an iterator of frames}, holds one batch in memory at a time, and puts
    the new listing in the old one's place only when it is whole. A query that nothing answers is told in a warning;
    where no query finds anything, RovervisionError is raised.
    """

    def __init__(self, *, filepath: str, batch_rows: int = 2000, metadata: dict[str, Any] | None = None) -> None:
        """Name the Parquet file and the number of frames held in memory while it is written."""
        self._filepath = Path(filepath)
        self._batch_rows = batch_rows
        self.metadata = metadata

    def save(self, data: Mapping[str, Callable[[], Iterator[Frame]]]) -> None:
        """Run the searches one after the other and write their frames."""
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        part = self._filepath.with_name(f".{self._filepath.name}.{os.getpid()}.part")
        try:
            with pq.ParquetWriter(part, LISTING_SCHEMA) as writer:
                counts = {query: self._write(writer, query, search()) for query, search in data.items()}
            self._tell_empty(counts)
            part.replace(self._filepath)
        finally:
            part.unlink(missing_ok=True)

    def load(self) -> FrameListing:
        """Return the listing, of which nothing is read yet; integers that may be missing are nullable (Int64)."""
        if not self._filepath.is_file():
            raise RovervisionError(f"There is no listing {self._filepath} yet. Run the pipeline `ingestion` first.")
        return FrameListing(self._read)

    def _read(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        with pq.ParquetFile(self._filepath) as file:
            if missing := set(columns) - set(file.schema_arrow.names):
                raise RovervisionError(
                    f"The listing {self._filepath} is of an older version of this program: it lacks "
                    f"{', '.join(sorted(missing))}. Run the pipeline `ingestion` from its start."
                )
            for batch in file.iter_batches(_READ_ROWS, columns=list(columns)):
                yield batch.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)

    def _write(self, writer: pq.ParquetWriter, query: str, frames: Iterator[Frame]) -> int:
        n_frames = 0
        for batch in _batches((replace(frame, query=query) for frame in frames), self._batch_rows):
            columns = {name: [getattr(frame, name) for frame in batch] for name in FRAME_COLUMNS}
            writer.write_table(pa.Table.from_pydict(columns, schema=LISTING_SCHEMA))
            n_frames += len(batch)
        return n_frames

    def _tell_empty(self, counts: Mapping[str, int]) -> None:
        empty = [query for query, count in counts.items() if not count]
        if len(empty) == len(counts):
            raise RovervisionError(f"No query found a frame: {', '.join(empty)}. Widen their sols, cameras or types.")
        if empty:
            _logger.warning("No frame was found for: %s. The other queries go on.", ", ".join(empty))

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "batch_rows": self._batch_rows}


def _batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    rest = iter(frames)
    while batch := list(islice(rest, size)):
        yield batch
