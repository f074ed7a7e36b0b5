"""What the catalog's YAML says of a dataset, without building it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


class CatalogEntries:
    """Entries by dataset name, as Kedro hands them to `after_catalog_created`: resolved, with absolute paths."""

    def __init__(self, conf_catalog: Mapping[str, Any] | None = None) -> None:
        self._entries = {name: entry for name, entry in (conf_catalog or {}).items() if isinstance(entry, Mapping)}

    def path(self, name: str) -> Path | None:
        """Where a dataset lies on this machine; None for one in memory or far away."""
        entry = self._entries.get(name, {})
        stored = entry.get("filepath") or entry.get("path")
        return Path(str(stored)) if stored and "://" not in str(stored) else None

    def metadata(self, name: str) -> Mapping[str, Any]:
        """The entry's `metadata`, or nothing."""
        return self._entries.get(name, {}).get("metadata") or {}

    def is_read_only(self, name: str) -> bool:
        """True for a dataset that the run must leave as it is."""
        return bool(self._entries.get(name, {}).get("read_only"))

    def layer(self, name: str) -> str:
        """The dataset's layer, such as `reporting`, or nothing."""
        return str((self.metadata(name).get("kedro-viz") or {}).get("layer", ""))

    def description(self, name: str) -> str:
        """The first line of the dataset's description."""
        return str(self.metadata(name).get("description", "")).partition("\n")[0]

    def wishes(self, name: str) -> Mapping[str, Any]:
        """What MLflow is to keep of the dataset."""
        return self.metadata(name).get("mlflow") or {}


def shown(path: Path | None) -> str:
    """Return a path as a person reads it: relative to the working folder where it lies inside."""
    if path is None:
        return "(not a file)"
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
