"""The parameters of colorization: what stands in `parameters_colorization.yml`, checked before any node runs."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rovervision.imaging.video import FilmConfig
from rovervision.learning.batches import AugmentationConfig
from rovervision.learning.colorizers import ModelConfig
from rovervision.learning.colorizing import ApplyConfig
from rovervision.learning.training import TrainingConfig


class SamplingConfig(BaseModel):
    """Which training tiles are seen how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    balance: tuple[Literal["rover", "camera", "label", "sol"], ...] = ("camera", "label")
    """Columns of the tile index: tiles that agree in all of them share a stratum."""
    balance_power: float = Field(default=0.5, ge=0.0, le=1.0)
    """A tile's chance is its stratum's size to the power of minus this: 0 as they come, 1 every stratum alike."""
    monitor_frac: float = Field(default=0.1, ge=0.0, lt=0.5)
    """Share of the training groups that is not trained on but watched, to keep the best epoch."""


class ScoringConfig(BaseModel):
    """What is scored, and how uncertain the scores are said to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: Literal["val", "test"] = "test"
    tiles_max: int | None = Field(default=None, ge=1)
    """Score at most so many tiles, taken evenly; None scores all."""
    label_regions: dict[str, Literal["sky", "terrain", "hardware", "unknown"]] = Field(default_factory=dict)
    """Image label → region (sky, terrain, hardware) for archives without masks; `*` stands for all other labels."""
    bootstrap_draws: int = Field(default=1000, ge=10)


class ColorizationConfig(BaseModel):
    """Everything that `kedro run --pipelines colorization` can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    sampling: SamplingConfig = SamplingConfig()
    scoring: ScoringConfig = ScoringConfig()
    apply: ApplyConfig = ApplyConfig()
    film: FilmConfig = FilmConfig()
    resume: bool = True
    """Go on from the last checkpoint where it was made with the same parameters and tiles."""
    panels: int = Field(default=6, ge=1, le=24)
    """Rows of the before-and-after figure."""
