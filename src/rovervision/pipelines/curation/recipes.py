"""Recipes: for which frames a dataset is made, and by which rules they are judged, as data."""

from collections.abc import Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from rovervision.imaging.quality import Rule

BASE: Final = "base"
"""In `extends`: the rules of the section itself; as the name of a frame's recipe: that no recipe is meant for it."""
NOTHING: Final = "none"
"""In `extends`: no rules but the recipe's own."""

Rules = Mapping[str, Rule | None]

_COLUMNS: Final = {
    "rovers": "rover",
    "cameras": "camera",
    "product_types": "product_type",
    "color_types": "color_type",
    "sample_types": "sample_type",
    "filters": "filter",
}
"""Field of FrameChoice -> column of the frame table."""


class FrameChoice(BaseModel):
    """Which frames a recipe is for, as archive and file name describe them. What is left empty admits everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rovers: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    product_types: tuple[str, ...] = ()
    color_types: tuple[str, ...] = ()
    sample_types: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    name_pattern: str | None = None
    """A shell pattern for the file name, such as `NLF_*`; capitals count."""

    def refusal(self, frame: Mapping[Any, Any]) -> str | None:
        """Return None where the frame is meant, else a phrase that names every point in which it is not."""
        points = [
            f"{column} is {frame[column]}, not {' or '.join(wanted)}"
            for field, column in _COLUMNS.items()
            if (wanted := getattr(self, field)) and frame[column] not in wanted
        ]
        if self.name_pattern is not None and not fnmatchcase(str(frame["file_name"]), self.name_pattern):
            points.append(f"the name is not like {self.name_pattern}")
        return ", ".join(points) or None

    def __str__(self) -> str:
        told = [f"{field.replace('_', ' ')} {', '.join(getattr(self, field))}" for field in _COLUMNS]
        told = [text for text, field in zip(told, _COLUMNS, strict=True) if getattr(self, field)]
        return "; ".join(told + ([f"names like {self.name_pattern}"] if self.name_pattern else [])) or "all frames"


class Recipe(BaseModel):
    """How one dataset is made: of which frames, by which rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = ""
    frames: FrameChoice = FrameChoice()
    """Other frames are rejected as `not_in_recipe`."""
    extends: str = BASE
    """Whose rules and sample types are taken first: another recipe's, those of the section (`base`), or `none`."""
    rules: dict[str, Rule | None] = Field(default_factory=dict)
    """Reason -> rule, over those taken first; null takes one away."""
    rejected_sample_types: tuple[str, ...] | None = None
    """In place of those taken first; null keeps them."""
    queries: tuple[str, ...] = ()
    """Queries of ingestion whose frames are judged by this recipe where none is named for all."""


class Judgement(NamedTuple):
    """A recipe with all that it takes from others."""

    name: str
    frames: FrameChoice
    rules: Rules
    rejected_sample_types: tuple[str, ...]


def resolve(name: str, recipes: Mapping[str, Recipe], base: Judgement) -> Judgement:
    """Return a recipe with the rules that it extends. The recipes have to be without faults (see `faults`)."""
    if name == BASE:
        return base
    if name == NOTHING:
        return Judgement(NOTHING, FrameChoice(), {}, ())
    recipe = recipes[name]
    first = resolve(recipe.extends, recipes, base)
    types = first.rejected_sample_types if recipe.rejected_sample_types is None else recipe.rejected_sample_types
    return Judgement(name, recipe.frames, {**first.rules, **recipe.rules}, types)


def recipe_by_query(recipes: Mapping[str, Recipe]) -> dict[str, str]:
    """Return query -> name of its recipe."""
    return {query: name for name, recipe in recipes.items() for query in recipe.queries}


def faults(recipes: Mapping[str, Recipe]) -> list[str]:
    """Return what is wrong among recipes, in phrases: names that are taken or unknown, circles, queries named twice."""
    found = [f"no recipe may be called {name}" for name in (BASE, NOTHING) if name in recipes]
    owner: dict[str, str] = {}
    for name, recipe in recipes.items():
        for query in recipe.queries:
            if owner.setdefault(query, name) != name:
                found.append(f"the query {query} is named by two recipes, {owner[query]} and {name}")
        if recipe.extends not in (BASE, NOTHING, *recipes):
            found.append(f"{name} extends {recipe.extends}, which is no recipe; {nearest(recipe.extends, recipes)}")
        elif circle := _circle(name, recipes):
            found.append(f"recipes extend one another in a circle: {' -> '.join(circle)}")
    return found


def nearest(name: str, recipes: Mapping[str, Recipe]) -> str:
    """Return a phrase with the recipe's name that is nearest to a wrong one, or what there is."""
    near = get_close_matches(name, recipes, n=1, cutoff=0.6)
    return f"did you mean {near[0]}" if near else f"there are {', '.join(sorted(recipes)) or 'none'}"


def _circle(name: str, recipes: Mapping[str, Recipe]) -> list[str]:
    """Return the recipes from a name back to itself; nothing where its chain ends."""
    chain, here = [name], recipes[name].extends
    while here in recipes and here not in chain:
        chain.append(here)
        here = recipes[here].extends
    return [*chain, here] if here == name else []
