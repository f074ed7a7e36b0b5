"""Codes of tiles: which row belongs to which tile."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rovervision.errors import RovervisionError


@dataclass(frozen=True)
class TileCodes:
    """N codes. The array may be a memory map; row i is the code of the tile tile_ids[i]."""

    codes: NDArray[np.float32]
    """(N, D) float32."""
    tile_ids: tuple[str, ...]
    """N ids, in the order of the tiles that were encoded."""

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.dtype != np.float32:
            raise RovervisionError(f"codes must be (N, D) float32, not {self.codes.shape} {self.codes.dtype}")
        if len(self.codes) != len(self.tile_ids):
            raise RovervisionError(f"there are {len(self.codes)} codes for {len(self.tile_ids)} tiles")

    def __len__(self) -> int:
        """Return the number of tiles."""
        return len(self.tile_ids)

    def check_tiles(self, tile_ids: Any) -> None:
        """Raise RovervisionError unless these are the tiles, in this order, that the codes are of."""
        if tuple(map(str, tile_ids)) != self.tile_ids:
            raise RovervisionError(
                "The codes were made of other tiles than there are now: curation has run since. "
                "Make them anew: kedro run --pipelines clustering"
            )
