"""What curation may be told."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator

from rovervision.imaging.balance import BalanceConfig
from rovervision.imaging.cutting import CuttingConfig
from rovervision.imaging.duplicates import DuplicatesConfig
from rovervision.imaging.quality import Rule
from rovervision.imaging.relations import RelationsConfig
from rovervision.imaging.shard_plan import WorkersConfig
from rovervision.imaging.splits import SplitsConfig
from rovervision.pipelines.curation.recipes import (
    BASE,
    FrameChoice,
    Judgement,
    Recipe,
    faults,
    nearest,
    recipe_by_query,
    resolve,
)


class ExportConfig(BaseModel):
    """A copy of the tiles for others, which takes as much room as the tiles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = False
    title: str = "Tiles of Mars rover images"
    """Heading of the dataset card."""


class CurationConfig(BaseModel):
    """The section `curation` of the parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tile_px: int = Field(default=64, ge=16, multiple_of=4)
    """Side of a tile in pixels."""
    cutting: CuttingConfig = CuttingConfig()
    frames_per_shard: int = Field(default=64, ge=1)
    """Frames that are examined and written together; bounds the memory."""
    workers: WorkersConfig = WorkersConfig()
    mosaic_score_min: float = Field(default=0.3, gt=0.0, le=1.0)
    """Gray images at or above this `mosaic_score` are Bayer mosaics and are debayered. Real mosaics score above 0.8,
    ordinary gray images below 0.001."""
    rejected_sample_types: tuple[str, ...] = ("thumbnail",)
    """Frames that the archive itself calls so are not kept."""
    rules: dict[str, Rule | None] = Field(default_factory=dict)
    """Reason -> check. An environment adds or replaces a check by its reason, and takes one away with null."""
    recipe: str | None = None
    """The recipe for all frames; where it is None, each frame has the one that names its query, or the rules above."""
    recipes: dict[str, Recipe] = Field(default_factory=dict)
    """Name -> recipe."""
    duplicates: DuplicatesConfig = DuplicatesConfig()
    relations: RelationsConfig = RelationsConfig()
    splits: SplitsConfig = SplitsConfig()
    balance: BalanceConfig = BalanceConfig()
    export: ExportConfig = ExportConfig()

    @model_validator(mode="after")
    def _recipes_are_whole(self) -> Self:
        if found := faults(self.recipes):
            raise ValueError("; ".join(found))
        if self.recipe is not None and self.recipe not in (BASE, *self.recipes):
            raise ValueError(f"there is no recipe {self.recipe}; {nearest(self.recipe, self.recipes)}")
        return self

    @field_serializer("recipes", when_used="json")
    def _recipes_as_text(self, recipes: dict[str, Recipe]) -> dict[str, str]:
        """One text for each: MLflow would else be told hundreds of single values."""
        return {name: recipe.model_dump_json(exclude_unset=True) for name, recipe in recipes.items()}

    def judgements(self) -> dict[str, Judgement]:
        """Return query -> the recipe for its frames; that of all other queries under an empty name."""
        base = Judgement(BASE, FrameChoice(), self.rules, self.rejected_sample_types)
        if self.recipe is not None:
            return {"": resolve(self.recipe, self.recipes, base)}
        named = {query: resolve(name, self.recipes, base) for query, name in recipe_by_query(self.recipes).items()}
        return {"": base, **named}

    def for_examination(self) -> "CurationConfig":
        """Return only what decides what an examination finds: a change of rules examines no frame anew."""
        return CurationConfig(tile_px=self.tile_px, cutting=self.cutting, mosaic_score_min=self.mosaic_score_min)
