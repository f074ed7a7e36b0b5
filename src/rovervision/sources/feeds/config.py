"""How the listings of live feeds are kept."""

from pydantic import BaseModel, ConfigDict, Field


class ListingConfig(BaseModel):
    """What is asked anew, what is kept for good, and how fast pages follow one another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cache_folder: str = "data/01_raw/listings"
    """Where the records of old sols are kept. Relative to the working directory."""
    relist_sols: int = Field(default=10, ge=0)
    """The newest sols, still filling up, that every listing asks for anew."""
    page_spacing_s: float = Field(default=0.75, ge=0)
    """At least so long between two requests to the slow feed of Perseverance."""
