"""Which frames show the same, or belong together: examples of every kind of relation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rovervision.imaging.chart_style import FAINT, INK, MUTED
from rovervision.imaging.montage import spread
from rovervision.imaging.relations import BURST, KINDS, NEAR, SAME_SCENE, STEREO, related_components
from rovervision.imaging.tiles import ExaminedShard
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
    write_legend,
    write_title,
)
from rovervision.pipelines.curation.figures.pictures import pictures_of

_SIDE_IN, _GAP_IN, _GROUP_GAP_IN, _ROW_IN, _HEAD_IN, _WIDTH_IN = 1.0, 0.05, 0.32, 1.72, 0.42, 13.4
_MEMBERS = 4
"""Pictures of one group; a larger one says how many more it has."""
_GROUPS = 12
"""At most so many groups of one kind, fewer where they do not fit in its two lines."""
_LINES = 2

_SENTENCES = {
    "exact": "the same bytes",
    "near": "nearly the same picture",
    "stereo": "left and right of one camera pair",
    "burst": "taken one right after another",
    "version": "versions of one product",
    "same_scene": "different frames of which two tiles are nearly the same (the first tile of each is shown)",
}


class Group(NamedTuple):
    """Frames that one kind of relation connects."""

    frame_ids: list[str]
    measures: tuple[float, float]
    """Smallest and largest of its pairs; NaN where the kind has no measure."""


class Line(NamedTuple):
    """Groups of one kind that stand side by side."""

    kind: str
    groups: list[Group]


def draw_duplicates(
    frames_examined: Mapping[str, ExaminedShard], frames_split: pd.DataFrame, frames_related: pd.DataFrame
) -> Figure:
    """Return a figure: for each kind of relation a few groups side by side, with what relates them.

    frames_related: `RELATION_COLUMNS`. Groups are spread from the weakest relation to the strongest, so that doubtful
    ones are seen. The bar below a picture is its split; whatever stays together has one colour.
    """
    title = "Frames that show the same, or belong together"
    related = {kind: frames_related[frames_related["kind"] == kind] for kind in KINDS}
    groups = {kind: groups_of(pairs) for kind, pairs in related.items() if len(pairs)}
    if not groups:
        return empty_page(title, "No two frames are related.")
    lines = [line for kind, found in groups.items() for line in laid_out(kind, found)]
    wanted = {frame_id for line in lines for group in line.groups for frame_id in group.frame_ids[:_MEMBERS]}
    facts = frames_split[frames_split["frame_id"].isin(wanted)].set_index("frame_id")
    pictures = pictures_of(frames_examined, frames_split, wanted)
    page = blank_page(_WIDTH_IN, TITLE_IN + 0.25 + _HEAD_IN * len(groups) + _ROW_IN * len(lines))
    write_title(page, title, _counts(related))
    write_legend(page, MARGIN_IN, TITLE_IN, {**SPLIT_COLORS, "rejected": REJECTED})
    top, before = TITLE_IN + 0.3, ""
    for line in lines:
        if line.kind != before:
            _write_kind(page, top, line.kind, groups[line.kind], len(related[line.kind]))
            top, before = top + _HEAD_IN, line.kind
        _draw_line(page, top, line, facts, pictures)
        top += _ROW_IN
    return figure_of(page)


def groups_of(pairs: pd.DataFrame) -> list[Group]:
    """Return the groups that pairs of one kind connect, weakest first: least correlation, most seconds apart."""
    ids = pd.unique(pd.concat([pairs["frame_id"], pairs["other_id"]]).astype(str))
    members = pd.Series(ids).groupby(related_components(pairs, ids.tolist(), KINDS)).agg(list)
    owner = {frame_id: number for number, listed in members.items() for frame_id in listed}
    measures = pairs["measure"].groupby(pairs["frame_id"].astype(str).map(owner)).agg(["min", "max"])
    found = [Group(sorted(members[n]), (low, high)) for n, low, high in measures.itertuples()]
    is_time = set(pairs["kind"]) <= {STEREO, BURST}
    return sorted(found, key=lambda one: (-one.measures[1] if is_time else one.measures[0], one.frame_ids))


def laid_out(kind: str, groups: Sequence[Group]) -> list[Line]:
    """Return as many of the groups, evenly spread, as find room in `_LINES` lines."""
    for wanted in range(_GROUPS, 0, -1):
        lines = list(_lines(kind, [groups[place] for place in spread(len(groups), wanted)]))
        if len(lines) <= _LINES:
            break
    return lines


def _lines(kind: str, groups: Sequence[Group]) -> Iterator[Line]:
    """Yield lines, each of as many groups as fit."""
    line: list[Group] = []
    left = MARGIN_IN
    for group in groups:
        wide = _width(group)
        if line and left + wide > _WIDTH_IN - MARGIN_IN:
            yield Line(kind, line)
            line, left = [], MARGIN_IN
        line.append(group)
        left += wide + _GROUP_GAP_IN
    yield Line(kind, line)


def _width(group: Group) -> float:
    shown = min(len(group.frame_ids), _MEMBERS)
    return shown * (_SIDE_IN + _GAP_IN) - _GAP_IN + (0.42 if len(group.frame_ids) > _MEMBERS else 0.0)


def _counts(related: Mapping[str, pd.DataFrame]) -> str:
    told = [f"{kind.replace('_', ' ')} {len(pairs):,}" for kind, pairs in related.items()]
    return f"Pairs of each kind: {', '.join(told)}. Groups stand from the weakest to the strongest, evenly spread."


def _write_kind(page: Axes, top: float, kind: str, groups: Sequence[Group], n_pairs: int) -> None:
    sizes = sorted(len(group.frame_ids) for group in groups)
    range_ = f"{sizes[0]}" if sizes[0] == sizes[-1] else f"{sizes[0]} to {sizes[-1]}"
    fill(page, MARGIN_IN, top, _WIDTH_IN - 2 * MARGIN_IN, 0.012, FAINT)
    write(page, MARGIN_IN, top + 0.1, kind.replace("_", " "), fontsize=11.5)
    told = f"{_SENTENCES[kind]}: {counted(n_pairs, 'pair')}, {counted(len(groups), 'group')} of {range_} frames"
    write(page, MARGIN_IN + 1.25, top + 0.125, told, color=MUTED, fontsize=9)


def _draw_line(page: Axes, top: float, line: Line, facts: pd.DataFrame, pictures: Mapping[str, np.ndarray]) -> None:
    left = MARGIN_IN
    for group in line.groups:
        for place, frame_id in enumerate(group.frame_ids[:_MEMBERS]):
            here = left + place * (_SIDE_IN + _GAP_IN)
            if frame_id in pictures:
                put(page, pictures[frame_id], here, top, _SIDE_IN, _SIDE_IN)
            _write_frame(page, here, top + _SIDE_IN, facts.loc[frame_id])
        wide = _width(group)
        if len(group.frame_ids) > _MEMBERS:
            more = f"+{len(group.frame_ids) - _MEMBERS:,}"
            write(page, left + wide - 0.37, top + _SIDE_IN / 2, more, color=MUTED, va="center")
        write(page, left, top + _SIDE_IN + 0.39, _relation(line.kind, group), fontsize=8.5, color=INK)
        left += wide + _GROUP_GAP_IN


def _write_frame(page: Axes, left: float, top: float, frame: pd.Series) -> None:
    """Write a bar in the colour of the frame's split, then which camera took it on which sol."""
    split = str(frame["split"])
    fill(page, left, top + 0.02, _SIDE_IN, 0.055, SPLIT_COLORS.get(split, REJECTED))
    sol = "" if pd.isna(frame["sol"]) else f"sol {int(frame['sol'])}"
    camera = str(frame["camera"]).replace("_", " ")
    write(page, left, top + 0.1, f"{camera}\n{sol}".strip(), color=MUTED, fontsize=6.5, linespacing=1.15)


def _relation(kind: str, group: Group) -> str:
    """Return the measure of a group in words: correlation, or seconds apart."""
    low, high = group.measures
    if kind in {NEAR, SAME_SCENE}:
        return f"r = {low:.3f}" if f"{low:.3f}" == f"{high:.3f}" else f"r = {low:.3f} to {high:.3f}"
    if kind in {STEREO, BURST}:
        return f"{low:.3g} s apart" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g} s apart"
    return ""
