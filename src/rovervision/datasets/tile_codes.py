"""Codes of tiles at rest: plain NumPy and Parquet files in a folder, mapped into memory when loaded."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.io import AbstractDataset

from rovervision.datasets.mapped_array import map_array
from rovervision.datasets.replaced_folder import is_whole, replaced_folder, restore
from rovervision.errors import RovervisionError
from rovervision.learning.codes import TileCodes

CODE_FILES = ("codes.npy", "tile_ids.parquet")


class TileCodesDataset(AbstractDataset[TileCodes, TileCodes]):
    """A folder of codes.npy, mapped and not read, and tile_ids.parquet. Nothing in it is a pickle.

    Args:
        filepath: the folder.
        metadata: for other tools; ignored here.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder, self.metadata = Path(filepath), metadata

    def load(self) -> TileCodes:
        """Return the codes as a read-only memory map, and the ids of their tiles."""
        if not self._exists():
            raise RovervisionError(f"There are no codes in {self._folder}. Make them: kedro run --pipelines clustering")
        tile_ids = pd.read_parquet(self._folder / "tile_ids.parquet")["tile_id"]
        return TileCodes(map_array(self._folder / "codes.npy"), tuple(tile_ids.astype(str)))

    def save(self, data: TileCodes) -> None:
        """Write the codes beside the old ones, then put them in their place."""
        with replaced_folder(self._folder) as folder:
            np.save(folder / "codes.npy", data.codes, allow_pickle=False)
            pd.DataFrame({"tile_id": list(data.tile_ids)}).to_parquet(folder / "tile_ids.parquet", index=False)

    def _exists(self) -> bool:
        restore(self._folder)
        return is_whole(self._folder, CODE_FILES)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}
