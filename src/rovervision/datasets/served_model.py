"""The file that MLflow runs to bring a logged model to life; MLflow copies it into the model."""

from typing import Any

import pandas as pd
from kedro.utils import load_obj
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel

from rovervision.errors import RovervisionError


class ServedModel(PythonModel):
    """Calls the function that the model's factory makes."""

    def load_context(self, context: Any) -> None:
        """Build the model from its files, once."""
        self._predict = load_obj(context.model_config["factory"])(dict(context.artifacts))

    # Arrays come here too; MLflow takes most other type hints for a schema of its own, and warns where there is none.
    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> Any:
        """Return the model's answer for a batch; what cannot be answered is a sentence, and not a traceback."""
        try:
            return self._predict(model_input)
        except RovervisionError as error:
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from None


set_model(ServedModel())
