"""Images that a person names on the command line: a folder, one file, or none."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from rovervision.datasets.file_reading import FileRead
from rovervision.datasets.image_folder import ImageFolderDataset
from rovervision.errors import RovervisionError
from rovervision.sources.frame import StoredFile


class NamedImagesDataset(AbstractDataset[NoReturn, dict[str, StoredFile]]):
    """The images of a folder and its sub-folders by relative path, or one file by its name. Read only.

    Nothing named is no image: the node that asks then has nothing to do.

    Args:
        filepath: a folder or a file; None where nothing is named.
        metadata: for other tools; ignored here.
    """

    def __init__(self, *, filepath: str | None, metadata: dict[str, Any] | None = None) -> None:
        self._path, self.metadata = Path(filepath) if filepath else None, metadata

    def load(self) -> dict[str, StoredFile]:
        """Return the files; their bytes are read when asked for. Raises RovervisionError where there is none."""
        if self._path is None:
            return {}
        if not self._path.exists():
            raise RovervisionError(f"There is no image and no folder at {self._path}. Name one that is there.")
        if self._path.is_dir():
            return ImageFolderDataset(filepath=str(self._path), read_only=True).load()
        name, read = self._path.name, FileRead.of(self._path)
        return {name: StoredFile(name, str(self._path), read.n_bytes, "", None, read)}

    def save(self, data: NoReturn) -> None:
        """Refuse: the images are a person's own."""
        raise DatasetError("Images that are named on the command line are only read.")

    def _exists(self) -> bool:
        return self._path is None or self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path) if self._path else None}
