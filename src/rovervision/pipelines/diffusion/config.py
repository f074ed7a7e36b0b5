"""The parameters of diffusion: what stands in `parameters_diffusion.yml`, checked before any node runs."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rovervision.learning.denoiser_batches import ChangesConfig
from rovervision.learning.exported_denoiser import DenoiserConfig
from rovervision.learning.judge import JudgeConfig
from rovervision.learning.samplers import SamplerConfig
from rovervision.learning.training import TrainingConfig


class ConditionConfig(BaseModel):
    """What the denoiser is told of a tile, and so can be asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    camera: bool = True
    """The camera, as `rover/camera`."""
    classes: Literal["none", "label", "region", "cluster"] = "region"
    """label: the archive's class. region: what most of the tile shows. cluster: of the pipeline clustering, which has
    to run first."""
    rare_tiles: int = Field(default=4, ge=1)
    """Cameras and classes with fewer training tiles have no name of their own: they are any."""


class OriginalRecipe(BaseModel):
    """How the Curiosity and Perseverance original trains its diffusion model: Adam at one rate, no moving average, the
    last weights kept. Its network was 32 times as large."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_size: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=5e-4, gt=0)

    def training(self, shared: TrainingConfig) -> TrainingConfig:
        """Return how it trains; its length and precision are those of the shared section."""
        return TrainingConfig(
            epochs=shared.epochs, epoch_tiles=shared.epoch_tiles, precision=shared.precision,
            batch_size=self.batch_size, learning_rate=self.learning_rate, weight_decay=0.0, warmup_frac=0.0,
            gradient_clip=1e9, ema_decay=0.0, schedule="constant", keep="last",
        )  # fmt: skip


class GenerationConfig(BaseModel):
    """The set of generated tiles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(default=64, ge=1)
    """How many tiles."""
    batch_size: int = Field(default=16, ge=1)
    """Tiles that are made at once: memory and speed, and nothing else, depend on it."""


class ScoringConfig(BaseModel):
    """What generated tiles are compared with, and in which features."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: Literal["held_out", "val", "test"] = "held_out"
    """Real tiles to come near to: the held-out groups of the train split, or another split."""
    also: Literal["held_out", "val", "test"] | None = None
    """A second reference, reported beside the first."""
    judge: JudgeConfig = JudgeConfig()
    neighbours: int = Field(default=5, ge=1, le=50)
    """Size of the neighbourhoods of precision, recall, density and coverage."""
    memory_quantile: float = Field(default=0.01, gt=0, lt=1)
    """A tile is as near to a training tile as only this share of the held-out ones: it counts as memorised."""


class ApplyConfig(BaseModel):
    """Images that are asked for: `--tags apply --params apply.count=20,apply.class=wheel,apply.output=DIR`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(ge=1)
    """How many images."""
    class_name: str | None = None
    """What they show; null: as often as in training."""
    camera: str | None = None
    """As which camera, `rover/camera`, would have taken it; null: as often as in training."""


class FiguresConfig(BaseModel):
    """How much the figures show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side_tiles: int = Field(default=8, ge=2, le=24)
    """Tiles on a side of the grids."""
    paths: int = Field(default=4, ge=1, le=12)
    """Tiles whose way from noise to image is drawn."""
    neighbours: int = Field(default=10, ge=2, le=24)
    """Closest pairs of a generated and a training tile."""
    levels: int = Field(default=10, ge=3, le=50)
    """Noise levels at which the loss is measured."""
    loss_tiles: int = Field(default=64, ge=1)
    """On so many training tiles, and so many held-out ones."""


class DiffusionConfig(BaseModel):
    """Everything that `kedro run --pipelines diffusion` can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    denoiser: DenoiserConfig = DenoiserConfig()
    condition: ConditionConfig = ConditionConfig()
    training: TrainingConfig = TrainingConfig()
    original: OriginalRecipe = OriginalRecipe()
    changes: ChangesConfig = ChangesConfig()
    monitor_frac: float = Field(default=0.1, ge=0.0, lt=0.5)
    """Share of the training groups that is held out: watched to keep the best epoch, and compared with."""
    sampler: SamplerConfig = SamplerConfig()
    generation: GenerationConfig = GenerationConfig()
    scoring: ScoringConfig = ScoringConfig()
    figures: FiguresConfig = FiguresConfig()
    apply: ApplyConfig = ApplyConfig(count=8)
    resume: bool = True
    """Go on from the last checkpoint where it was made with the same parameters and tiles."""

    @model_validator(mode="after")
    def _sampler_fits(self) -> "DiffusionConfig":
        if self.denoiser.schedule == "edm" and self.sampler.kind in ("ddim", "ddpm"):
            raise ValueError(
                f"the sampler {self.sampler.kind} does not fit the schedule edm: heun, dpmsolver++ or euler"
            )
        if self.denoiser.schedule == "ddpm_1000" and self.sampler.kind not in ("ddim", "ddpm"):
            raise ValueError(f"the sampler {self.sampler.kind} does not fit the schedule ddpm_1000: ddim or ddpm")
        return self

    def followed(self) -> "DiffusionConfig":
        """Return the configuration with the original's training where its schedule is asked for."""
        if self.denoiser.schedule == "edm":
            return self
        return self.model_copy(update={"training": self.original.training(self.training)})
