"""Which tiles show much the same without showing the same: the other eye, the next frame, the other part of a frame."""

from pydantic import BaseModel, ConfigDict, Field


class PairingConfig(BaseModel):
    """Which companions of a tile count as its like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame: bool = True
    """Other tiles of the same frame."""
    stereo: bool = True
    """The other eye at the same instant."""
    time: bool = True
    """Frames of the same camera and sequence shortly before and after."""
    stereo_s: float = Field(default=5.0, gt=0)
    """Longest time between the exposures of two eyes."""
    time_s: float = Field(default=300.0, gt=0)
    """Longest time to a neighbour."""
    neighbours: int = Field(default=4, ge=1)
    """A neighbour is at most so many frames of the sequence away."""
    share: float = Field(default=0.7, ge=0, le=1)
    """So often the second view is of a companion, where there is one; else of the tile itself."""
