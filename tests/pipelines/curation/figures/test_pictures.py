"""Pictures of frames are their first tiles, and no more shards are read than needed."""

import numpy as np

from rovervision.pipelines.curation.figures.pictures import pictures_of, unpacked
from tests.pipelines.curation.figures.conftest import TILE_PX, CountedShards, frames_table


def test_the_picture_is_the_first_tile_else_the_thumbnail_else_none() -> None:
    frames = frames_table(10)
    frames.loc[9, "thumbnail"] = None
    shards = CountedShards(frames.iloc[:6])
    found = pictures_of(shards, frames, ["f1", "f8", "f9", "f100"])
    assert set(found) == {"f1", "f8"}
    np.testing.assert_array_equal(found["f1"], np.full((TILE_PX, TILE_PX, 3), (1, 0, 7), np.uint8))
    np.testing.assert_array_equal(found["f8"], unpacked(frames["thumbnail"][8]))
    assert (found["f8"] == 8).all()


def test_reading_stops_when_all_are_found() -> None:
    frames = frames_table(40)
    shards = CountedShards(frames)
    pictures_of(shards, frames, ["f1", "f5"])
    assert shards.reads == 2
    pictures_of(shards, frames, [])
    assert shards.reads == 2
