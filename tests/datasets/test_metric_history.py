"""Curves: one at rest, one in MLflow, no point twice."""

import pickle
import threading
import time
from pathlib import Path

import mlflow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.io import DatasetError
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from rovervision.datasets.metric_history import MetricHistoryDataset, as_table, rewound


def loss(step: int, value: float = 0.5) -> dict[str, dict[str, float]]:
    return {"loss": {"value": value, "step": step}}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture
def tracked(store: str, tmp_path: Path):
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(store)
    yield mlflow.MlflowClient()
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(before)


def steps(client: mlflow.MlflowClient, run_id: str, name: str = "p.loss") -> list[int]:
    return [point.step for point in client.get_metric_history(run_id, name)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), max_size=20), st.integers(0, 9))
def test_rewinding_keeps_what_stands_before_and_what_is_another_metrics(points, step: int) -> None:
    history = as_table({f"{i}": {"value": 0, "step": s} for i, (_, s) in enumerate(points)})
    history["metric"] = [metric for metric, _ in points]
    kept = rewound(history, as_table({"a": {"value": 1, "step": step}}))
    expected = [(metric, s) for metric, s in points if metric != "a" or s < step]
    assert list(zip(kept["metric"], kept["step"], strict=True)) == expected


def test_a_table_grows_and_starts_over_without_mlflow(tmp_path: Path) -> None:
    curve = MetricHistoryDataset(filepath=str(tmp_path / "deep" / "m.csv"))
    assert not curve.exists()
    curve.save({})
    assert curve.exists()
    assert len(curve.load()) == 0
    for step in (1, 2, 3):
        curve.save({**loss(step), "rate": {"value": 0.1, "step": step}})
    assert curve.load().query("metric == 'loss'")["step"].tolist() == [1, 2, 3]
    curve.save({"loss": [{"value": 9.0, "step": 2}, {"value": 8.0, "step": 3}]})
    table = curve.load()
    assert table.query("metric == 'loss'")["value"].tolist() == [0.5, 9.0, 8.0]
    assert len(table.query("metric == 'rate'")) == 3
    assert table.dtypes["step"] == "int64"


def test_points_without_a_step_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="step"):
        MetricHistoryDataset(filepath=str(tmp_path / "m.csv")).save({"loss": {"value": 1.0}})


def test_points_arrive_live_and_once(tracked: mlflow.MlflowClient, tmp_path: Path) -> None:
    curve = MetricHistoryDataset(filepath=str(tmp_path / "m.csv"), prefix="p")
    run_id = mlflow.start_run().info.run_id
    curve.save({})
    for step in (1, 2):
        curve.save(loss(step))
        curve.flush()
        assert steps(tracked, run_id) == list(range(1, step + 1))
    curve.flush()
    assert steps(tracked, run_id) == [1, 2]


def test_a_resumed_run_holds_the_whole_curve(tracked: mlflow.MlflowClient, tmp_path: Path) -> None:
    path = str(tmp_path / "m.csv")
    for step in (1, 2, 3):
        MetricHistoryDataset(filepath=path, prefix="p").save(loss(step))
    run_id = mlflow.start_run().info.run_id
    resumed = MetricHistoryDataset(filepath=path, prefix="p")
    resumed.save({})
    resumed.save(loss(3, 0.1))
    resumed.save(loss(4))
    resumed.flush()
    assert steps(tracked, run_id) == [1, 2, 3, 4]
    assert resumed.load()["value"].tolist() == [0.5, 0.5, 0.1, 0.5]


def test_a_training_that_was_finished_still_shows_its_curve(tracked: mlflow.MlflowClient, tmp_path: Path) -> None:
    path = str(tmp_path / "m.csv")
    MetricHistoryDataset(filepath=path).save(loss(1))
    run_id = mlflow.start_run().info.run_id
    finished = MetricHistoryDataset(filepath=path, prefix="p")
    finished.save({})
    finished.flush()
    finished.flush()
    assert steps(tracked, run_id) == [1]


def test_a_server_that_is_away_for_a_while_costs_one_warning_and_no_point(
    tracked: mlflow.MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise MlflowException("the server is away")

    curve = MetricHistoryDataset(filepath=str(tmp_path / "m.csv"), prefix="p")
    run_id = mlflow.start_run().info.run_id
    curve.save(loss(1))
    curve.flush()
    with monkeypatch.context() as away:
        away.setattr(mlflow.MlflowClient, "log_batch", refuse)
        for step in (2, 3):
            curve.save(loss(step))
            curve.flush()
    assert caplog.text.count("WARNING") == caplog.text.count("server is away") == 1
    assert curve.load()["step"].tolist() == [1, 2, 3]
    curve.save(loss(4))
    curve.flush()
    assert steps(tracked, run_id) == [1, 2, 3, 4]


def test_a_save_does_not_wait_for_a_slow_server_and_what_waits_goes_in_one_request(
    tracked: mlflow.MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_open, requests, log_batch = threading.Event(), [], mlflow.MlflowClient.log_batch

    def log_slowly(self: mlflow.MlflowClient, run_id: str, metrics: list[Metric]) -> None:
        requests.append([point.step for point in metrics])
        assert is_open.wait(30)
        log_batch(self, run_id, metrics)

    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", log_slowly)
    curve = MetricHistoryDataset(filepath=str(tmp_path / "m.csv"), prefix="p")
    run_id = mlflow.start_run().info.run_id
    curve.save(loss(1))
    wait_for(lambda: requests == [[1]])
    for step in range(2, 6):
        curve.save({**loss(step), "rate": {"value": 0.1, "step": step}})
    curve.flush(timeout_s=0.01)  # does not hang either
    assert steps(tracked, run_id) == []
    is_open.set()
    curve.flush()
    assert requests == [[1], [2, 2, 3, 3, 4, 4, 5, 5]]
    assert steps(tracked, run_id) == [1, 2, 3, 4, 5]


def test_a_point_whose_answer_was_lost_is_held_once(
    tracked: mlflow.MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_batch = mlflow.MlflowClient.log_batch

    def lose_the_answer(self: mlflow.MlflowClient, run_id: str, metrics: list[Metric]) -> None:
        log_batch(self, run_id, metrics)
        raise MlflowException("the connection broke")

    curve = MetricHistoryDataset(filepath=str(tmp_path / "m.csv"), prefix="p")
    run_id = mlflow.start_run().info.run_id
    with monkeypatch.context() as breaking:
        breaking.setattr(mlflow.MlflowClient, "log_batch", lose_the_answer)
        curve.save(loss(1))
        curve.flush()
    curve.flush()
    assert steps(tracked, run_id) == [1]


def test_no_request_is_larger_than_mlflow_takes(
    tracked: mlflow.MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", lambda self, run_id, metrics: sizes.append(len(metrics)))
    curve = MetricHistoryDataset(filepath=str(tmp_path / "m.csv"))
    mlflow.start_run()
    curve.save({"loss": [{"value": 1.0, "step": step} for step in range(2500)]})
    curve.flush()
    assert sizes == [1000, 1000, 500]


def test_a_curve_may_travel_to_another_process(tracked: mlflow.MlflowClient, tmp_path: Path) -> None:
    curve = MetricHistoryDataset(filepath=str(tmp_path / "m.csv"))
    mlflow.start_run()
    curve.save(loss(1))
    assert len(pickle.loads(pickle.dumps(curve)).load()) == 1


def wait_for(happened, timeout_s: float = 30.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < end_s, "it never happened"
        time.sleep(0.01)
