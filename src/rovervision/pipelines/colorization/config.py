"""The parameters of colorization: what stands in `parameters_colorization.yml`, checked before any node runs."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rovervision.imaging.triplets import TripletConfig
from rovervision.imaging.video import FilmConfig
from rovervision.learning.batches import AugmentationConfig
from rovervision.learning.colorizers import ModelConfig
from rovervision.learning.colorizing import ApplyConfig
from rovervision.learning.training import TrainingConfig


class SamplingConfig(BaseModel):
    """Which training tiles are seen how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Literal["alike", "distinct", "balanced"] = "distinct"
    """What a tile counts before strata are balanced: 1, curation's `weight` (each distinct view once), or curation's
    `sampling_weight` (that, with rare regions raised)."""
    balance: tuple[Literal["rover", "camera", "label", "sol", "cluster"], ...] = ("camera", "label")
    """Columns of the tile index, or the cluster that clustering has found for a tile: tiles that agree in all of them
    share a stratum."""
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


class FiguresConfig(BaseModel):
    """How much the figures show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    panels: int = Field(default=3, ge=1, le=12)
    """Frames of each region in the panels, from the best to the worst."""
    extremes: int = Field(default=20, ge=1, le=60)
    """Frames among the worst, and among the best."""
    sampled_tiles: int = Field(default=600, ge=1)
    """Pixels are drawn from at most so many tiles of the scored split, evenly taken."""
    sampled_pixels: int = Field(default=150_000, ge=1000, le=10_000_000)
    """At most about so many pixels are drawn."""


class OriginalRecipe(BaseModel):
    """How the Curiosity and Perseverance original trains: Adam at one rate, random crops, half of them mirrored, and
    nothing else. Its loss belongs to the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=5e-5, gt=0)
    crop_px: int = Field(default=64, ge=16, multiple_of=8)

    def training(self, shared: TrainingConfig) -> TrainingConfig:
        """Return how it trains; precision and the length of an epoch are those of the shared section."""
        return TrainingConfig(
            epochs=self.epochs, batch_size=self.batch_size, learning_rate=self.learning_rate,
            weight_decay=0.0, warmup_frac=0.0, gradient_clip=1e9, ema_decay=0.0, schedule="constant",
            keep=shared.keep, precision=shared.precision, epoch_tiles=shared.epoch_tiles,
        )  # fmt: skip

    def augmentation(self) -> AugmentationConfig:
        """Return how it changes tiles."""
        return AugmentationConfig(
            crop_px=self.crop_px, flip=True, zoom_max=1.0, gamma_max=1.0, gain_max=1.0, noise=0.0, patch_frac=0.0,
            camera_hidden_frac=0.0,
        )  # fmt: skip


class ColorizationConfig(BaseModel):
    """Everything that `kedro run --pipelines colorization` can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelConfig = ModelConfig()
    recipe: Literal["own", "original"] = "own"
    """own: training, augmentation and sampling as below. original: as the section `original` says, in their place."""
    original: OriginalRecipe = OriginalRecipe()
    training: TrainingConfig = TrainingConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    sampling: SamplingConfig = SamplingConfig()
    scoring: ScoringConfig = ScoringConfig()
    apply: ApplyConfig = ApplyConfig()
    film: FilmConfig = FilmConfig()
    truth: TripletConfig = TripletConfig()
    resume: bool = True
    """Go on from the last checkpoint where it was made with the same parameters and tiles."""
    figures: FiguresConfig = FiguresConfig()

    def followed(self) -> "ColorizationConfig":
        """Return the configuration with the recipe in the place of the sections that it replaces."""
        if self.recipe == "own":
            return self
        sampling = self.sampling.model_copy(update={"weights": "alike", "balance": ()})
        training, augmentation = self.original.training(self.training), self.original.augmentation()
        return self.model_copy(update={"training": training, "augmentation": augmentation, "sampling": sampling})
