"""Tiles for others: a folder that Hugging Face `datasets`, and anything that reads Parquet or PNG, can load."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset
from tqdm import tqdm

from rovervision.datasets.export_formats import Batch, write_image_folder, write_parquet
from rovervision.datasets.mapped_array import MappedArray
from rovervision.datasets.replaced_folder import replaced_folder, restore
from rovervision.errors import RovervisionError
from rovervision.imaging.encoding import encode_png
from rovervision.imaging.tiles import TileExport, TileStore

CARD_NAME: Final = "README.md"

SPLIT_NAMES: Final = {"val": "validation"}
"""How others call a split, where they do not call it as we do. `datasets` finds splits by these names."""

BATCH_TILES: Final = 256
"""So many tiles are encoded at once; also the rows of a Parquet row group, which readers take into memory whole."""

_WRITERS: Final = {"parquet": write_parquet, "imagefolder": write_image_folder}


class TileExportDataset(AbstractDataset[TileExport, Path]):
    """A `TileExport` as a folder that `datasets.load_dataset(folder)` understands. Loading gives the folder.

    parquet: `data/<split>-00000-of-0000N.parquet` with a column `image`, one `regions` where masks are exported, and
    the columns of the index. imagefolder: `data/<split>/<number>/<row>.png`, region masks beside them, and
    `data/<split>/metadata.parquet`. Both have a README.md, the card. All images are PNG, so no pixel changes.
    """

    def __init__(
        self,
        *,
        filepath: str,
        format: Literal["parquet", "imagefolder"] = "parquet",
        tiles_per_file: int = 10_000,
        with_regions: bool = True,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Name the folder.

        Args:
            filepath: the folder, replaced as a whole by every save.
            format: see above.
            tiles_per_file: rows of one Parquet file, or images of one inner folder.
            with_regions: whether to export the region masks, too.
            metadata: for Kedro and its plugins.
        """
        if format not in _WRITERS:
            raise RovervisionError(f"The format of an export is one of {', '.join(_WRITERS)}, not {format}.")
        if tiles_per_file < 1:
            raise RovervisionError(f"tiles_per_file is at least 1, not {tiles_per_file}.")
        self._folder, self._format = Path(filepath), format
        self._tiles_per_file, self._with_regions = tiles_per_file, with_regions
        self.metadata = metadata

    def save(self, data: TileExport) -> None:
        """Write the export beside the old one, then put it in its place. Memory does not grow with the tiles."""
        tiles = data.tiles
        with (
            replaced_folder(self._folder) as folder,
            ThreadPoolExecutor() as pool,
            tqdm(total=len(tiles), desc="exporting", unit="tile", disable=None) as bar,
        ):
            for split, rows in _rows_by_split(tiles.index):
                batches = _batches(tiles, rows, self._with_regions, pool.map, bar.update)
                _WRITERS[self._format](folder / "data", split, len(rows), batches, self._tiles_per_file)
            (folder / CARD_NAME).write_text(data.card, encoding="utf-8")

    def load(self) -> Path:
        """Return the folder."""
        if not self._exists():
            raise RovervisionError(f"there is no export in {self._folder}: run the curation pipeline first")
        return self._folder

    def _exists(self) -> bool:
        restore(self._folder)
        return (self._folder / CARD_NAME).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder), "format": self._format}


def _rows_by_split(index: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every split that has tiles, under the name that others use, with its rows; train first."""
    splits = index["split"].astype(str).to_numpy()
    for split in sorted(set(splits), key=lambda name: ("train", "val", "test", name).index(name)):
        yield SPLIT_NAMES.get(split, split), np.flatnonzero(splits == split)


def _batches(
    tiles: TileStore,
    rows: np.ndarray,
    with_regions: bool,
    run: Callable[..., Iterator[bytes]],
    tell: Callable[[int], object],
) -> Iterator[Batch]:
    """Yield the tiles at these rows, `BATCH_TILES` at a time, as PNG."""
    index = pa.Table.from_pandas(tiles.index, preserve_index=False)  # as a whole: types do not differ by batch
    for top in range(0, len(rows), BATCH_TILES):
        chosen = rows[top : top + BATCH_TILES]
        images = list(run(encode_png, tiles.pixels[chosen]))
        regions = list(run(encode_png, tiles.regions[chosen])) if with_regions else None
        yield Batch(index.take(chosen), images, regions)
        for array in (tiles.pixels, tiles.regions):
            if isinstance(array, MappedArray):
                array.release()
        tell(len(chosen))
