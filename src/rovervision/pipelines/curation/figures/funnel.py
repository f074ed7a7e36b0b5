"""What was rejected and why."""

from collections.abc import Mapping
from textwrap import shorten, wrap
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import MUTED
from rovervision.imaging.montage import spread
from rovervision.imaging.splits import SPLITS
from rovervision.imaging.tiles import ExaminedShard
from rovervision.pipelines.curation.figures.broken_rules import BrokenRule, broken_rule
from rovervision.pipelines.curation.figures.pages import (
    MARGIN_IN,
    REJECTED,
    SPLIT_COLORS,
    TITLE_IN,
    blank_page,
    counted,
    empty_page,
    figure_of,
    fill,
    put,
    write,
    write_title,
)
from rovervision.pipelines.curation.figures.pictures import pictures_of

_EXAMPLES = 6
"""Pictures beside each reason."""
_TWO_COLUMNS_FROM = 7
"""With so many reasons they stand in two columns."""
_SIDE_IN, _GAP_IN, _ROW_IN, _NAMES_IN, _BAR_IN, _SHARES_IN, _NAME_IN = 0.9, 0.06, 1.36, 2.3, 1.6, 0.95, 1.2
_COLUMN_IN = _NAMES_IN + _EXAMPLES * (_SIDE_IN + _GAP_IN) + 0.45


class Rejection(NamedTuple):
    """A frame and what it is rejected for."""

    frame_id: str
    finding: str
    broken: BrokenRule | None
    is_only: bool
    """True where nothing else is wrong with the frame."""


