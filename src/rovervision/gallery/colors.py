"""The third room: gray frames in colour, beside the truth where it is known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rovervision.gallery.pictures import ERROR_MAX, Picture, at_most, gray_of, heat
from rovervision.gallery.scores import Column, ScoreTable, score_table
from rovervision.imaging.color import rgb_to_lab
from rovervision.imaging.color_difference import ciede2000
from rovervision.imaging.decoding import decode_image, to_uint8
from rovervision.imaging.montage import spread
from rovervision.sources.frame import StoredFile

if TYPE_CHECKING:  # it brings torch, and runs that learn nothing have a page too
    from rovervision.learning.weights import Weights

RANKS: Mapping[str, float] = {
    "The median frame": 0.5,
    "The best frame": 0.0,
    "Better than three in four": 0.25,
    "Worse than three in four": 0.75,
    "The worst frame": 1.0,
}
"""Which of the scored frames are shown, by their place between the best (0) and the worst (1)."""
UNSEEN = 4
"""Gray frames that are shown in colour."""
_LONGEST_PX = 720

COLUMNS = (
    Column("ciede2000_mean", "mean", "Mean CIEDE2000 of the frames; about 1 is just noticeable.", "lower"),
    Column("ciede2000_median", "median", "CIEDE2000 of the median frame.", "lower"),
    Column("ciede2000_p90", "9 in 10 below", "CIEDE2000 that nine frames in ten stay below.", "lower"),
    Column("ratio_to_table", "ratio", "Mean error over that of the table by lightness.", "lower"),
    Column("chroma_ratio", "chroma", "Strength of the predicted colours over that of the true ones.", "near one"),
)
NAMES = {
    "gray": "gray, left as it is",
    "global_mean": "one mean colour",
    "lightness_table": "table by lightness",
    "starting_table": "the table that the model starts from",
    "camera_table": "table by lightness and camera",
    "oracle_table_and_tint": "bound: the table with the frame's true tint",
    "oracle_own_table": "bound: the frame's own table",
    "oracle_quarter_resolution": "bound: the true colours at a quarter of the resolution",
}


@dataclass(frozen=True)
class Comparison:
    """A frame as the colorizer got it, as it gave it back, and what is known of the difference."""

    title: str
    about: str
    gray: Picture
    predicted: Picture
    truth: Picture | None = None
    error: Picture | None = None
    doubt: Picture | None = None
    mean_error: float | None = None
    """CIEDE2000 of this picture."""
    mean_doubt: float | None = None


@dataclass(frozen=True)
class Colors:
    """All of the room."""

    kind: str
    comparisons: list[Comparison]
    unseen: list[Comparison]
    panels: Picture | None
    """Where a run has no model at hand: the figure that the last scoring drew."""
    scores: ScoreTable | None
    error_max: float = ERROR_MAX


def ranked_frames(scores: pd.DataFrame, method: str) -> dict[str, str]:
    """Return title → frame id of the frames to show; each frame once.

    scores: a row for each frame and method.
    """
    own = scores[scores["method"] == method].sort_values(["ciede2000", "frame_id"], kind="stable")
    ids = own["frame_id"].astype(str).to_list()
    chosen: dict[str, str] = {}
    for title, place in RANKS.items():
        frame_id = ids[round(place * (len(ids) - 1))] if ids else None
        if frame_id and frame_id not in chosen.values():
            chosen[title] = frame_id
    return chosen


def compare_frames(
    scores: pd.DataFrame, colorizer: "Weights", frames: pd.DataFrame, images: Mapping[str, StoredFile], work_px: int
) -> list[Comparison]:
    """Return whole frames of the scored split, coloured as the pipeline colours images.

    Args:
        scores: A row for each frame and method.
        colorizer: Trained weights.
        frames: Columns frame_id, rover, camera, sol.
        images: Raw files by frame id.
        work_px: Short side at which the network sees a frame.
    """
    from rovervision.learning.serving import OpenColorizer

    opened = OpenColorizer(colorizer, work_px)
    about = frames.drop_duplicates("frame_id").set_index("frame_id")
    shown = []
    for title, frame_id in ranked_frames(scores, str(colorizer.header["model"]["kind"])).items():
        row = about.loc[frame_id]
        image = at_most(to_uint8(decode_image(images[frame_id].read())), _LONGEST_PX)
        camera = f"{row['rover']}/{row['camera']}"
        shown.append(compare(title, told(row), image, opened(image, camera), opened.doubt(image)))
    return shown


def compare(
    title: str, about: str, image: np.ndarray, colored: np.ndarray, doubt: np.ndarray | None = None
) -> Comparison:
    """Return a frame whose colours are known, (H, W, 3) sRGB, beside those that it was given."""
    lab, lab_given = rgb_to_lab(image), rgb_to_lab(colored)
    error = ciede2000(lab, np.concatenate([lab[..., :1], lab_given[..., 1:]], axis=-1))
    return Comparison(
        title=title,
        about=about,
        gray=Picture(gray_of(lab), f"{about}, without its colour: what the colorizer is given."),
        predicted=Picture(colored, f"{about}, in the colours that the colorizer predicts."),
        truth=Picture(image, f"{about}, in its true colours."),
        error=Picture(
            heat(error, ERROR_MAX), f"Map of the errors of the predicted colours, on average {error.mean():.1f}."
        ),
        doubt=None
        if doubt is None
        else Picture(
            heat(doubt, ERROR_MAX), f"Map of the errors that the colorizer expects, on average {doubt.mean():.1f}."
        ),
        mean_error=float(error.mean()),
        mean_doubt=None if doubt is None else float(doubt.mean()),
    )


def color_unseen(colored: Mapping[str, StoredFile], frames: pd.DataFrame) -> list[Comparison]:
    """Return gray frames, evenly taken of each camera, in the colours that they were given.

    colored: PNG by name; files of doubt are left out.
    """
    about = frames.drop_duplicates("frame_id").set_index("frame_id")
    stems = {name: name.removesuffix(".png") for name in sorted(colored)}
    known = [name for name, stem in stems.items() if stem in about.index]
    shown = []
    for name in by_camera([about.loc[stems[each]] for each in known], known):
        image = at_most(to_uint8(decode_image(colored[name].read())), _LONGEST_PX)
        where = told(about.loc[stems[name]])
        gray = Picture(gray_of(rgb_to_lab(image)), f"{where}, as it was sent: gray.")
        shown.append(Comparison(where, "", gray, Picture(image, f"{where}, in predicted colours.")))
    return shown


def by_camera(rows: Iterable[pd.Series], names: list[str]) -> list[str]:
    """Return a few of the names, one of each camera in turn."""
    cameras = pd.Series([f"{row['rover']}/{row['camera']}" for row in rows], index=names, dtype=object)
    turns = cameras.groupby(cameras).cumcount()
    middle = [each.index[place] for _, each in cameras.groupby(cameras) for place in spread(len(each), 3)[1:2]]
    rest = [name for name in turns.sort_values(kind="stable").index if name not in middle]
    return [*middle, *rest][:UNSEEN]


def told(row: pd.Series) -> str:
    """Return `Curiosity, Mastcam left, sol 153`."""
    words = [str(row["rover"]).capitalize(), str(row["camera"]).replace("_", " ").capitalize()]
    return ", ".join(words + ([] if pd.isna(row["sol"]) else [f"sol {int(row['sol'])}"]))


def scores_of(table: pd.DataFrame) -> ScoreTable:
    """Return the colorizer beside its baselines and bounds, from the worst to the best."""
    count = int(table["frames"].max())
    caption = f"Errors on {count:,} frames that nothing was learnt from."
    own = table.loc[table["role"] == "model", "method"].astype(str)
    names = NAMES | {name: f"this colorizer ({name.replace('_', ' ')})" for name in own}
    ordered = table.sort_values("ciede2000_mean", ascending=False, kind="stable")
    ordered = ordered.rename(columns={"ciede2000_low": "bar_low", "ciede2000_high": "bar_high"})
    return score_table(caption, ordered.assign(bar_mean=ordered["ciede2000_mean"]), COLUMNS, names, "bar")
