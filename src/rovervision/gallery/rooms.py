"""From the datasets that stand after a run to the rooms of its page."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from rovervision.gallery.clusters import Clusters, clusters_room
from rovervision.gallery.colors import Colors, color_unseen, compare_frames
from rovervision.gallery.colors import scores_of as color_scores
from rovervision.gallery.film import FilmStrip, film_room
from rovervision.gallery.generated import Generated, generated_room
from rovervision.gallery.kept import Kept, frieze, kept_room
from rovervision.gallery.pictures import Picture, at_most

logger = logging.getLogger(__name__)

to_file = logging.getLogger("rovervision.traceback")
"""Goes to the log file only."""

_PANELS_PX = 1600
SHARDS_MAX = 100
"""Of more shards than these none is searched for pictures: the gray thumbnails of the frames' table serve as well."""


@dataclass(frozen=True)
class Stock:
    """The datasets that stand after a run."""

    load: Callable[[str], Any]
    modified_s: Callable[[str], float | None]
    """When a dataset was last written, in seconds of the epoch; None where it does not exist."""
    path: Callable[[str], Path | None]
    written: frozenset[str]
    """Names of those that this run has written."""
    knows_torch: bool = False
    """True where the run has loaded torch anyway: models may be asked, at no cost of time."""
    work_tiles: float = 1.5
    """Short side, in training tiles, at which a colorizer sees whole images."""

    def has(self, *names: str) -> bool:
        """True where all of these exist."""
        return all(self.modified_s(name) is not None for name in names)

    def optional(self, name: str) -> Any:
        """Return a dataset, or None where there is none."""
        return self.load(name) if self.has(name) else None


@dataclass(frozen=True)
class Room:
    """A part of the page."""

    key: str
    content: Any
    is_fresh: bool
    """True where this run made what it shows."""
    is_outdated: bool
    """True where the tiles are newer than what it shows."""


@dataclass(frozen=True)
class Missing:
    """A room that there are no data for."""

    title: str
    command: str


@dataclass(frozen=True)
class Rooms:
    """Everything to be seen on a page."""

    rooms: Mapping[str, Room] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    frieze: Picture | None = None
    credits: Mapping[str, int] = field(default_factory=dict)


NEEDS: Mapping[str, tuple[str, ...]] = {
    "kept": ("ingestion_summary",),
    "clusters": ("tiles", "tile_map", "tile_clusters@written", "cluster_table"),
    "colors": ("frames_split", "colorization_score_table"),
    "generated": ("tiles", "tiles_generated"),
    "film": ("film",),
}
"""Room → the datasets without which there is nothing to show; the last one tells how old the room is."""

MADE_OF: Mapping[str, tuple[str, ...]] = {
    "clusters": ("tiles", "encoder"),
    "colors": ("tiles", "colorizer"),
    "generated": ("tiles", "denoiser"),
}
"""Room → what must not be younger than the last dataset that it needs."""

TITLES = {
    "kept": ("What came in, and what was kept", "ingestion,curation"),
    "clusters": ("What is in the archive", "clustering"),
    "colors": ("Gray frames in colour", "colorization"),
    "generated": ("Tiles that nobody took", "diffusion"),
}
"""Room → its title, and the pipelines that fill it."""


def open_rooms(stock: Stock, env_option: str = "") -> Rooms:
    """Return what can be shown. A room that cannot be set up is left out, with a warning.

    Args:
        stock: What stands.
        env_option: ` --env NAME` where the run had one, for the commands that fill missing rooms.
    """
    makers: Mapping[str, Callable[[Stock], Any]] = {
        "kept": _kept, "clusters": _clusters, "colors": _colors, "film": _film, "generated": _generated,
    }  # fmt: skip
    rooms, missing = {}, []
    for key, make in makers.items():
        content = _tried(make, stock, key) if stock.has(*NEEDS[key]) else None
        if content is not None:
            rooms[key] = Room(key, content, *_age(stock, key))
        elif key in TITLES:
            title, pipelines = TITLES[key]
            missing.append(Missing(title, f"kedro run --pipelines {pipelines}{env_option}"))
    if stock.has("ingestion_summary") and not stock.has("curation_summary"):
        missing.insert(
            0, Missing("What was kept, and why the rest was not", f"kedro run --pipelines curation{env_option}")
        )
    band = _tried(lambda each: frieze(each.load("tiles")), stock, "tiles") if stock.has("tiles") else None
    summary = stock.optional("ingestion_summary") or {}
    return Rooms(rooms, missing, band, summary.get("credits", {}))


