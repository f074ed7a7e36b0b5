"""Examined shards at rest: made by workers one by one, resumed where a run was interrupted, read one by one."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from filelock import FileLock
from kedro.io import AbstractDataset
from tqdm import tqdm

from rovervision.datasets.file_ledger import write_whole
from rovervision.datasets.shard_files import (
    INCOMING_NAME,
    SHARD_FILES,
    ShardTask,
    is_whole,
    read_receipt,
    read_shard,
    standing,
)
from rovervision.datasets.shard_work import perform
from rovervision.datasets.source_digest import digest_of_source
from rovervision.errors import RovervisionError
from rovervision.imaging.shard_plan import WorkersConfig, digest_of
from rovervision.imaging.tiles import ExaminedShard

MANIFEST_NAME: Final = ".manifest.json"
LOCK_NAME: Final = ".saving"

Promise = Callable[[], ExaminedShard]


class ExaminedShards(Mapping[str, ExaminedShard]):
    """Shards by name, in name order; each is read anew whenever it is asked for, and none is kept.

    So the memory, and the number of open files, stay the same however many shards there are.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = dict(sorted(folders.items()))

    def __getitem__(self, name: str) -> ExaminedShard:
        """Read one shard; its arrays are mapped."""
        return read_shard(self._folders[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._folders)

    def __len__(self) -> int:
        return len(self._folders)


class ExaminedShardsDataset(AbstractDataset[Mapping[str, Promise], ExaminedShards]):
    """Examined shards, a folder of NumPy and Parquet files each.

    Saving takes {shard name: promise} and has workers perform them; a mapping that has `workers` of its own (a
    ShardPlan) says which. Each worker writes its shards itself. A promise with an `origin` (see
    `imaging.shard_plan`) is not performed again while its shard stands whole in the folder, also after a run that was
    killed; one without always is.

    Loading gives the shards of the last complete save. They stay until another save is complete.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the folder."""
        self._root = Path(filepath)
        self.metadata = metadata

    def save(self, data: Mapping[str, Promise]) -> None:
        """Make every shard that does not stand whole in the folder, then forget the shards of earlier saves."""
        root = self._root.resolve()
        _check_names(data)
        code = digest_of_source(getattr(data, "code", ()))
        tasks = {name: _task(root, name, promise, code) for name, promise in data.items()}
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / LOCK_NAME, timeout=0):  # the system lets go of it when the process dies, however it dies
            shutil.rmtree(root / INCOMING_NAME, ignore_errors=True)
            (root / INCOMING_NAME).mkdir()
            try:
                _perform(tasks, getattr(data, "workers", WorkersConfig()))
            finally:
                shutil.rmtree(root / INCOMING_NAME, ignore_errors=True)
            folders = {name: task.folder.name for name, task in tasks.items()}
            write_whole(root / MANIFEST_NAME, json.dumps(folders, indent=0).encode())
            _remove_others(root, set(folders.values()))

    def load(self) -> ExaminedShards:
        """Return the shards, of which none is read yet."""
        folders = self._manifest()
        if folders is None:
            raise RovervisionError(
                f"There are no examined frames in {self._root}: run the pipeline `curation` first. One that was "
                "interrupted goes on from where it was."
            )
        return ExaminedShards(folders)

    def _manifest(self) -> dict[str, Path] | None:
        """Return the folders of the last complete save by shard name; None where it is not there as it was."""
        try:
            text = (self._root / MANIFEST_NAME).read_text(encoding="utf-8")
        except OSError:
            return None
        folders = {name: self._root / folder for name, folder in json.loads(text).items()}
        receipts = ((folder, read_receipt(folder)) for folder in folders.values())
        return folders if all(receipt and is_whole(folder, receipt) for folder, receipt in receipts) else None

    def _exists(self) -> bool:
        return self._manifest() is not None

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._root)}


def _task(root: Path, name: str, promise: Promise, code: str) -> ShardTask:
    """Return the work on a shard. Its folder is named after its origin, so that it never meets that of another save."""
    told = getattr(promise, "origin", None)
    origin = None if told is None else digest_of(told, code)
    return ShardTask(root / f"{name}-{origin or uuid4().hex[:16]}", name, promise, origin)


def _perform(tasks: Mapping[str, ShardTask], workers: WorkersConfig) -> None:
    missing = {name: task for name, task in tasks.items() if not _stands(task)}
    n_frames = {name: len(getattr(task.promise, "frame_ids", ())) for name, task in missing.items()}
    unit = "frame" if all(n_frames.values()) else "shard"
    total = sum(n_frames.values()) if unit == "frame" else len(missing)
    with (
        tqdm(total=total, desc="examining", unit=unit, disable=None) as bar,
        closing(perform(missing, workers)) as receipts,
    ):
        for name, _ in receipts:
            bar.update(n_frames[name] if unit == "frame" else 1)


def _stands(task: ShardTask) -> bool:
    """Tell whether a shard of an earlier run can stay; what is left of a damaged one goes."""
    if standing(task.folder, task.origin):
        return True
    shutil.rmtree(task.folder, ignore_errors=True)
    return False


def _check_names(names: Mapping[str, Any]) -> None:
    for name in names:
        if not name or Path(name).name != name or name.startswith("."):
            raise RovervisionError(f"The shard name {name!r} is no plain file name.")


def _remove_others(root: Path, folders: set[str]) -> None:
    """Remove the shards of earlier saves; anything else that lies in the folder stays."""
    for path in root.iterdir():
        is_shard = (path / SHARD_FILES[0]).is_file() and path.is_dir()
        if is_shard and path.name not in folders:
            shutil.rmtree(path, ignore_errors=True)  # what cannot be removed now goes with the next save
