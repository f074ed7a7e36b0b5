"""Tiles at rest: plain NumPy and Parquet files in a folder, mapped into memory when loaded."""

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset
from kedro_datasets._typing import ImagePreview

from rovervision.datasets.mapped_array import map_array
from rovervision.datasets.replaced_folder import is_whole, restore
from rovervision.datasets.resumed_folder import resumed_folder
from rovervision.datasets.tile_writing import write_tiles
from rovervision.errors import RovervisionError
from rovervision.imaging.tiles import TilePlan, TileStore, plan_of

TILE_FILES = ("pixels.npy", "regions.npy", "index.parquet")


class TileStoreDataset(AbstractDataset[TilePlan | TileStore, TileStore]):
    """A `TileStore` as a folder of pixels.npy, regions.npy and index.parquet; the arrays are mapped, not read.

    What is saved may be a plan: then one piece at a time is in memory, and a save that was stopped goes on.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> TileStore:
        """Return the tiles with read-only memory-mapped arrays, which go to worker processes as paths."""
        if not self._exists():
            raise RovervisionError(f"there are no tiles in {self._folder}: run the curation pipeline first")
        return TileStore(
            pixels=map_array(self._folder / "pixels.npy"),
            regions=map_array(self._folder / "regions.npy"),
            index=pd.read_parquet(self._folder / "index.parquet"),
        )

    def save(self, data: TilePlan | TileStore) -> None:
        """Write the tiles beside the old ones, then put them in their place."""
        with resumed_folder(self._folder) as folder:
            write_tiles(data if isinstance(data, TilePlan) else plan_of(data), folder)

    def fingerprint(self) -> str:
        """Return a hash of every pixel and index row, by which MLflow tells which tiles a run learnt from."""
        digest = hashlib.sha256()
        for name in TILE_FILES:
            with (self._folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:16]

    def preview(self, tiles: int = 48) -> ImagePreview:
        """Return some tiles, evenly spread, on one sheet, for Kedro-Viz."""
        from rovervision.datasets.previews import preview_pictures
        from rovervision.imaging.montage import spread

        stored = self.load()
        return preview_pictures([stored.pixels[row] for row in spread(len(stored), tiles)])

    def _exists(self) -> bool:
        restore(self._folder)
        return is_whole(self._folder, TILE_FILES)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}
