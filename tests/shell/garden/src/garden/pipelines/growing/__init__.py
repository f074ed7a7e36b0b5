from kedro.pipeline import Node, Pipeline
from pydantic import BaseModel, ConfigDict, Field


class GrowingConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    n_plants: int = Field(ge=1)
    water_ml: float = 1.0


def grow(config: GrowingConfig) -> dict:
    return {"n_plants": config.n_plants}


def create_pipeline(**_):
    return Pipeline([Node(grow, "params:growing", "plants", name="grow")])
