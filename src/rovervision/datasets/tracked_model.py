"""A trained model as MLflow serves it."""

import json
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from kedro.io import AbstractDataset, DatasetError

import rovervision
from rovervision.datasets.lenient import Lenient


class ModelExample(TypedDict):
    """What goes into a model and what comes out of it, arrays or tables; from these MLflow takes the signature."""

    input: np.ndarray | pd.DataFrame
    output: np.ndarray | pd.DataFrame


class TrackedModelDataset(AbstractDataset[ModelExample, Any]):
    """Logs a model to the active MLflow run and remembers where.

    Saving takes an example of what the model is given and returns. The logged model consists of files that exist
    already (weights), this package's code and the name of a function that puts them together; nothing is pickled. At
    rest the dataset is a JSON file with the model's address, which `load` turns into an MLflow pyfunc model. Where no
    run is active, or MLflow cannot take the model, nothing is written.

    Args:
        filepath: The JSON file.
        name: The model's name in MLflow.
        factory: Dotted name of `f(files: dict[str, str]) -> Callable`, called once when the model is loaded; the
            callable takes and returns what the example does, in batches.
        files: What the factory needs, by name; paths on this machine.
        requirements: Packages that serving needs, without versions; the installed ones are recorded.
        fixed_axes: Of arrays, the axes whose length belongs to the signature; the others, such as the batch, may vary.
        optional_columns: Of tables, the columns that may be left out.
        metadata: For the catalog's readers.
    """

    def __init__(
        self,
        *,
        filepath: str,
        name: str,
        factory: str,
        files: Mapping[str, str],
        requirements: Sequence[str],
        fixed_axes: Sequence[int] = (-1,),
        optional_columns: Sequence[str] = (),
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = Path(filepath)
        self._name = name
        self._factory = factory
        self._files = dict(files)
        self._requirements = list(requirements)
        self._fixed_axes = tuple(fixed_axes)
        self._optional_columns = frozenset(optional_columns)
        self.metadata = metadata

    def load(self) -> Any:
        """Return the pyfunc model, whose `predict` takes what the example's input is like."""
        import mlflow

        address = json.loads(self._filepath.read_text(encoding="utf-8"))
        mlflow.set_tracking_uri(address["tracking_uri"])
        return mlflow.pyfunc.load_model(address["model_uri"])

    def save(self, data: ModelExample) -> None:
        """Log the model, if an MLflow run is active."""
        import mlflow

        if mlflow.active_run() is None:
            return
        missing = [path for path in self._files.values() if not Path(path).exists()]
        if missing:
            raise DatasetError(f"model {self._name}: no file {', '.join(missing)}; save the weights before the model")
        with Lenient()(f"model {self._name} could not be logged"):
            address = self._log(data)
            self._filepath.parent.mkdir(parents=True, exist_ok=True)
            self._filepath.write_text(json.dumps(address, indent=2), encoding="utf-8")

    def _log(self, data: ModelExample) -> dict[str, str]:
        import mlflow
        from mlflow.models import ModelSignature

        logged = mlflow.pyfunc.log_model(
            name=self._name,
            python_model=str(Path(__file__).with_name("served_model.py")),
            model_config={"factory": self._factory},
            artifacts=self._files,
            code_paths=[str(Path(rovervision.__file__).parent)],
            signature=ModelSignature(
                inputs=self._schema(data["input"]),
                outputs=self._schema(data["output"]),
            ),
            input_example=data["input"],
            pip_requirements=pinned(self._requirements),
        )
        return {"model_uri": logged.model_uri, "run_id": logged.run_id, "tracking_uri": mlflow.get_tracking_uri()}

    def _schema(self, example: np.ndarray | pd.DataFrame) -> Any:
        if isinstance(example, np.ndarray):
            return array_schema(example, self._fixed_axes)
        return table_schema(example, self._optional_columns)

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "name": self._name, "factory": self._factory}


def array_schema(example: np.ndarray, fixed_axes: Sequence[int]) -> Any:
    """Return the MLflow schema of arrays like the example, whose other axes have any length."""
    from mlflow.types import Schema, TensorSpec

    fixed = {axis % example.ndim for axis in fixed_axes}
    shape = tuple(length if axis in fixed else -1 for axis, length in enumerate(example.shape))
    return Schema([TensorSpec(example.dtype, shape)])


def table_schema(example: pd.DataFrame, optional: Collection[str]) -> Any:
    """Return the MLflow schema of tables like the example, of any length; some columns may be left out."""
    from mlflow.models import infer_signature
    from mlflow.types import ColSpec, Schema

    columns = infer_signature(example).inputs
    return Schema([ColSpec(each.type, each.name, required=each.name not in optional) for each in columns])


def pinned(requirements: Sequence[str]) -> list[str]:
    """Return `name==version` as installed, without a build's local label; a package that is absent stays unpinned."""
    pins = []
    for name in requirements:
        try:
            pins.append(f"{name}=={version(name).partition('+')[0]}")
        except PackageNotFoundError:
            pins.append(name)
    return pins
