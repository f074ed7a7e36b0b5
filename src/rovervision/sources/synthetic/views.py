"""A view: where the rays of an image go."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rovervision.sources.synthetic.textures import Array


@dataclass(frozen=True, slots=True)
class View:
    """Upright image plane, one metre ahead: x right, y ahead, z up. A shifted horizon stands for a tilt."""

    width_px: int
    height_px: int
    focal_px: float
    horizon_px: float
    """Row at which the rays run level; may lie outside the image."""
    origin: tuple[float, float, float]

    def rays(self) -> Array:
        """Return (height, width, 3) float32 directions, y = 1, so that a ray's parameter is depth in metres."""
        rays = np.ones((self.height_px, self.width_px, 3), np.float32)
        rays[..., 0] = (np.arange(self.width_px) + 0.5 - self.width_px / 2) / self.focal_px
        rays[..., 2] = ((self.horizon_px - np.arange(self.height_px) - 0.5) / self.focal_px)[:, None]
        return rays

    def project(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return (N, 2) columns and rows of (N, 3) points; depths under 5 cm count as 5 cm."""
        local = points - np.asarray(self.origin)
        depth = np.maximum(local[:, 1], 0.05)
        columns = self.width_px / 2 + self.focal_px * local[:, 0] / depth
        rows = self.horizon_px - self.focal_px * local[:, 2] / depth
        return np.stack([columns, rows], 1)

    def box(self, points: NDArray[np.floating], margin_px: float = 1.5) -> tuple[slice, slice] | None:
        """Return the (rows, columns) that hold all points, cut to the image; None when nothing is left."""
        spots = self.project(points)
        left, top = np.floor(spots.min(0) - margin_px)
        right, bottom = np.ceil(spots.max(0) + margin_px)
        columns = slice(int(max(left, 0)), int(min(right, self.width_px)))
        rows = slice(int(max(top, 0)), int(min(bottom, self.height_px)))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            return None
        return rows, columns
