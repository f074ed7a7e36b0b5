"""Parquet tables that Kedro-Viz can show though they hold bytes."""

from kedro_datasets._typing import TablePreview
from kedro_datasets.pandas import ParquetDataset


class ParquetWithBytesDataset(ParquetDataset):
    """A Parquet table some of whose columns hold bytes, which no page can show: its preview leaves them out."""

    def preview(self, nrows: int = 5) -> TablePreview:
        """Return the first rows, for Kedro-Viz."""
        from rovervision.datasets.previews import preview_table

        return preview_table(self.load().head(nrows))
