"""Promised uses of one model on many files: what to do, and by whom. Nothing happens until a promise is called."""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NoReturn

import cv2
import torch

from rovervision.imaging.shard_plan import WorkersConfig, digest_of
from rovervision.learning.weights import Weights, read_weights, write_weights
from rovervision.sources.frame import StoredFile

OpenModel = Callable[[Mapping[str, Weights]], Any]

_OPENED: Final[dict[Path, Any]] = {}
"""The model that this process has opened last, by the folder of its weights: one, for they are large."""
_OPENING: Final = threading.Lock()


class ModelAtHand:
    """A model that is open in this process. It does not travel to others: they open its weights, see `put_down`."""

    def __init__(self, weights: Mapping[str, Weights], open_model: OpenModel) -> None:
        """Open the model at once, so that weights which are none are told before any file is touched.

        Args:
            weights: name → weights, of all that the model is made of.
            open_model: makes the model of them, the same in every process; picklable.
        """
        self._weights, self._open_model = weights, open_model
        self._model = open_model(weights)

    def get(self) -> Any:
        """Return the model."""
        return self._model

    def digest(self) -> str:
        """Return text that is equal only where weights, and the libraries that compute with them, are equal."""
        known = [f"{name} {digest_of_weights(each)}" for name, each in sorted(self._weights.items())]
        return digest_of(*known, torch.__version__, cv2.__version__)

    def put_down(self, folder: Path) -> "StoredModel":
        """Write the weights into a new folder that every worker sees."""
        for name, each in self._weights.items():
            write_weights(folder / f"{name}.safetensors", each)
        return StoredModel(folder, tuple(self._weights), self._open_model)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: with every file, the model would travel too."""
        raise TypeError("A model at hand does not travel. Put it down, and let workers open what lies there.")


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model whose weights lie in a folder of their own, which never changes. A process opens them once."""

    folder: Path
    names: tuple[str, ...]
    open_model: OpenModel

    def get(self) -> Any:
        """Return the model, opened now or earlier."""
        with _OPENING:
            if self.folder not in _OPENED:
                weights = {name: read_weights(self.folder / f"{name}.safetensors") for name in self.names}
                _OPENED.clear()
                _OPENED[self.folder] = self.open_model(weights)
            return _OPENED[self.folder]


@dataclass(frozen=True, slots=True)
class ModelUse:
    """The promise of what a model makes of some files."""

    use: Callable[[Any], Any]
    """Called with the open model; picklable, and small."""
    model: ModelAtHand | StoredModel
    origin: str | None
    """Equal only where the result is sure to be equal; None where nobody can know."""

    def __call__(self) -> Any:
        """Use the model."""
        return self.use(self.model.get())


class ModelPlan(dict[str, ModelUse]):
    """Names, and the promises of what one model makes under them, with the workers that the plan's maker asks for."""

    def __init__(
        self,
        uses: Mapping[str, ModelUse],
        *,
        model: ModelAtHand,
        workers: WorkersConfig,
        code: tuple[str, ...] = (),
    ) -> None:
        """Plan uses of a model.

        Args:
            uses: name → promise, all of them of this model.
            model: The model.
            workers: Who performs them.
            code: Modules and packages whose source text decides the result: a change of it makes all anew.
        """
        super().__init__(uses)
        self.model, self.workers, self.code = model, workers, code

    def to_travel(self, folder: Path) -> dict[str, ModelUse]:
        """Put the model down in a folder, and return the promises that open it from there."""
        stored = self.model.put_down(folder)
        return {name: replace(use, model=stored) for name, use in self.items()}


class PiecedTablePlan(ModelPlan):
    """A table in pieces, Parquet each, which belong together in the order of the plan."""

    def __init__(
        self,
        uses: Mapping[str, ModelUse],
        *,
        model: ModelAtHand,
        workers: WorkersConfig,
        code: tuple[str, ...] = (),
        alone: Callable[[str], Mapping[str, ModelUse]],
        failed: Callable[[str, str], bytes],
    ) -> None:
        """Plan a table, further arguments as of `ModelPlan`.

        Args:
            alone: name of a piece → promises of its rows one by one, in their order, where the piece cannot be had.
            failed: name of such a row, and a sentence that says why it cannot be had → the row, as Parquet.
        """
        super().__init__(uses, model=model, workers=workers, code=code)
        self.failed, self._alone = failed, alone

    def alone(self, piece: str) -> ModelPlan:
        """Return the promises of a piece's rows one by one."""
        return ModelPlan(self._alone(piece), model=self.model, workers=self.workers, code=self.code)


def origin_of_use(told: str, *files: StoredFile) -> str | None:
    """Return a digest of what is told and of files; None where one of them cannot be known again."""
    versions = [file.sha256 or getattr(file.read, "version", None) for file in files]
    return None if None in versions else digest_of(told, *map(str, versions))


def digest_of_weights(weights: Weights) -> str:
    """Return a digest of all tensors and of the header, but for who wrote it, in 16 hexadecimal digits."""
    header = {key: value for key, value in weights.header.items() if key != "written_by"}
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name, tensor in sorted(weights.tensors.items()):
        array = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {array.dtype} {tuple(array.shape)}".encode())
        digest.update(array.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
