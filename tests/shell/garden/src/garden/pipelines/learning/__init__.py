import logging
import time

from kedro.pipeline import Node, Pipeline
from pydantic import BaseModel, ConfigDict, Field

from rovervision.errors import RovervisionError


class TrainingConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    n_epochs: int = Field(ge=0)
    rate: float = 0.1
    pause_s: float = 0.0


class LearningConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    training: TrainingConfig
    fail: str = ""
    names: tuple[str, ...] = ()


def train(plants: dict, config: LearningConfig):
    logging.getLogger("rovervision.learning").info("learning from %d plants", plants["n_plants"])
    yield {"epoch": 0}, {}
    for epoch in range(1, config.training.n_epochs + 1):
        time.sleep(config.training.pause_s)
        yield {"epoch": epoch}, {"loss": {"value": 1.0 / epoch, "step": epoch}}
    if config.fail == "known":
        raise RovervisionError("The plants are dry. Water them.")
    if config.fail == "defect":
        raise TypeError("a defect")


def draw(history) -> dict:
    return {"n_points": len(history)}


def use(state: dict, given: str) -> dict:
    return {"given": given, **state}


def create_pipeline(**_):
    return Pipeline(
        [
            Node(train, ["plants", "params:learning"], ["brain", "learning_metrics"], name="train"),
            Node(draw, "learning_metrics", "drawing", name="draw"),
            Node(use, ["brain", "leaf"], "answer", name="use", tags="apply"),
        ]
    )