def draw_funnel(frames_examined: Mapping[str, ExaminedShard], frames_split: pd.DataFrame) -> Figure:
    """Return a figure: the shares of all frames in one bar, then each reason of rejection, most frequent first.

    A frame that fails several checks counts under each. Examples of a reason lead from the value nearest to the limit
    to the farthest. Files that cannot be decoded have no picture.
    """
    title = "What is kept, and why the rest is not"
    if not len(frames_split):
        return empty_page(title, "There is no frame.")
    rejections = rejections_by_reason(frames_split)
    examples = {reason: examples_of(listed) for reason, listed in rejections.items()}
    wanted = {one.frame_id for listed in examples.values() for one in listed}
    pictures = pictures_of(frames_examined, frames_split, wanted)
    columns = 2 if len(rejections) >= _TWO_COLUMNS_FROM else 1
    lines = -(-len(rejections) // columns)
    page = blank_page(MARGIN_IN + columns * _COLUMN_IN, TITLE_IN + _SHARES_IN + _ROW_IN * lines + 0.4)
    _write_head(page, frames_split, title)
    most = max(map(len, rejections.values()), default=1)
    for number, (reason, listed) in enumerate(rejections.items()):
        left = MARGIN_IN + number // lines * _COLUMN_IN
        top = TITLE_IN + _SHARES_IN + number % lines * _ROW_IN
        _draw_reason(page, left, top, reason, listed, most)
        _draw_examples(page, left + _NAMES_IN, top, examples[reason], pictures)
    order = "Pictures are squares inside any black border; from the value nearest to the limit to the farthest."
    note = order if rejections else "No frame was rejected."
    write(page, MARGIN_IN, TITLE_IN + _SHARES_IN + _ROW_IN * lines + 0.08, note, color=MUTED, fontsize=8.5)
    return figure_of(page)


def rejections_by_reason(frames: pd.DataFrame) -> dict[str, list[Rejection]]:
    """Return reason -> its frames, most frequent reason first."""
    found: dict[str, list[Rejection]] = {}
    rejected = frames[~frames["kept"].astype(bool)]
    columns = (rejected["frame_id"].astype(str), rejected["reasons"], rejected["findings"])
    for frame_id, reasons, findings in zip(*columns, strict=True):
        for reason, finding in zip(reasons, findings, strict=True):
            one = Rejection(frame_id, str(finding), broken_rule(str(finding)), len(reasons) == 1)
            found.setdefault(str(reason), []).append(one)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def examples_of(listed: list[Rejection]) -> list[Rejection]:
    """Return a few, evenly spread from the value nearest to its limit to the farthest."""
    ordered = sorted(listed, key=lambda one: (one.broken.excess if one.broken else 0.0, one.frame_id))
    return [ordered[place] for place in spread(len(ordered), _EXAMPLES)]


def _write_head(page: Axes, frames: pd.DataFrame, title: str) -> None:
    """Write the title, and below it one bar: the kept frames by split, then the rejected ones."""
    kept = frames["kept"].astype(bool)
    told = f"{counted(len(frames), 'frame')} came in, {int(kept.sum()):,} are kept ({100 * kept.mean():.1f} %)."
    write_title(page, title, f"{told} A frame that fails several checks counts under each.")
    parts = [(split, int((frames["split"] == split).sum()), SPLIT_COLORS[split]) for split in SPLITS]
    parts = [part for part in (*parts, ("rejected", int((~kept).sum()), REJECTED)) if part[1]]
    width = page.get_xlim()[1] - 2 * MARGIN_IN
    lefts = MARGIN_IN + width * np.cumsum([0, *(count for _, count, _ in parts)]) / len(frames)
    for left, right, name, (split, count, color) in zip(lefts, lefts[1:], _apart(lefts), parts, strict=False):
        fill(page, left, TITLE_IN + 0.32, max(right - left - 0.02, 0.02), 0.26, color)
        fill(page, name, TITLE_IN + 0.12, 0.12, 0.12, color)
        write(page, name + 0.18, TITLE_IN + 0.18, f"{split} {count:,}", fontsize=9.5, va="center")


def _apart(lefts: np.ndarray) -> np.ndarray:
    """Return where the names of a bar's parts begin: with their part, or as near as their neighbours let them.

    lefts: where each part begins, and where the last one ends.
    """
    steps = np.arange(len(lefts)) * _NAME_IN
    pushed = np.maximum.accumulate(lefts - steps) + steps  # to the right, away from the one before
    ends = np.minimum(pushed, lefts[-1])
    return np.minimum.accumulate((ends - steps)[::-1])[::-1] + steps  # back to the left, where the bar ends


def _draw_reason(page: Axes, left: float, top: float, reason: str, listed: list[Rejection], most: int) -> None:
    """Draw a reason's name, what it demands, how many frames fail it, and how many fail nothing else."""
    demands = sorted({one.broken.demand for one in listed if one.broken})
    write(page, left, top, reason.replace("_", " "), fontsize=11)
    write(page, left, top + 0.21, "\n".join(demands[:2]) or " ", color=MUTED, fontsize=8)
    below = top + 0.24 + 0.15 * max(min(len(demands), 2), 1)
    fill(page, left, below, max(_BAR_IN * len(listed) / most, 0.02), 0.13, REJECTED)
    write(page, left, below + 0.19, f"{counted(len(listed), 'frame')}", fontsize=8.5)
    alone = sum(one.is_only for one in listed)
    write(page, left, below + 0.35, f"{alone:,} by this alone", color=MUTED, fontsize=7.5)


def _draw_examples(
    page: Axes, left: float, top: float, examples: list[Rejection], pictures: Mapping[str, np.ndarray]
) -> None:
    """Draw a strip of pictures with the measured value below each; what was not decoded leaves its sentence."""
    seen = [one for one in examples if one.frame_id in pictures]
    if not seen:
        write(page, left, top + 0.02, "no picture could be decoded", color=MUTED, fontsize=8.5)
        for line, one in enumerate(examples[:2]):
            write(page, left, top + 0.24 + 0.17 * line, shorten(_sentence(one), 88), color=MUTED, fontsize=7)
    for place, one in enumerate(seen):
        here = left + place * (_SIDE_IN + _GAP_IN)
        put(page, pictures[one.frame_id], here, top, _SIDE_IN, _SIDE_IN)
        if one.broken:
            write(page, here, top + _SIDE_IN + 0.04, f"{one.broken.value:.4g}".replace("-", "−"), fontsize=8.5)
        else:
            told = "\n".join(wrap(_sentence(one), 17, max_lines=2, placeholder="…"))
            write(page, here, top + _SIDE_IN + 0.04, told, fontsize=6.5, color=MUTED, linespacing=1.1)


def _sentence(one: Rejection) -> str:
    """Return the finding without its reason."""
    return one.finding.partition(": ")[2] or one.finding
