"""Points of a curve on their way to MLflow, on a thread of their own: no training waits for a server."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rovervision.datasets.lenient import Lenient

if TYPE_CHECKING:
    from mlflow.entities import Metric

MAX_POINTS_PER_REQUEST = 1000
"""MLflow's REST interface takes no more at once (https://mlflow.org/docs/latest/rest-api.html#log-batch)."""


class MetricSender:
    """Sends points to one MLflow run in the order in which they came; all that wait go in one request.

    Points that MLflow does not take are sent again with the next ones. A point that arrives twice, because an answer
    was lost, stays one: it keeps the time at which it was made.

    Args:
        run_id: The run that gets the points, in the store that MLflow uses now.
        what: What is lost if MLflow refuses, as it stands in the one warning.
    """

    def __init__(self, run_id: str, what: str) -> None:
        from mlflow import MlflowClient

        self.run_id = run_id
        self._client = MlflowClient()
        self._what = what
        self._lenient = Lenient()
        self._waiting: list[Metric] = []
        self._has_work = False
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="metrics to MLflow", daemon=True).start()

    def send(self, points: Sequence["Metric"]) -> None:
        """Have points sent soon; returns at once."""
        with self._changed:
            self._waiting.extend(points)
            self._has_work = bool(self._waiting)
            self._changed.notify_all()

    def flush(self, timeout_s: float = 120.0) -> bool:
        """Offer again what waits, and wait until MLflow has taken or refused it.

        Args:
            timeout_s: How long to wait at most.

        Returns:
            True if every point has been sent.
        """
        self.send(())
        with self._changed:
            self._changed.wait_for(lambda: not self._has_work, timeout_s)
            return not self._waiting

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._has_work)
                batch = self._waiting[:MAX_POINTS_PER_REQUEST]
            is_sent = False
            try:
                with self._lenient(self._what):
                    self._client.log_batch(self.run_id, metrics=batch)
                    is_sent = True
            finally:  # whatever happens, nobody waits for ever
                with self._changed:
                    if is_sent:
                        del self._waiting[: len(batch)]
                    self._has_work = is_sent and bool(self._waiting)
                    self._changed.notify_all()
