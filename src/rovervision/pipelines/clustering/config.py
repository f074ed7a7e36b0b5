"""The parameters of clustering: what stands in `parameters_clustering.yml`, checked before any node runs."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rovervision.imaging.shard_plan import WorkersConfig
from rovervision.learning.cluster_scores import ClusterScoresConfig
from rovervision.learning.clusters import ClusterersConfig
from rovervision.learning.encoders import EncoderConfig
from rovervision.learning.reduction import ReductionConfig
from rovervision.learning.training import TrainingConfig
from rovervision.learning.views import ViewConfig


class ScoringConfig(BaseModel):
    """What clusters are compared with, and where the probe is scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: Literal["auto", "label", "region", "none"] = "auto"
    """label: the archive's classes. region: what a tile shows by the archive's masks, as curation calls it. auto: the
    classes where there are some, else the regions, else none."""
    split: Literal["val", "test"] = "test"
    """The linear probe learns on the train split and is scored on this one, for which all else is told apart too."""
    at_clusters: tuple[Annotated[int, Field(ge=2)], ...] = ()
    """Also compare k-means with so many clusters with the labels: numbers that others publish."""
    measures: ClusterScoresConfig = ClusterScoresConfig()


class FiguresConfig(BaseModel):
    """How much the figures show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nearest: int = Field(default=8, ge=1, le=64)
    """On the page of all clusters, so many members nearest to each centre."""
    farthest: int = Field(default=4, ge=0, le=64)
    """And so many of the farthest."""
    sheet_tiles: int = Field(default=48, ge=8, le=400)
    """On each cluster's own page, so many of the nearest, and half as many of the farthest."""
    map_thumbnail_px: int = Field(default=44, ge=8, le=128)
    """Side of the pictures on the map."""
    page_thumbnail_px: int = Field(default=64, ge=16, le=128)
    """Side of the pictures of the interactive map as stored."""
    page_tiles: int = Field(default=10_000, ge=1)
    """The interactive map holds at most so many tiles, evenly taken: with pictures of 64 px about 1 MB per thousand."""
    outliers: int = Field(default=40, ge=0, le=1000)
    """Tiles on the list of those that are like no other."""
    reconstructed: int = Field(default=8, ge=1, le=24)
    """Tiles that an autoencoder's figure shows as it gives them back."""
    interpolation_steps: int = Field(default=7, ge=3, le=15)
    """Codes on the way from one of these to another, its ends included."""


class SimilarConfig(BaseModel):
    """How many frames are found for an image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(default=10, ge=1, le=1000)
    """Frames found for each image that is asked about; each by its nearest tile."""
    examples: int = Field(default=6, ge=1, le=100)
    """Where no image is named: the middle tiles of so many of the largest clusters are asked about."""


class ApplyConfig(BaseModel):
    """How a folder of images is assigned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_size: int = Field(default=64, ge=1)
    """Images that a worker has in memory at once."""
    workers: WorkersConfig = WorkersConfig()
    """Who assigns them."""


class ClusteringConfig(BaseModel):
    """Everything that `kedro run --pipelines clustering` can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: EncoderConfig = EncoderConfig()
    training: TrainingConfig = TrainingConfig()
    augmentation: ViewConfig = ViewConfig()
    clusterer: ClusterersConfig = ClusterersConfig()
    reduction: ReductionConfig = ReductionConfig()
    scoring: ScoringConfig = ScoringConfig()
    figures: FiguresConfig = FiguresConfig()
    similar: SimilarConfig = SimilarConfig()
    apply: ApplyConfig = ApplyConfig()
    resume: bool = True
    """Go on from the last checkpoint where it was made with the same parameters and tiles."""
