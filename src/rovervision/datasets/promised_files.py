"""What a mapping of promises says of the files that it promises, and the work that they are."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from rovervision.datasets.file_ledger import FileLedger, Row
from rovervision.datasets.file_storing import Patience, StoreTask
from rovervision.datasets.source_digest import digest_of_source
from rovervision.imaging.shard_plan import WorkersConfig, digest_of


def workers_of(data: Mapping[str, Any]) -> WorkersConfig:
    """Return the workers that the mapping asks for; threads where it asks for none."""
    workers: WorkersConfig = getattr(data, "workers", WorkersConfig())
    return workers


def left_to_do(
    data: Mapping[str, Callable[[], bytes]], ledger: FileLedger, incoming: Path, patience: Patience
) -> tuple[dict[str, Row], dict[str, StoreTask]]:
    """Return the rows of the promised files that stand whole, and the work on the others.

    A promise without origin is always work. So is one whose origin was another, or whose code: of that, a mapping may
    name the modules (`code`), and a change of their text makes all files anew.

    Args:
        data: Name → promise.
        ledger: Of the folder in which the files get their names.
        incoming: The folder of what is not whole yet; it is made here.
        patience: How hard to try.
    """
    origins = _origins(data)
    rows = {name: entry.row for name in data if (entry := ledger.whole(name, origins[name]))}
    missing = [name for name in data if name not in rows]
    incoming.mkdir(exist_ok=True)
    incoming = incoming.resolve()
    promises = _to_travel(data, incoming) if missing else data
    return rows, {name: StoreTask(incoming, name, promises[name], origins[name], patience) for name in missing}


def _origins(data: Mapping[str, Any]) -> dict[str, str | None]:
    names: tuple[str, ...] = getattr(data, "code", ())
    code = digest_of_source(names) if names else ""
    told = {name: getattr(promise, "origin", None) for name, promise in data.items()}
    return {name: digest_of(origin, code) if origin and code else origin for name, origin in told.items()}


def _to_travel(data: Mapping[str, Callable[[], bytes]], incoming: Path) -> Mapping[str, Callable[[], bytes]]:
    """Return the promises in a form in which the workers can have them.

    A model that they share is written beside what is coming in, and each process opens it there once: under a name of
    this save alone, for the workers of a cluster outlive it, and keep what they have opened by its path.
    """
    if workers_of(data).kind == "threads" or not hasattr(data, "to_travel"):
        return data
    promises: Mapping[str, Callable[[], bytes]] = data.to_travel(incoming / f"model-{uuid4().hex}")
    return promises
