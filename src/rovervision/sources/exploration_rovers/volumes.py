"""The archive's volumes: which cameras each holds, and where it and its files are."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal
from urllib.parse import quote

from rovervision.errors import RovervisionError
from rovervision.sources.frame import Query

ROVERS: Final = {"opportunity": "1", "spirit": "2"}
"""Rovers and their numbers in names: MER1 is Opportunity, MER2 Spirit."""

CAMERAS: Final = {
    "po": ("pancam_left", "pancam_right"),
    "no": ("navcam_left", "navcam_right"),
    "ho": ("front_hazcam_left", "front_hazcam_right", "rear_hazcam_left", "rear_hazcam_right"),
    "mo": ("microscopic_imager",),
    "do": ("descent_camera",),
}
"""Cameras by kind of volume. The o is no rover's letter: both rovers' volumes have it."""

_PATH: Final = re.compile(r"/?(?P<volume>\w+)/data/(?P<folders>(?:\w+/)+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Volume:
    """One volume: all raw images of one kind of camera of one rover."""

    rover: str
    kind: str
    """One of CAMERAS."""

    @property
    def name(self) -> str:
        """The volume's name, such as mer1po_0xxx."""
        return f"mer{ROVERS[self.rover]}{self.kind}_0xxx"

    def index_url(self, base_url: str, file_name: str) -> str:
        """Return the address of a file of the volume's index."""
        return f"{base_url.rstrip('/')}/{self.rover}/{self.name}/index/{file_name}"

    def image_url(
        self, base_url: str, product_id: str, sol: int, file_kind: Literal["browse", "label"], path_name: str = ""
    ) -> str | None:
        """Return the address of an image.

        Args:
            base_url: Where the archive is.
            product_id: The name of the product, in any case.
            sol: Names the folder where `path_name` is empty, as in the descent camera's index.
            file_kind: The JPEG for people, or the PDS image.
            path_name: PATH_NAME of the index, such as `/mer1po_0xxx/data/sol0001/edr/`.

        Returns:
            The address; None for a path name of another form, which might lead anywhere.
        """
        place = _PATH.fullmatch(path_name or f"/{self.name}/data/sol{sol:04d}/edr/")
        if place is None:
            return None
        tree = "browse" if file_kind == "browse" else "data"
        folder = f"{base_url.rstrip('/')}/{self.rover}/{place['volume']}/{tree}/{place['folders']}"
        return folder + quote(image_name(product_id, file_kind))


def image_name(product_id: str, file_kind: Literal["browse", "label"]) -> str:
    """Return a product's file name in the archive."""
    return product_id.lower() + (".img.jpg" if file_kind == "browse" else ".img")


def volumes_for(query: Query) -> tuple[Volume, ...]:
    """Return the volumes that can answer a query, in the archive's order.

    Raises RovervisionError for a rover or camera that is not in the archive, with the nearest that is.
    """
    cameras = [camera for names in CAMERAS.values() for camera in names]
    _check(query, "rover", [query.rover] if query.rover else [], list(ROVERS))
    _check(query, "camera", query.cameras, cameras)
    rovers = [query.rover] if query.rover else list(ROVERS)
    asked = set(query.cameras or cameras)
    return tuple(Volume(rover, kind) for rover in rovers for kind, names in CAMERAS.items() if asked & set(names))


def _check(query: Query, word: str, asked: Iterable[str], known: Sequence[str]) -> None:
    for name in asked:
        if name not in known:
            near = get_close_matches(name.lower(), known, n=1, cutoff=0.4)
            hint = f"Did you mean `{near[0]}`? " if near else ""
            raise RovervisionError(
                f"The query `{query.name}` asks the unknown {word} `{name}` of exploration_rovers. {hint}"
                f"Known: {', '.join(known)}."
            )
