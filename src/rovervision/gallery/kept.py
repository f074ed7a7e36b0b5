"""The first room: what came in, what is kept, and why the rest is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rovervision.gallery.pictures import Picture, sheet
from rovervision.imaging.montage import spread
from rovervision.imaging.splits import SPLITS
from rovervision.imaging.tiles import ExaminedShard, TileStore

EXAMPLES = 5
"""Pictures of each reason."""
REASONS_MAX, SENTENCES_MAX = 24, 3
_SHOWN_AT_ONCE = 8
_FRIEZE_ROWS, _FRIEZE_TILES, _FRIEZE_PX = 2, 28, 80
"""Of the band of kept tiles above the page: rows, tiles in all, and pixels of each."""

WHY: Mapping[str, str] = {
    "not_fetched": "The archive names it, and its file could not be had whole.",
    "undecodable": "The file breaks off or is damaged, so there is no picture.",
    "not_in_recipe": "It is no frame that this dataset is made of.",
    "sample_type": "The archive itself calls it a lesser product, such as a thumbnail.",
    "exact_duplicate": "Another kept frame has the same bytes.",
    "older_version": "A newer version of the same product is there.",
    "duplicate_of_held_out": "It shows what a held-out frame shows: learning from it would be cheating.",
    "short_side_px": "The picture is too small to cut a tile from.",
    "aspect": "The picture is a narrow strip.",
    "edge_frac": "A side of the picture never arrived.",
    "missing_frac": "Lines were lost on the way, and are black.",
    "blank_frac": "Blocks of the picture never arrived and are of one value.",
    "stripe_level": "Lines differ from their neighbours as no scene's do: stripes of the read-out.",
    "blockiness": "The grid of a strong compression shows.",
    "is_narrow_band": "It was taken through a narrow filter: no colour that an eye would see.",
    "mean_luminance": "It is too dark to tell anything.",
    "dark_frac": "Most of it is black.",
    "overexposed_frac": "Too much of it is burnt out.",
    "laplacian_variance": "Nothing in it is sharp.",
    "spatial_variance": "Nothing in it is sharp.",
    "contrast": "Light and dark hardly differ.",
    "entropy_bits": "Too few gray levels occur to hold a scene.",
    "saturation": "Its colours are stronger than Mars has any: a false-colour product.",
    "red_blue_log2": "It is far bluer than Mars: a false-colour product.",
    "green_log2": "It lacks green: a false-colour product.",
    "color_difference": "It is gray where colour is asked for, or the other way round.",
}
"""Why a frame is not wanted, by reason or by the measure of the rule that it breaks."""


@dataclass(frozen=True)
class Step:
    """A bar of the funnel."""

    name: str
    count: int
    share: float
    """Of the first step."""
    note: str = ""


@dataclass(frozen=True)
class Example:
    """A frame that was rejected."""

    picture: Picture
    value: str
    """What was measured; nothing where no measure is asked."""


@dataclass(frozen=True)
class Reason:
    """A reason of rejection."""

    name: str
    why: str
    demand: str
    count: int
    alone: int
    """Frames with which nothing else is wrong."""
    examples: list[Example]
    sentences: list[str]
    """What the checks say that measure nothing, each once."""


@dataclass(frozen=True)
class Kept:
    """All of the room."""

    steps: list[Step]
    splits: list[Step]
    cameras: list[tuple[str, int]]
    reasons: list[Reason]
    n_bytes: int
    sols: str
    leaks: int | None
    """Pairs that show nearly the same on two sides of a split; None before curation."""
    has_curation: bool

    @property
    def first(self) -> list[Reason]:
        """The reasons that are shown at once."""
        return self.reasons[:_SHOWN_AT_ONCE]

    @property
    def others(self) -> list[Reason]:
        """Those that are shown when asked for."""
        return self.reasons[_SHOWN_AT_ONCE:]


def kept_room(
    ingestion: Mapping[str, Any],
    curation: Mapping[str, Any] | None,
    frames: pd.DataFrame | None,
    examined: Mapping[str, ExaminedShard] | None,
) -> Kept:
    """Return the room of the summaries of ingestion and curation, and of the judged frames where there are any."""
    return Kept(
        steps=funnel(ingestion, curation),
        splits=parts_of(curation["frames_by_split"]) if curation else [],
        cameras=sorted(ingestion["cameras"].items(), key=lambda item: -item[1]),
        reasons=[] if frames is None else reasons_of(frames, examined or {}),
        n_bytes=int(ingestion["n_bytes"]),
        sols=sols_of(ingestion),
        leaks=int(curation["leaks_found"]) if curation else None,
        has_curation=curation is not None,
    )


def funnel(ingestion: Mapping[str, Any], curation: Mapping[str, Any] | None) -> list[Step]:
    """Return the bars from what an archive listed to the kept frames."""
    listed = sum(int(query["listed"]) for query in ingestion["queries"].values())
    counts = [
        ("listed", listed, "by the archive"),
        ("selected", int(ingestion["n_selected"]), "each once, in its latest version"),
        ("fetched", int(ingestion["n_fetched"]), "whole files"),
    ]
    if curation:
        counts.append(("kept", int(curation["frames_kept"]), f"cut into {curation['tiles']:,} tiles"))
    most = max(count for _, count, _ in counts) or 1
    return [Step(name, count, count / most, note) for name, count, note in counts]


def parts_of(counts: Mapping[str, int]) -> list[Step]:
    """Return the splits with their shares of the kept frames."""
    whole = sum(counts.values()) or 1
    return [Step(split, counts[split], counts[split] / whole) for split in SPLITS if counts.get(split)]


def sols_of(ingestion: Mapping[str, Any]) -> str:
    """Return the range of sols in words; nothing where it is not known."""
    first, last = ingestion["sol_min"], ingestion["sol_max"]
    if first is None:
        return ""
    return f"sol {first}" if first == last else f"sols {first} to {last}"


def reasons_of(frames: pd.DataFrame, examined: Mapping[str, ExaminedShard]) -> list[Reason]:
    """Return the reasons of rejection, most frequent first, with examples from the nearest to the farthest miss."""
    from rovervision.pipelines.curation.figures.funnel import rejections_by_reason
    from rovervision.pipelines.curation.figures.pictures import pictures_of

    found = dict(list(rejections_by_reason(frames).items())[:REASONS_MAX])
    chosen = {reason: _examples(listed) for reason, listed in found.items()}
    wanted = {one.frame_id for listed in chosen.values() for one in listed}
    pictures = pictures_of(examined, frames, wanted) if wanted else {}
    about = frames.drop_duplicates("frame_id").set_index("frame_id")
    return [_reason(name, listed, chosen[name], pictures, about) for name, listed in found.items()]


def _examples(listed: list[Any]) -> list[Any]:
    ordered = sorted(listed, key=lambda one: (one.broken.excess if one.broken else 0.0, one.frame_id))
    return [ordered[place] for place in spread(len(ordered), EXAMPLES)]


def _reason(
    name: str, listed: list[Any], chosen: list[Any], pictures: Mapping[str, np.ndarray], about: pd.DataFrame
) -> Reason:
    """Return one reason. `listed` and `chosen` are rejections, `about` the frames by their id."""
    demands = sorted({one.broken.demand.replace("_", " ") for one in listed if one.broken})
    measures = [one.broken.measure for one in listed if one.broken]
    told = name.replace("_", " ")
    return Reason(
        name=told,
        why=WHY.get(name) or (WHY.get(measures[0], "") if measures else ""),
        demand=", ".join(demands[:2]),
        count=len(listed),
        alone=sum(one.is_only for one in listed),
        examples=[_example(one, told, pictures[one.frame_id], about) for one in chosen if one.frame_id in pictures],
        sentences=list(dict.fromkeys(sentence_of(one) for one in chosen if not one.broken))[:SENTENCES_MAX],
    )


def _example(one: Any, reason: str, pixels: np.ndarray, about: pd.DataFrame) -> Example:
    frame = about.loc[one.frame_id]
    camera = f"{frame['rover']} {frame['camera']}".replace("_", " ")
    value = f"{one.broken.value:.3g}".replace("-", "−") if one.broken else ""
    return Example(Picture(pixels, f"Rejected as {reason}: a frame of {camera}."), value)


def sentence_of(one: Any) -> str:
    """Return what a check says of a frame, without the reason's name."""
    return str(one.finding.partition(": ")[2] or one.finding)


def frieze(tiles: TileStore) -> Picture | None:
    """Return a band of kept tiles, evenly taken, colour first; None where there are too few for one."""
    color = np.flatnonzero(tiles.index["is_color"].to_numpy(bool) & ~tiles.index["is_debayered"].to_numpy(bool))
    rows = color if len(color) >= _FRIEZE_TILES else np.arange(len(tiles))
    if len(rows) < _FRIEZE_TILES:
        return None
    chosen = np.random.default_rng(0).permutation(rows[spread(len(rows), _FRIEZE_TILES)])
    shown = [np.asarray(tiles.pixels[row]) for row in chosen]
    alt = f"{len(shown)} of the {len(tiles):,} kept tiles side by side."
    return sheet(shown, _FRIEZE_TILES // _FRIEZE_ROWS, _FRIEZE_PX, alt)