def _tried(make: Callable[[Stock], Any], stock: Stock, key: str) -> Any:
    try:
        return make(stock)
    except Exception as fault:  # whatever is wrong with an old file, the run has ended well
        logger.warning("The page of the run is without its part %s: %s: %s", key, type(fault).__name__, fault)
        to_file.error("Why the page is without its part %s.", key, exc_info=fault)
        return None


def _age(stock: Stock, key: str) -> tuple[bool, bool]:
    """Return whether the run made what a room shows, and whether what that was made of has changed since."""
    last = "curation_summary" if key == "kept" and stock.has("curation_summary") else NEEDS[key][-1]
    own_s = stock.modified_s(last)
    sources_s = [each for name in MADE_OF.get(key, ()) if (each := stock.modified_s(name)) is not None]
    return last in stock.written, own_s is not None and any(own_s < each for each in sources_s)


def _kept(stock: Stock) -> Kept:
    is_curated = stock.has("curation_summary", "frames_split")
    frames = stock.load("frames_split") if is_curated else None
    curation = stock.load("curation_summary") if is_curated else None
    examined = stock.optional("frames_examined") if is_curated else None
    if examined is not None and len(examined) > SHARDS_MAX:
        examined = None
    return kept_room(stock.load("ingestion_summary"), curation, frames, examined)


def _clusters(stock: Stock) -> Clusters:
    return clusters_room(
        stock.load("tiles"),
        stock.load("tile_map"),
        stock.load("tile_clusters@written"),
        stock.load("cluster_table"),
        stock.optional("cluster_scores"),
    )


def _colors(stock: Stock) -> Colors:
    frames = stock.load("frames_split")
    table = stock.load("colorization_score_table")
    kind = str(table.loc[table["role"] == "model", "method"].iloc[0])
    can_ask = stock.knows_torch and stock.has("colorizer", "colorization_scores", "images_raw")
    compared = _tried(lambda each: _compared(each, frames), stock, "colour comparisons") if can_ask else None
    unseen = stock.optional("images_colorized") or {}
    return Colors(
        kind=kind,
        comparisons=compared or [],
        unseen=color_unseen(unseen, frames),
        panels=None if compared else _panels(stock),
        scores=color_scores(table),
    )


def _compared(stock: Stock, frames: pd.DataFrame) -> Any:
    colorizer, scores = stock.load("colorizer"), stock.load("colorization_scores")
    work_px = round(stock.work_tiles * int(colorizer.header["tile_px"]))
    return compare_frames(scores, colorizer, frames, stock.load("images_raw"), work_px)


def _panels(stock: Stock) -> Picture | None:
    path = stock.path("colorization_panels")
    if path is None or not path.is_file():
        return None
    from rovervision.imaging.decoding import decode_image

    pixels = at_most(decode_image(path.read_bytes())[..., :3], _PANELS_PX)
    return Picture(pixels, "Gray input, predicted colour, true colour and error of frames from the best to the worst.")


def _film(stock: Stock) -> FilmStrip | None:
    path = stock.path("film")
    return film_room(path, stock.optional("film_metrics") or {}) if path and path.is_file() else None


def _generated(stock: Stock) -> Generated:
    loaded = stock.load("tiles"), stock.load("tiles_generated")
    return generated_room(*loaded, stock.optional("diffusion_neighbours"), stock.optional("diffusion_score_table"))
