"""What stands whole in a folder of fetched files."""

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from rovervision.datasets.file_ledger import FileLedger
from rovervision.errors import RovervisionError


class StoredFilesDataset(AbstractDataset[Any, pd.DataFrame]):
    """The files that an ImageFolderDataset holds at this moment, interrupted runs included: a view that is only read.

    Loading returns one row per file: name, origin (see `sources.fetch_plan`) and n_bytes.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the folder."""
        self._root = Path(filepath)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """List the files that are there in the size in which they were stored. No folder holds no files."""
        rows = [(entry.name, entry.origin, entry.n_bytes) for entry in FileLedger(self._root).standing()]
        return pd.DataFrame(rows, columns=["name", "origin", "n_bytes"])

    def save(self, data: Any) -> None:
        """Refuse: files are stored through the folder's own dataset."""
        raise RovervisionError(f"{self._root} is only looked at here. Store files through the dataset of the folder.")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._root)}
