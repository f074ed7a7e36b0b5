"""What a synthetic archive is made of."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

RENDERER_VERSION: Final = 2
"""Counted up whenever the same config gives other bytes than before: images that are kept are then rendered anew."""


class SyntheticConfig(BaseModel):
    """Size, seed and flaws of a synthetic archive. Two equal configs describe the same archive, byte for byte."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames_count: int = Field(default=360, ge=1)
    """Images in the archive."""
    sols_count: int = Field(default=24, ge=1)
    """Martian days on which each rover worked."""
    image_px: int = Field(default=256, ge=64, le=2048)
    """Longest side of a full frame in pixels."""
    seed: int = Field(default=0, ge=0)
    """Everything follows from it."""
    defect_frac: float = Field(default=0.125, ge=0.0, le=1.0)
    """Share of the frames that carry a defect."""
