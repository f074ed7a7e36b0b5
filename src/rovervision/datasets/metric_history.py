"""Learning curves: a table at rest, and live in MLflow."""

import logging
import multiprocessing
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview

from rovervision.datasets.metric_sender import MetricSender

Points = Mapping[str, Mapping[str, float] | Iterable[Mapping[str, float]]]
"""Metric name to one point or several, each `{"value": v, "step": s}`."""

logger = logging.getLogger(__name__)

COLUMNS = {"metric": "str", "step": "int64", "value": "float64"}


class MetricHistoryDataset(AbstractDataset[Points, pd.DataFrame]):
    """A CSV table of metric, step and value, which grows with every save.

    Made for a node that yields metrics as it goes: a save adds its points to the table and, where an MLflow run is
    active, to the run. A point whose step the metric has already passed begins a new history: the rows of that metric
    from that step on are replaced, so that a training that starts over, or goes on from a checkpoint, leaves one curve.
    The first points of a run also bring the history before them. Without an active run only the table is written.
    A save does not wait for MLflow: a thread sends the points, one request for each save or fewer; `flush` waits.
    Points that MLflow does not take are offered to it again with the next ones.

    Args:
        filepath: The CSV file.
        prefix: Put before the names in MLflow, with a dot; the table has the bare names.
        metadata: For the catalog's readers.
    """

    def __init__(self, *, filepath: str, prefix: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self._prefix = f"{prefix}." if prefix else ""
        self._sender: MetricSender | None = None
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Return columns metric (str), step (int64), value (float64), ordered by metric, then step."""
        return pd.read_csv(self._filepath, dtype=COLUMNS)

    def save(self, data: Points) -> None:
        """Add points; nothing to add leaves the table as it is, or empty where there is none."""
        new = as_table(data)
        stored = self.load() if self._filepath.exists() else as_table({})
        history = rewound(stored, new)
        if len(new) or not self._filepath.exists():
            self._filepath.parent.mkdir(parents=True, exist_ok=True)
            partial = self._filepath.with_suffix(".partial")
            pd.concat([history, new]).sort_values(["metric", "step"], kind="stable").to_csv(partial, index=False)
            partial.replace(self._filepath)
        if len(new):
            self._log(history, new)

    def flush(self, timeout_s: float = 120.0) -> None:
        """Wait until MLflow has the curve; the whole table if no save has sent it: the training was finished before.

        Args:
            timeout_s: How long to wait at most.
        """
        if self._filepath.exists():
            self._log(self.load(), as_table({}))
        if self._sender and not self._sender.flush(timeout_s):
            logger.debug("MLflow has not taken the whole curve; it stands in %s", self._filepath)

    def _log(self, history: pd.DataFrame, new: pd.DataFrame) -> None:
        import mlflow

        run = mlflow.active_run()
        if run is None:
            return
        if self._sender is None or self._sender.run_id != run.info.run_id:
            self._sender = MetricSender(run.info.run_id, f"a curve could not be logged (it stands in {self._filepath})")
            new = pd.concat([history, new]).sort_values("step", kind="stable")
        self._sender.send(self._as_metrics(new))
        if multiprocessing.parent_process() is not None:  # ParallelRunner's workers end without a word
            self._sender.flush()

    def _as_metrics(self, points: pd.DataFrame) -> list[Any]:
        from mlflow.entities import Metric

        made_ms = time.time_ns() // 1_000_000
        rows = zip(*(points[column].tolist() for column in COLUMNS), strict=True)
        return [Metric(f"{self._prefix}{metric}", value, made_ms, step) for metric, step, value in rows]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_sender": None}  # a thread stays in its process

    def preview(self, nrows: int = 5) -> TablePreview:
        """Return the first rows, for Kedro-Viz."""
        from rovervision.datasets.previews import preview_table

        return preview_table(self.load().head(nrows))

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "prefix": self._prefix}


def as_table(points: Points) -> pd.DataFrame:
    """Return points as columns metric, step and value.

    Raises:
        DatasetError: A point has no value or no step.
    """
    rows: list[tuple[str, int, float]] = []
    for metric, given in points.items():
        for point in [given] if isinstance(given, Mapping) else given:
            if not {"value", "step"} <= set(point):
                raise DatasetError(f'{metric}: a point is {{"value": v, "step": s}}, not {point!r}')
            rows.append((metric, int(point["step"]), float(point["value"])))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def rewound(history: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a history that stand before a metric's first new step; metrics without new points stay."""
    first = new.groupby("metric")["step"].min().to_dict()
    limits = [first.get(metric, float("inf")) for metric in history["metric"]]
    return history[history["step"].to_numpy() < limits]
