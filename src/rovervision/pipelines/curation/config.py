"""What curation may be told."""

from pydantic import BaseModel, ConfigDict, Field

from rovervision.imaging.duplicates import DuplicatesConfig
from rovervision.imaging.quality import Rule
from rovervision.imaging.splits import SplitsConfig


class CurationConfig(BaseModel):
    """The section `curation` of the parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tile_px: int = Field(default=64, ge=16, multiple_of=4)
    """Side of a tile in pixels."""
    frames_per_shard: int = Field(default=64, ge=1)
    """Frames that are examined and written together; bounds the memory."""
    mosaic_score_min: float = Field(default=0.3, gt=0.0, le=1.0)
    """Gray images at or above this `mosaic_score` are Bayer mosaics and are debayered. Real mosaics score above 0.8,
    ordinary gray images below 0.001."""
    rejected_sample_types: tuple[str, ...] = ("thumbnail",)
    """Frames that the archive itself calls so are not kept."""
    rules: dict[str, Rule | None] = Field(default_factory=dict)
    """Reason -> check. An environment adds or replaces a check by its reason, and takes one away with null."""
    duplicates: DuplicatesConfig = DuplicatesConfig()
    splits: SplitsConfig = SplitsConfig()
