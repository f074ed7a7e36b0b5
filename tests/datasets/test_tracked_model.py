"""A logged model comes back as the function that it was, without pickles."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pytest
from kedro.io import DatasetError

from rovervision.datasets.tracked_model import TrackedModelDataset, array_schema, pinned


def brighter(files: dict[str, str]) -> Callable[[np.ndarray], np.ndarray]:
    """A factory: three channels, each the gray one plus a number from a file."""
    added = json.loads(Path(files["weights"]).read_text())
    return lambda gray: np.repeat(gray, 3, axis=-1).astype(np.uint8) + np.uint8(added)


def model(folder: Path) -> TrackedModelDataset:
    return TrackedModelDataset(
        filepath=str(folder / "served.json"),
        name="brighter",
        factory=f"{__name__}.brighter",
        files={"weights": str(folder / "weights.json")},
        requirements=["numpy"],
    )


EXAMPLE = {"input": np.zeros((1, 4, 4, 1), np.float32), "output": np.zeros((1, 4, 4, 3), np.uint8)}


def test_without_a_run_nothing_is_logged(tmp_path: Path) -> None:
    model(tmp_path).save(EXAMPLE)
    assert not model(tmp_path).exists()


def test_a_logged_model_predicts_batches_of_any_size(tmp_path: Path) -> None:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    try:
        mlflow.create_experiment("models", artifact_location=(tmp_path / "artifacts").as_uri())
        mlflow.set_experiment("models")
        with mlflow.start_run():
            with pytest.raises(DatasetError, match="save the weights before the model"):
                model(tmp_path).save(EXAMPLE)
            (tmp_path / "weights.json").write_text("7")
            start_s = time.perf_counter()
            model(tmp_path).save(EXAMPLE)
            assert time.perf_counter() - start_s < 20
        served = model(tmp_path).load()
        gray = np.arange(2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5, 1)
        assert np.array_equal(served.predict(gray), np.repeat(gray, 3, -1).astype(np.uint8) + 7)
        with pytest.raises(mlflow.exceptions.MlflowException):
            served.predict(np.zeros((1, 4, 4, 2), np.float32))
    finally:
        mlflow.set_tracking_uri(before)
    assert not list((tmp_path / "artifacts").rglob("*.pkl"))


def test_only_the_last_axis_belongs_to_the_signature() -> None:
    assert array_schema(EXAMPLE["output"], (-1,)).inputs[0].shape == (-1, -1, -1, 3)
    assert array_schema(EXAMPLE["output"], (1, 3)).inputs[0].shape == (-1, 4, -1, 3)


def test_requirements_are_pinned_as_installed() -> None:
    assert pinned(["numpy", "no-such-package"]) == [f"numpy=={np.__version__}", "no-such-package"]


def test_a_server_that_takes_no_model_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise mlflow.exceptions.MlflowException("the server is away")

    monkeypatch.setattr(mlflow, "active_run", object)
    monkeypatch.setattr(mlflow.pyfunc, "log_model", refuse)
    (tmp_path / "weights.json").write_text("7")
    model(tmp_path).save(EXAMPLE)
    assert not model(tmp_path).exists()
    assert "model brighter could not be logged" in caplog.text
