"""Small pictures of frames for the figures."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from rovervision.imaging.quality import THUMBNAIL_PX
from rovervision.imaging.tiles import ExaminedShard


def pictures_of(
    frames_examined: Mapping[str, ExaminedShard], frames: pd.DataFrame, frame_ids: Collection[str]
) -> dict[str, np.ndarray]:
    """Return frame_id -> (px, px, 3) uint8: the frame's first candidate tile, else its gray thumbnail.

    Frames that could not be decoded have neither and are missing. Shards are read one by one until all are found.
    """
    thumbnails = frames[frames["frame_id"].isin(frame_ids)].set_index("frame_id")["thumbnail"].dropna()
    sought, found = set(thumbnails.index), dict[str, np.ndarray]()
    for name in frames_examined:
        if not sought:
            break
        shard = frames_examined[name]
        owners = shard.candidates["frame_id"].astype(str)
        rows = np.flatnonzero(owners.isin(sought) & ~owners.duplicated())
        found |= {owners.iloc[row]: np.array(shard.pixels[row]) for row in rows}
        sought -= {owners.iloc[row] for row in rows}
    return found | {frame_id: unpacked(thumbnails[frame_id]) for frame_id in sought}


def unpacked(thumbnail: bytes) -> np.ndarray:
    """Return a stored gray thumbnail as (px, px, 3) uint8."""
    gray = np.frombuffer(thumbnail, np.uint8).reshape(THUMBNAIL_PX, THUMBNAIL_PX)
    return np.repeat(gray[..., None], 3, axis=2)
