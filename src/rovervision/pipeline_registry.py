"""The pipelines of the project: every folder under `pipelines/` is one."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines by name; `__default__` is all of them.

    Kedro imports only the folders that a run asks for, so that a pipeline without torch starts without torch.
    """
    pipelines = find_pipelines(raise_errors=True)
    pipelines["__default__"] = sum(pipelines.values(), start=Pipeline([]))
    return pipelines
