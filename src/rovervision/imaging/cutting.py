"""Which squares of a picture become its tiles: a few that cover it, its middle, a grid, or random ones."""

import hashlib
import itertools
import math
from typing import Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from rovervision.imaging.framing import Box, square_boxes

ASPECT_MAX: Final = 8.0
"""A picture whose long side is more than this many short sides is a strip and gives no tile."""

UNCOVERED_FRAC: Final = 0.15
"""Share of a box, along each axis, up to which the grid leaves a rest uncovered instead of adding a box for it."""


class CuttingConfig(BaseModel):
    """How tiles are cut from the picture inside its borders. Every box becomes one tile of `tile_px`.

    Sides are pixels of the picture resized by `scale`, so that one setting says both the box and how coarse it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    how: Literal["squares", "whole", "grid", "random"] = "squares"
    """squares: the fewest squares of the short side that cover the picture. whole: the picture resized, as the largest
    square in its middle. grid: boxes of `box_px`, evenly spread. random: `per_frame` boxes of random place and side."""
    scale: float = Field(default=1.0, gt=0, le=16)
    """grid, random: 0.5 cuts as from the picture at half its size, so boxes are twice as large in the picture."""
    box_px: int = Field(default=256, ge=16)
    """grid: side of a box."""
    overlap_frac: float = Field(default=0.0, ge=0, le=0.75)
    """grid: least share of a box's side that it has in common with its neighbour."""
    per_frame: int = Field(default=4, ge=1, le=4096)
    """random: boxes in each picture."""
    min_side_px: int = Field(default=128, ge=16)
    """random: least side of a box."""
    max_side_px: int | None = Field(default=None, ge=16)
    """random: greatest side of a box; null for the short side of the picture, which also bounds it."""
    seed: int = Field(default=0, ge=0)
    """random: with the frame's id all that decides the boxes."""

    @model_validator(mode="after")
    def _sides_in_order(self) -> Self:
        if self.max_side_px is not None and self.max_side_px < self.min_side_px:
            raise ValueError(f"max_side_px {self.max_side_px} is less than min_side_px {self.min_side_px}")
        return self


def boxes_for(height_px: int, width_px: int, config: CuttingConfig, key: str) -> list[Box]:
    """Return the boxes of a picture of this size, in its own pixels, each inside it.

    Args:
        height_px, width_px: size of the picture inside its borders.
        config: how to cut.
        key: the frame's id, so that random boxes are the same in every run and on every machine.

    Returns:
        No box for a strip (`ASPECT_MAX`) or an empty picture; none of a grid or of random boxes where the picture is
        smaller than the (least) box, since nothing is cut that would reach outside.
    """
    short, long = sorted((height_px, width_px))
    if short <= 0 or long > ASPECT_MAX * short:
        return []
    if config.how == "whole":
        return [Box((width_px - short) // 2, (height_px - short) // 2, short)]
    if config.how == "grid":
        return _grid_boxes(height_px, width_px, config)
    if config.how == "random":
        return _random_boxes(height_px, width_px, config, key)
    return square_boxes(height_px, width_px, ASPECT_MAX)


def _grid_boxes(height_px: int, width_px: int, config: CuttingConfig) -> list[Box]:
    """Return the rows of a grid, top to bottom and left to right."""
    side = max(1, round(config.box_px / config.scale))
    if side > min(height_px, width_px):
        return []
    places = itertools.product(_starts(height_px, side, config), _starts(width_px, side, config))
    return [Box(left, top, side) for top, left in places]


def _starts(length_px: int, side: int, config: CuttingConfig) -> list[int]:
    """Return where boxes begin along one axis: the fewest that cover it, spread evenly, overlapping as asked.

    With no overlap these are the places of `square_boxes`.
    """
    step = side * (1 - config.overlap_frac)
    count = max(1, math.ceil((length_px - side * config.overlap_frac) / step - UNCOVERED_FRAC))
    covered = min(length_px, side + (count - 1) * step)
    margin, slack = (length_px - covered) / 2, covered - side
    return [math.floor(margin + slack * k / max(count - 1, 1) + 0.5) for k in range(count)]


def _random_boxes(height_px: int, width_px: int, config: CuttingConfig, key: str) -> list[Box]:
    """Return boxes of uniform side and place. The first ones stay when `per_frame` grows.

    Numbers come from SHAKE-256 of seed and key, which no release of any library changes.
    """
    short = min(height_px, width_px)
    least = max(1, round(config.min_side_px / config.scale))
    most = short if config.max_side_px is None else min(short, round(config.max_side_px / config.scale))
    if least > most:
        return []
    drawn = hashlib.shake_256(f"{config.seed}:{key}".encode()).digest(12 * config.per_frame)
    units = np.frombuffer(drawn, "<u4").reshape(-1, 3) / 2**32  # in [0, 1)
    sides = least + np.floor(units[:, 0] * (most - least + 1)).astype(int)
    lefts = np.floor(units[:, 1] * (width_px - sides + 1)).astype(int)
    tops = np.floor(units[:, 2] * (height_px - sides + 1)).astype(int)
    return [Box(*map(int, box)) for box in zip(lefts, tops, sides, strict=True)]
