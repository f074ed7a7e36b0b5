"""A folder of rover images on this machine, in any tree."""

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from rovervision.errors import RovervisionError
from rovervision.sources.frame import Frame, Query
from rovervision.sources.image_files import frame_id_of, marked_frame_id, walk_images
from rovervision.sources.product_names import parse_product_name
from rovervision.sources.selection import select

_ROVERS: Final = ("curiosity", "perseverance", "opportunity", "spirit", "ingenuity", "insight")
_SOL_FOLDER: Final = re.compile(r"sol[ _-]?(\d{1,5})", re.IGNORECASE)


class LocalFolderSource:
    """Any tree of images. Product names tell rover, camera, sol; else folders do, as in `<rover>/<camera>/sol0100/`."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)

    def search(self, query: Query) -> Iterator[Frame]:
        """Yield the frames that answer the query, sorted by path. Links that leave the folder are passed over."""
        if not self._root.is_dir():
            raise RovervisionError(
                f"There is no folder {self._root}. Set `ingestion.archive` to the folder that holds the images."
            )
        yield from select(self._frames(), query)

    def fetch(self, frame: Frame) -> bytes:
        """Return the bytes of the file. Raises RovervisionError for a path that leaves the folder, links included."""
        path = self._root / frame.url
        if not self._holds(path):
            raise RovervisionError(f"{frame.url} leads out of the folder {self._root}; such files are not read.")
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise RovervisionError(f"{path} was listed and is gone. List the folder again.") from error

    def _holds(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._root.resolve())

    def _frames(self) -> Iterator[Frame]:
        taken: set[str] = set()
        for path in walk_images(self._root):
            if self._holds(self._root / path):
                frame_id = frame_id_of(path)
                # A twin in the same folder that differs by its suffix, or by case only, which some disks cannot tell.
                if frame_id.casefold() in taken:
                    frame_id = marked_frame_id(path)
                taken.add(frame_id.casefold())
                yield self._frame(path, frame_id)

    def _frame(self, path: str, frame_id: str) -> Frame:
        file_name = PurePosixPath(path).name
        stat = (self._root / path).stat()
        record = json.dumps({"path": path, "n_bytes": stat.st_size, "modified_ns": stat.st_mtime_ns})
        known: dict[str, Any] = {
            "frame_id": frame_id,
            "file_name": file_name,
            "source": "local_folder",
            "url": path,
            "record": record,
        }
        name = parse_product_name(file_name)
        rover, camera, sol = describe_folders(self._root.resolve().parts[-2:], PurePosixPath(path).parts[:-1])
        if name is None:
            return Frame(**known, rover=rover, camera=camera, sol=sol, credit="not stated")
        return Frame(
            **known,
            rover=name.rover,
            camera=name.camera,
            sol=sol if name.sol is None else name.sol,
            sclk_s=name.sclk_s,
            site=name.site,
            sample_type=name.sample_type,
            product_type=name.product_type,
            version=name.version,
        )


def describe_folders(above: tuple[str, ...], below: tuple[str, ...]) -> tuple[str, str, int | None]:
    """Read rover, camera and sol from folder names.

    Args:
        above: The last folders of the root's own path.
        below: The folders between the root and the file.

    Returns:
        The rover ("unknown" when no folder is called after one), the camera: the folder below the rover's, spelled in
        lower case with underscores, and the sol of a folder such as `sol0100`.
    """
    folders = [re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_") for part in above + below]
    sols = [int(match[1]) for part in below if (match := _SOL_FOLDER.fullmatch(part))]
    sol = sols[-1] if sols else None
    places = [place for place, folder in enumerate(folders) if folder in _ROVERS]
    if not places:
        return "unknown", "unknown", sol
    place = places[-1]
    cameras = [folder for folder in folders[place + 1 :] if folder and not _SOL_FOLDER.fullmatch(folder)]
    return folders[place], cameras[0] if cameras else "unknown", sol
