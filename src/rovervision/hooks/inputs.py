"""Before any node runs: everything that the run reads must be there."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import AbstractDataset, CatalogProtocol
from kedro.pipeline import Pipeline

from rovervision.errors import RovervisionError
from rovervision.hooks.catalog_entries import CatalogEntries, shown


class InputHooks:
    """Stops a run that would fail later for want of an input, and names the command that makes it.

    An input may be absent if its catalog entry says `metadata: {optional: true}`, or if it is the file of one of the
    run's own outputs: a state that the run resumes. A dataset that is `read_only: true` may be the person's own: no
    output of the run may lie on it, inside it or around it.

    A dataset that nothing makes may have a method `absence() -> str | None`, which tells why it cannot be read: a
    folder that is there but holds no image is not one that does not exist.
    """

    def __init__(self) -> None:
        self._entries = CatalogEntries()

    @hook_impl
    def after_catalog_created(self, conf_catalog: Mapping[str, Any]) -> None:
        """Remember where datasets lie."""
        self._entries = CatalogEntries(conf_catalog)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Check the free inputs.

        Raises:
            RovervisionError: An input is absent, or would be overwritten.
        """
        self._refuse_overlaps(pipeline)
        if run_params.get("only_missing_outputs"):
            return  # Kedro drops nodes after this hook; the inputs of those need not exist
        written = {self._entries.path(name) for name in pipeline.all_outputs()} - {None}
        missing = [
            name
            for name in free_inputs(pipeline)
            if not self._entries.metadata(name).get("optional")
            and self._entries.path(name) not in written
            and is_absent(name, catalog)
        ]
        if missing:
            raise RovervisionError(self._sentence(missing, catalog, run_params.get("env")))

    def _refuse_overlaps(self, pipeline: Pipeline) -> None:
        for read in sorted(name for name in pipeline.all_inputs() if self._entries.is_read_only(name)):
            for written in sorted(pipeline.all_outputs()):
                here, there = self._entries.path(read), self._entries.path(written)
                twins = read.partition("@")[0] == written.partition("@")[0]
                if here and there and not twins and overlap(here, there):
                    raise RovervisionError(
                        f"{read} is read from {shown(here)} and {written} would be written to {shown(there)}: "
                        "one is or holds the other, so the run would overwrite its input or take its own output for "
                        "input. Name two folders that lie apart."
                    )

    def _sentence(self, missing: list[str], catalog: CatalogProtocol, env: str | None) -> str:
        pipelines.set_requested(None)  # the pipeline that makes an input is seldom the one that was asked for
        makers = makers_of(missing, dict(pipelines), self._entries, catalog)
        unmade = [name for name in missing if not makers_of([name], dict(pipelines), self._entries, catalog)]
        told = [(name, why) for name in unmade if (why := absence_of(name, catalog))]
        if len(told) == len(missing):
            return "\n".join(f"{name}: {why}" for name, why in told)
        lines = [f"The run needs {'datasets that do' if len(missing) > 1 else 'a dataset that does'} not exist:"]
        lines += [f"  {name}: {shown(self._entries.path(name))}" for name in missing]
        if makers:
            option = f" --env {env}" if env and env != "local" else ""
            lines += ["Make it first:", f"  kedro run --pipelines {','.join(makers)}{option}"]
        if unmade:
            lines.append(f"No pipeline makes {' or '.join(unmade)}: put it there, or name another place.")
        return "\n".join(lines)


def overlap(one: Path, other: Path) -> bool:
    """True when one of two paths is the other or lies inside it, links followed."""
    first, second = one.resolve(), other.resolve()
    return first.is_relative_to(second) or second.is_relative_to(first)


def free_inputs(pipeline: Pipeline) -> list[str]:
    """Return the datasets that a pipeline reads and does not make; parameters are none."""
    return sorted(name for name in pipeline.inputs() if not name.startswith(("params:", "parameters")))


def is_absent(name: str, catalog: CatalogProtocol) -> bool:
    """True when a dataset of the catalog can tell whether it exists, and says that it does not."""
    dataset = catalog.get(name) if name in catalog else None
    tells = dataset is not None and type(dataset)._exists is not AbstractDataset._exists
    return dataset is not None and tells and not dataset.exists()


def absence_of(name: str, catalog: CatalogProtocol) -> str | None:
    """Return why a dataset cannot be read, where it can tell in a sentence of its own."""
    tell = getattr(catalog.get(name), "absence", None)
    return tell() if tell else None


def makers_of(
    missing: Iterable[str], registered: Mapping[str, Pipeline], entries: CatalogEntries, catalog: CatalogProtocol
) -> list[str]:
    """Return the pipelines to run, first to last, so that the datasets come to be.

    A pipeline makes a dataset if it writes to the same place. One whose own inputs are absent brings the pipelines that
    make those.
    """
    order: list[str] = []
    for dataset in missing:
        named = {name: each for name, each in registered.items() if name != "__default__"}
        maker = next((name for name, each in named.items() if _makes(each, dataset, entries)), None)
        if maker is None:
            continue
        wanted = [name for name in free_inputs(registered[maker]) if is_absent(name, catalog)]
        others = {name: each for name, each in registered.items() if name != maker}
        before = makers_of(wanted, others, entries, catalog)
        order += [name for name in [*before, maker] if name not in order]
    return order


def _makes(pipeline: Pipeline, dataset: str, entries: CatalogEntries) -> bool:
    place = entries.path(dataset)
    return any(name == dataset or (place and entries.path(name) == place) for name in pipeline.all_outputs())
