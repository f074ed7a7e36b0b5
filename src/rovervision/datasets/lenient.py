"""MLflow may fail; a training goes on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


class Lenient:
    """Makes blocks in which MLflow may fail: the first failure is a warning, the others go to the log file alone.

    A store that does not answer costs the record of a training, never its result. Errors of other kinds pass.
    """

    def __init__(self) -> None:
        self._has_warned = False

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Run a block to its end or to MLflow's first failure.

        Args:
            what: What the block does, as it stands in the warning: "the parameters could not be logged".
        """
        from mlflow.exceptions import MlflowException

        try:
            yield
        except (MlflowException, OSError) as error:  # OSError: no connection, no room
            level = logging.DEBUG if self._has_warned else logging.WARNING
            logger.log(level, "MLflow: %s, the run goes on without: %s", what, error)
            self._has_warned = True
