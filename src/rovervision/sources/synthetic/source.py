"""A Mars archive made of numbers: the demo, the test bench, and the one archive whose truth is known."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rovervision.errors import RovervisionError
from rovervision.sources.frame import Frame, Query
from rovervision.sources.selection import answers
from rovervision.sources.synthetic.config import SyntheticConfig
from rovervision.sources.synthetic.defects import UNREADABLE, truncate
from rovervision.sources.synthetic.develop import to_file
from rovervision.sources.synthetic.listing import frame_of, url_of
from rovervision.sources.synthetic.photograph import chance, photograph, regions_png, truth_of
from rovervision.sources.synthetic.plan import Shot, plan_archive


class SyntheticSource:
    """Seeded Mars-like scenes as several rovers would have sent them. Every answer is a pure function of the config."""

    def __init__(self, config: SyntheticConfig | None = None) -> None:
        self.config = config or SyntheticConfig()

    def search(self, query: Query) -> Iterator[Frame]:
        """Yield the frames that answer the query, ordered by rover and clock. Renders nothing."""
        found = 0
        for shot in plan_archive(self.config):
            if query.limit is not None and found >= query.limit:
                return
            frame = frame_of(shot, query.name)
            if answers(frame, query):
                found += 1
                yield frame

    def fetch(self, frame: Frame) -> bytes:
        """Render the frame and return its file: PNG or JPEG, possibly spoilt as its record says."""
        shot = self._shot(frame)
        if shot.defect == "empty":
            return b""
        data = to_file(photograph(shot), shot.camera)
        if shot.defect == "truncated":
            return truncate(data, chance(shot, "truncate"))
        # The scene is at hand now; a mask asked for later would have to render it anew.
        regions_png(shot)
        return data

    def fetch_mask(self, frame: Frame) -> bytes:
        """Return the region numbers (see `sources.regions`) as uint8 PNG of the image's size; 0 where data are missing.

        Raises RovervisionError for a frame without a mask: its image cannot be decoded.
        """
        shot = self._shot(frame)
        if shot.defect in UNREADABLE:
            raise RovervisionError(
                f"{frame.frame_id} has no region mask, because its file is {shot.defect}; "
                "ask only where has_mask is True."
            )
        return regions_png(shot)

    def render_truth(self, frame: Frame) -> NDArray[np.uint8]:
        """Return the true colour, free of noise, JPEG and defects, as (height, width, 3) uint8 sRGB.

        Gray and mosaic frames have one too: what a colour camera in their place would see.
        """
        return truth_of(self._shot(frame))

    def _shot(self, frame: Frame) -> Shot:
        shot = _by_stem(self.config).get(frame.frame_id)
        if shot is None or frame.url != url_of(shot):
            raise RovervisionError(
                f"{frame.frame_id} ({frame.url}) is not in the synthetic archive of seed {self.config.seed} with "
                f"{self.config.frames_count} frames; list the frames again with the present parameters."
            )
        return shot


@lru_cache(maxsize=8)
def _by_stem(config: SyntheticConfig) -> dict[str, Shot]:
    return {shot.stem: shot for shot in plan_archive(config)}
