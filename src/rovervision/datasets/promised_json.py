"""Small answers that are promised and asked for on save."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

from kedro.io import AbstractDataset

from rovervision.datasets.file_ledger import write_whole
from rovervision.datasets.worker_threads import in_threads


class PromisedJSONDataset(AbstractDataset[Mapping[str, Callable[[], Any]], dict[str, Any]]):
    """A JSON object. Saving takes {name: callable} and calls each in a thread; loading returns {name: answer}."""

    def __init__(self, *, filepath: str, threads: int = 4, metadata: dict[str, Any] | None = None) -> None:
        """Name the file and how many promises are called at the same time."""
        self._filepath = Path(filepath)
        self._threads = threads
        self.metadata = metadata

    def save(self, data: Mapping[str, Callable[[], Any]]) -> None:
        """Call the promises and write their answers."""
        answers = dict(in_threads((partial(_answer, *asked) for asked in data.items()), self._threads))
        in_order = {name: answers[name] for name in data}
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._filepath, json.dumps(in_order, indent=1).encode())

    def load(self) -> dict[str, Any]:
        """Read the answers."""
        return cast(dict[str, Any], json.loads(self._filepath.read_text(encoding="utf-8")))

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def _answer(name: str, promise: Callable[[], Any]) -> tuple[str, Any]:
    return name, promise()
