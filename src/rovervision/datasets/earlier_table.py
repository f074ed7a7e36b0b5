"""A table as the last run left it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError


class EarlierTableDataset(AbstractDataset[NoReturn, pd.DataFrame]):
    """The CSV or Parquet file of another dataset, read before that one is written; an empty table where there is none.

    So a node may add rows to a table of its own without reading files itself. What is no table is a sentence.

    Args:
        filepath: the file; a name that ends in .parquet is Parquet, any other CSV.
        text_columns: columns of CSV that stay text, whatever they look like: hashes may look like numbers.
        metadata: for other tools; ignored here.
    """

    def __init__(
        self, *, filepath: str, text_columns: Sequence[str] = (), metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath, self._text_columns, self.metadata = Path(filepath), tuple(text_columns), metadata

    def load(self) -> pd.DataFrame:
        """Return the table; no rows and no columns where the file is missing or empty."""
        try:
            if self._filepath.suffix == ".parquet":
                return pd.read_parquet(self._filepath)
            return pd.read_csv(self._filepath, dtype=dict.fromkeys(self._text_columns, str))
        except (FileNotFoundError, pd.errors.EmptyDataError):
            return pd.DataFrame()
        except (pd.errors.ParserError, ValueError, OSError) as error:
            raise DatasetError(f"{self._filepath} is no table ({error}). Mend it, or move it away.") from error

    def save(self, data: NoReturn) -> None:
        """Refuse: the other dataset writes the file."""
        raise DatasetError(f"{self._filepath} is only read here; the dataset that it belongs to writes it.")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "text_columns": list(self._text_columns)}
