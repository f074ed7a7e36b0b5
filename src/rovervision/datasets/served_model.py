"""The file that MLflow runs to bring a logged model to life; MLflow copies it into the model."""

from typing import Any

import numpy as np
from kedro.utils import load_obj
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class ServedModel(PythonModel):
    """Calls the function that the model's factory makes."""

    def load_context(self, context: Any) -> None:
        """Build the model from its files, once."""
        self._predict = load_obj(context.model_config["factory"])(dict(context.artifacts))

    def predict(self, context: Any, model_input: np.ndarray, params: dict[str, Any] | None = None) -> np.ndarray:
        """Return the model's answer for a batch."""
        return np.asarray(self._predict(model_input))


set_model(ServedModel())
