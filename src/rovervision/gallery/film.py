"""The film of a run, or a strip of it where it is too large for the page."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rovervision.gallery.pictures import Picture, at_most
from rovervision.imaging.montage import spread

EMBEDDED_MAX_BYTES = 1_000_000
"""A larger film is shown as a strip of stills, with a link."""
_STILLS, _LONGEST_PX = 8, 420


@dataclass(frozen=True)
class FilmStrip:
    """A film."""

    path: Path
    address: str
    """The film itself as a data address; nothing where it is too large."""
    stills: list[Picture]
    facts: Mapping[str, Any]


def film_room(path: Path, facts: Mapping[str, Any]) -> FilmStrip:
    """Return a film that lies in a file. `facts` are its numbers."""
    data = path.read_bytes() if path.stat().st_size <= EMBEDDED_MAX_BYTES else b""
    address = f"data:video/mp4;base64,{base64.b64encode(data).decode()}" if data else ""
    return FilmStrip(path, address, stills_of(path), facts)


def stills_of(path: Path) -> list[Picture]:
    """Return pictures of a film, evenly taken; none where it cannot be read."""
    film = cv2.VideoCapture(str(path))
    try:
        count = int(film.get(cv2.CAP_PROP_FRAME_COUNT))
        stills = []
        for number in spread(max(count, 0), _STILLS):
            film.set(cv2.CAP_PROP_POS_FRAMES, int(number))
            is_read, pixels = film.read()
            if is_read:
                still = at_most(np.ascontiguousarray(pixels[..., ::-1]), _LONGEST_PX)
                stills.append(Picture(still, f"Frame {int(number) + 1} of {count} of the film."))
        return stills
    finally:
        film.release()
