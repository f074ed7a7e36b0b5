"""The listing of one or more archives, streamed to Parquet."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset

from rovervision.errors import RovervisionError
from rovervision.sources.frame import Frame
from rovervision.sources.frame_table import FRAME_COLUMNS

_TYPES: Final = {
    "sol": pa.int64(),
    "width_px": pa.int64(),
    "height_px": pa.int64(),
    "sclk_s": pa.float64(),
    "has_mask": pa.bool_(),
}
LISTING_SCHEMA: Final = pa.schema([(name, _TYPES.get(name, pa.string())) for name in FRAME_COLUMNS])
"""One column for each field of Frame; the same for every archive, so that listings can be put together."""


class SourceListingDataset(AbstractDataset[Mapping[str, Callable[[], Iterator[Frame]]], pd.DataFrame]):
    """Searches archives on save, and keeps what they answered; loads as a table with one row per frame.

    Saving takes {query name: callable returning an iterator of frames}, holds one batch in memory at a time, and puts
    the new listing in the old one's place only when it is whole. A query that nothing answers raises RovervisionError.
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
                for query, search in data.items():
                    self._write(writer, query, search())
            part.replace(self._filepath)
        finally:
            part.unlink(missing_ok=True)

    def load(self) -> pd.DataFrame:
        """Read the listing; integers that may be missing are nullable (Int64)."""
        if not self._filepath.is_file():
            raise RovervisionError(f"There is no listing {self._filepath} yet. Run the pipeline `ingestion` first.")
        return pq.read_table(self._filepath).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)

    def _write(self, writer: pq.ParquetWriter, query: str, frames: Iterator[Frame]) -> None:
        n_frames = 0
        for batch in _batches((replace(frame, query=query) for frame in frames), self._batch_rows):
            rows = [asdict(frame) for frame in batch]
            writer.write_table(pa.Table.from_pylist(rows, schema=LISTING_SCHEMA))
            n_frames += len(rows)
        if not n_frames:
            raise RovervisionError(f"The query `{query}` found no frame. Widen it, or drop it.")

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "batch_rows": self._batch_rows}


def _batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    rest = iter(frames)
    while batch := list(islice(rest, size)):
        yield batch
