"""Codes of images without training: small pixels, and gradients with colours."""

from pydantic import BaseModel, ConfigDict, Field


class PixelsConfig(BaseModel):
    """The image itself, made small."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side_px: int = Field(default=32, ge=4, le=128)


class HandcraftedConfig(BaseModel):
    """Directions of gradients by place (Dalal and Triggs, CVPR 2005), and how often each colour occurs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side_px: int = Field(default=64, ge=16, le=256, multiple_of=8)
    """The image is brought to this side first, so that codes do not depend on the size of tiles."""
    cells: int = Field(default=4, ge=1, le=16)
    """So many cells on each side."""
    directions: int = Field(default=8, ge=2, le=36)
    """Bins of the gradient's direction over half a turn, in each cell."""
    color_bins: int = Field(default=8, ge=2, le=64)
    """Bins of red, of green and of blue."""
