"""Before any node runs: everything that the run reads must be there."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import AbstractDataset, CatalogProtocol
from kedro.pipeline import Pipeline

from rovervision.errors import RovervisionError


class InputHooks:
    """Stops a run that would fail later for want of an input, and names the command that makes it."""

    def __init__(self) -> None:
        self._metadata: dict[str, Mapping[str, Any]] = {}

    @hook_impl
    def after_catalog_created(self, conf_catalog: Mapping[str, Any]) -> None:
        """Remember which datasets may be absent."""
        self._metadata = dataset_metadata(conf_catalog)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Check the free inputs.

        Raises:
            RovervisionError: An input is absent.
        """
        if run_params.get("only_missing_outputs"):
            return  # Kedro drops nodes after this hook; the inputs of those need not exist
        missing = self._missing(pipeline, catalog)
        if missing:
            raise RovervisionError(self._sentence(missing, catalog, run_params.get("env")))

    def _missing(self, pipeline: Pipeline, catalog: CatalogProtocol) -> list[str]:
        written = {path for name in pipeline.all_outputs() if (path := dataset_path(catalog, name))}
        return [
            name
            for name in sorted(pipeline.inputs())
            if not name.startswith(("params:", "parameters"))
            and name in catalog
            and not self._metadata.get(name, {}).get("optional")
            and dataset_path(catalog, name) not in written  # a state that the run itself resumes and saves
            and is_absent(catalog.get(name))
        ]

    def _sentence(self, missing: list[str], catalog: CatalogProtocol, env: str | None) -> str:
        places = "\n".join(f"  {name}: {shown(dataset_path(catalog, name))}" for name in missing)
        pipelines.set_requested(None)  # the pipeline that makes an input is seldom the one that was asked for
        makers = makers_of(missing, dict(pipelines), catalog)
        head = (
            f"The run needs {'datasets that do' if len(missing) > 1 else 'a dataset that does'} not exist:\n{places}\n"
        )
        if not makers:
            return head + "No pipeline makes it: put it there, or name another place."
        option = f" --env {env}" if env and env != "local" else ""
        return head + f"Make it first:\n  kedro run --pipelines {','.join(makers)}{option}"


def makers_of(missing: Iterable[str], registered: Mapping[str, Pipeline], catalog: CatalogProtocol) -> list[str]:
    """Return the pipelines to run, first to last, so that the datasets come to be.

    A pipeline whose own inputs are absent brings the pipelines that make those.
    """
    order: list[str] = []
    for dataset in missing:
        maker = next(
            (name for name, each in registered.items() if name != "__default__" and _bare(dataset) in _written(each)),
            None,
        )
        if maker is None or maker in order:
            continue
        wanted = [
            name
            for name in sorted(registered[maker].inputs())
            if not name.startswith(("params:", "parameters")) and name in catalog and is_absent(catalog.get(name))
        ]
        others = {name: each for name, each in registered.items() if name != maker}
        order += [name for name in makers_of(wanted, others, catalog) if name not in order]
        order.append(maker)
    return order


def _written(pipeline: Pipeline) -> set[str]:
    return {_bare(name) for name in pipeline.all_outputs()}


def _bare(name: str) -> str:
    """Name without Kedro's `@` suffix for another way to read the same files."""
    return name.partition("@")[0]


def dataset_metadata(conf_catalog: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the `metadata` section of each catalog entry that has one."""
    return {
        name: entry["metadata"]
        for name, entry in conf_catalog.items()
        if isinstance(entry, Mapping) and isinstance(entry.get("metadata"), Mapping)
    }


def dataset_path(catalog: CatalogProtocol, name: str) -> Path | None:
    """Return where a dataset lies on this machine, or None for one in memory or far away."""
    dataset = catalog.get(name) if name in catalog else None
    stored = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
    return Path(str(stored)) if stored and "://" not in str(stored) else None


def is_absent(dataset: AbstractDataset[Any, Any] | None) -> bool:
    """True when a dataset that can tell says that it does not exist."""
    tells = dataset is not None and type(dataset)._exists is not AbstractDataset._exists
    return dataset is not None and tells and not dataset.exists()


def shown(path: Path | None) -> str:
    """Return a path as a person reads it: relative to the working folder where it lies inside."""
    if path is None:
        return "(no path)"
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
