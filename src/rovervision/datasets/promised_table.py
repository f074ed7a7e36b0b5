"""A table that is promised in pieces: made by workers, resumed where a run was interrupted, whole or not there."""

import shutil
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset
from kedro_datasets._typing import TablePreview

from rovervision.datasets.file_ledger import FileLedger, Row
from rovervision.datasets.file_storing import INCOMING_NAME, Patience, is_disk_full, store_all
from rovervision.datasets.promised_files import left_to_do, workers_of
from rovervision.errors import RovervisionError
from rovervision.learning.model_use import ModelPlan, PiecedTablePlan

_PATIENCE: Final = Patience(attempts=1, pause_s=0.0)


class PromisedTableDataset(AbstractDataset[PiecedTablePlan, pd.DataFrame]):
    """A Parquet file.

    Saving takes a plan of pieces and has its workers make each, a file in a hidden folder beside the table. Pieces of
    an interrupted save are not made again where their origin is the same. At the end the pieces become one table, one
    at a time, so memory does not grow with their number; the old table stays until then. A piece that cannot be had
    is made row by row, and a row that cannot be had tells why.

    Args:
        filepath: the file.
        threads: promises called at the same time where the workers are threads, and the plan says no number.
        metadata: for other tools; ignored here.
    """

    def __init__(self, *, filepath: str, threads: int = 2, metadata: dict[str, Any] | None = None) -> None:
        self._path, self._threads, self.metadata = Path(filepath), threads, metadata

    def save(self, data: PiecedTablePlan) -> None:
        """Make the pieces, then the table."""
        folder = self._path.with_name(f".{self._path.name}.pieces")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _join(self._pieces(folder, data), self._path)
        except OSError as error:
            if is_disk_full(error):
                raise RovervisionError(
                    f"The disk that holds {self._path} is full. What was finished stays; make room and run again."
                ) from error
            raise
        shutil.rmtree(folder, ignore_errors=True)

    def _pieces(self, folder: Path, data: PiecedTablePlan) -> list[Path]:
        """Return the files that hold the table, in order."""
        paths = []
        for piece, row in self._stored(folder, data).items():
            paths += self._one_by_one(folder / "alone", piece, data) if row.failure else [folder / piece]
        return paths

    def _one_by_one(self, folder: Path, piece: str, data: PiecedTablePlan) -> list[Path]:
        folder.mkdir(exist_ok=True)
        rows = self._stored(folder, data.alone(piece))
        for name, row in rows.items():
            if row.failure:
                (folder / name).write_bytes(data.failed(name, row.failure))
        return [folder / name for name in rows]

    def _stored(self, folder: Path, plan: ModelPlan) -> dict[str, Row]:
        """Make the files of a plan that do not stand whole in the folder; return name → row, in the plan's order."""
        with FileLedger(folder) as ledger:
            try:
                rows, tasks = left_to_do(plan, ledger, folder / INCOMING_NAME, _PATIENCE)
                for row in store_all(folder, tasks, ledger, workers_of(plan), self._threads):
                    rows[row.name] = row
            finally:
                shutil.rmtree(folder / INCOMING_NAME, ignore_errors=True)
        return {name: rows[name] for name in plan}

    def load(self) -> pd.DataFrame:
        """Return the table."""
        if not self._exists():
            raise RovervisionError(f"There is no table at {self._path}: run the pipeline that writes it.")
        return pd.read_parquet(self._path)

    def preview(self, nrows: int = 5) -> TablePreview:
        """Return the first rows, for Kedro-Viz."""
        from rovervision.datasets.previews import preview_table

        return preview_table(self.load().head(nrows))

    def _exists(self) -> bool:
        return self._path.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


def _join(paths: list[Path], target: Path) -> None:
    """Write the pieces into one Parquet file, a row group each. A column that is empty in one has another's type."""
    schema = pa.unify_schemas([pq.read_schema(path) for path in paths])
    part = target.with_name(f".{target.name}.part")
    try:
        with pq.ParquetWriter(part, schema) as writer:
            for path in paths:
                writer.write_table(pq.read_table(path).cast(schema))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
