"""A folder of rover images on this machine, in any tree."""

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from rovervision.errors import RovervisionError
from rovervision.sources.frame import Frame, Query
from rovervision.sources.image_files import frame_id_of, marked_frame_id, walk_images
from rovervision.sources.mars_time import format_utc, lander, sol_of
from rovervision.sources.product_names import ProductName, parse_product_name
from rovervision.sources.selection import select
from rovervision.sources.spacecraft_clocks import CLOCK_ERROR_S, has_clock, utc_of_sclk

_ROVERS: Final = {
    "curiosity": "curiosity", "msl": "curiosity",
    "perseverance": "perseverance", "mars2020": "perseverance", "m2020": "perseverance",
    "opportunity": "opportunity", "mer1": "opportunity",
    "spirit": "spirit", "mer2": "spirit",
    "insight": "insight", "nsyt": "insight",
    "ingenuity": "ingenuity",
}  # fmt: skip
_SOL_FOLDER: Final = re.compile(r"(?:^|/)sols?[ _/-]?(\d{1,5})(?=/|$)", re.IGNORECASE)


class LocalFolderSource:
    """Any tree of images.

    Product names tell what they can, whatever the folders are called. Folders, as in `<rover>/<camera>/sol0100/`, tell
    the rest. A sol that neither tells, and the time, are reckoned from the clock in the name: the record's `from_clock`
    says which, and `clock_error_s` how far the clock may be off (near midnight the sol may be the one beside it).
    """

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

    def size_bytes(self, frame: Frame) -> int | None:
        """Return the length that the file had when it was listed."""
        n_bytes = json.loads(frame.record).get("n_bytes")
        return n_bytes if isinstance(n_bytes, int) else None

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
        record: dict[str, Any] = {"path": path, "n_bytes": stat.st_size, "modified_ns": stat.st_mtime_ns}
        rover, camera, sol = describe_folders(self._root.resolve().parts[-2:], PurePosixPath(path).parts[:-1])
        facts: dict[str, Any] = {"rover": rover, "camera": camera, "sol": sol, "credit": "not stated"}
        if name := parse_product_name(file_name):
            facts = _told_by_name(name, sol)
            if reckoned := _told_by_clock(name):
                missing = {field: value for field, value in reckoned.items() if facts.get(field) is None}
                facts |= missing
                record |= {"from_clock": sorted(missing), "clock_error_s": CLOCK_ERROR_S[name.rover]}
        return Frame(
            frame_id=frame_id,
            file_name=file_name,
            source="local_folder",
            url=path,
            record=json.dumps(record),
            **facts,
        )


def _told_by_name(name: ProductName, folder_sol: int | None) -> dict[str, Any]:
    return {
        "rover": name.rover,
        "camera": name.camera,
        "sol": folder_sol if name.sol is None else name.sol,
        "sclk_s": name.sclk_s,
        "site": name.site,
        "sample_type": name.sample_type,
        "product_type": name.product_type,
        "color_type": name.color_type,
        "filter": name.filter,
        "version": name.version,
    }


def _told_by_clock(name: ProductName) -> dict[str, Any]:
    """Return sol and UTC; nothing where the clock is unknown, or tells a time before the landing."""
    if name.sclk_s is None or not has_clock(name.rover):
        return {}
    utc = utc_of_sclk(name.rover, name.sclk_s)
    sol = sol_of(name.rover, utc)
    if sol < lander(name.rover).first_sol:
        return {}
    return {"sol": sol, "taken_utc": format_utc(utc.replace(microsecond=0))}


def describe_folders(above: tuple[str, ...], below: tuple[str, ...]) -> tuple[str, str, int | None]:
    """Read rover, camera and sol from folder names.

    Args:
        above: The last folders of the root's own path.
        below: The folders between the root and the file.

    Returns:
        The rover ("unknown" when no folder is called after one or its mission), the camera: the folder below the
        rover's, spelled in lower case with underscores, and the sol of folders such as `sol0100` or `sol/00100`.
    """
    path = "/".join(above + below)
    sols = [int(match[1]) for match in _SOL_FOLDER.finditer(path)]
    sol = sols[-1] if sols else None
    folders = [re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_") for part in _SOL_FOLDER.sub("", path).split("/")]
    places = [place for place, folder in enumerate(folders) if folder in _ROVERS]
    if not places:
        return "unknown", "unknown", sol
    cameras = [folder for folder in folders[places[-1] + 1 :] if folder]
    return _ROVERS[folders[places[-1]]], cameras[0] if cameras else "unknown", sol
