"""MLflow's model registry: every trained model is a version of a model with a name, described by its card."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode

logger = logging.getLogger(__name__)

MAX_DESCRIPTION_CHARS = 5000
"""What MLflow's database keeps of a description (the column's width in its schema)."""


def read_address(path: Path | None) -> dict[str, str]:
    """Return what `TrackedModelDataset` has left of a logged model: model_uri, run_id; nothing where it logged none."""
    if path is None or not path.exists():
        return {}
    return dict(json.loads(path.read_text(encoding="utf-8")))


def register(name: str, address: Mapping[str, str], card: str) -> ModelVersion:
    """Make a logged model a new version of a registered model.

    Args:
        name: The registered model; made when it is not there.
        address: model_uri and run_id of the logged model.
        card: Markdown that describes the version; cut where MLflow's database would.

    Returns:
        The new version.
    """
    client = MlflowClient()
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise
    version = client.create_model_version(
        name,
        source=address["model_uri"],
        run_id=address["run_id"],
        description=shortened(card),
        model_id=address["model_uri"].removeprefix("models:/"),
    )
    logger.info("Registered as version %s of %s", version.version, name)
    return version


def shortened(card: str) -> str:
    """Return a card that MLflow's database takes whole: cut after a line, with a word on where the rest is."""
    if len(card) <= MAX_DESCRIPTION_CHARS:
        return card
    rest = "\n\n(The whole card is an artifact of the run.)"
    return card[: MAX_DESCRIPTION_CHARS - len(rest)].rpartition("\n")[0] + rest
