"""Views of a tile that ought to have the same code: what a rover's camera, light and aim change of one scene."""

from pydantic import BaseModel, ConfigDict, Field


class ViewConfig(BaseModel):
    """How far a view may differ from the tile. 0, or 1 for ratios, leaves that change out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    area_min: float = Field(default=0.3, gt=0, le=1)
    """Smallest share of the tile's area that a view shows."""
    flip: bool = True
    tint_max: float = Field(default=1.25, ge=1, le=3)
    """White balance: red and blue are scaled by random factors in 1/tint_max..tint_max."""
    gain_max: float = Field(default=1.3, ge=1, le=3)
    gamma_max: float = Field(default=1.4, ge=1, le=3)
    contrast_max: float = Field(default=1.4, ge=1, le=3)
    gray_frac: float = Field(default=0.2, ge=0, le=1)
    """Share of the views that are gray."""
    blur_max_px: float = Field(default=1.0, ge=0, le=8)
    """Highest standard deviation of a Gaussian blur, at the network's input."""
    noise: float = Field(default=0.02, ge=0, le=0.5)
    """Highest standard deviation of noise, of the range 0..1."""
