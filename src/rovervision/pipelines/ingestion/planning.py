"""What a download will cost, before it is made: frames, files that are there already, bytes."""

from collections.abc import Iterator
from textwrap import shorten
from typing import Final

import pandas as pd

from rovervision.sources.fetch_plan import origin_of, stored_name
from rovervision.sources.frame import Frame, MeasuringSource
from rovervision.sources.frame_table import each_frame
from rovervision.sources.http.transport import FetchError
from rovervision.sources.registry import IngestionConfig, fingerprint_of

ALIKE: Final = ["source", "rover", "camera", "product_type", "sample_type"]
"""Frames that share these are about equally large."""

SAMPLES: Final = 3  # enough for the order of magnitude; each costs the archive a request
_SOLS_CHARS: Final = 76


def mark_stored(frames_selected: pd.DataFrame, files_stored: pd.DataFrame, config: IngestionConfig) -> pd.DataFrame:
    """Return the selected frames with `n_bytes`: the size of the file that stands whole in the folder, else missing."""
    known = {(row.name, row.origin): row.n_bytes for row in files_stored.itertuples(index=False)}
    sizes = [
        known.get((stored_name(frame), origin_of(frame, fingerprint_of(frame.source, config))))
        for frame in each_frame(frames_selected)
    ]
    return frames_selected.assign(n_bytes=pd.array(sizes, dtype="Int64"))


def unmeasured(marked: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield for each kind of frame that is to be fetched and of which too few are stored: its key, and a few frames."""
    for kind, part in marked.groupby(ALIKE, sort=True):
        missing = part[part["n_bytes"].isna()]
        if len(missing) and len(part) - len(missing) < SAMPLES:
            yield key_of(kind), missing.iloc[:: -(-len(missing) // SAMPLES)]


def key_of(kind: tuple[str, ...]) -> str:
    """Return the key of a kind of frame in the table of asked sizes."""
    return "/".join(kind)


def measure(source: MeasuringSource, frames: list[Frame]) -> list[int]:
    """Ask an archive how long files are; a file that it cannot tell of is left out."""
    sizes = []
    for frame in frames:
        try:
            size = source.size_bytes(frame)
        except FetchError:
            continue
        sizes += [size] if size is not None else []
    return sizes


def tabulate(marked: pd.DataFrame, sizes_asked: dict[str, list[int]]) -> pd.DataFrame:
    """Count, for each query, camera and sol, what is to be fetched.

    Args:
        marked: Selected frames, with `n_bytes` where they are stored.
        sizes_asked: Sizes in bytes of a few files of each kind, by key.

    Returns:
        Columns query, rover, camera, sol, n_frames, n_stored, n_missing and bytes_missing, an estimate from the mean
        size of the stored and the asked files of the same kind; missing where nothing is known.
    """
    means = marked["n_bytes"].astype("float64")
    for kind, part in marked.groupby(ALIKE, sort=False):
        sizes = [*part["n_bytes"].dropna(), *sizes_asked.get(key_of(kind), [])]
        means[part.index] = sum(sizes) / len(sizes) if sizes else float("nan")
    is_missing = marked["n_bytes"].isna()
    counted = marked.assign(
        n_frames=1, n_missing=is_missing.astype("int64"), bytes_missing=means.where(is_missing, 0.0)
    ).groupby(["query", "rover", "camera", "sol"], sort=True, dropna=False)
    table = counted[["n_frames", "n_missing"]].sum()
    table.insert(1, "n_stored", table["n_frames"] - table["n_missing"])
    table["bytes_missing"] = counted["bytes_missing"].agg(lambda sizes: sizes.sum(skipna=False))
    return table.reset_index()


def expected_bytes(plan: pd.DataFrame) -> int:
    """Return how many bytes a plan is expected to fetch; what is not known counts as nothing."""
    return int(plan["bytes_missing"].sum())


def describe(plan: pd.DataFrame, *, in_full: bool) -> str:
    """Say a plan in words: one line in all, and in full one for each query and camera."""
    total = (
        f"{plan['n_frames'].sum():,} frames selected, {plan['n_stored'].sum():,} of them stored; "
        f"{plan['n_missing'].sum():,} to fetch{_cost(plan)}."
    )
    if not in_full:
        return total
    rows = [
        (query, f"{rover}/{camera}", f"{part['n_missing'].sum():,}", _cost(part).lstrip(", "), _sols(part))
        for (query, rover, camera), part in plan.groupby(["query", "rover", "camera"], sort=True)
    ]
    head = ("query", "camera", "to fetch", "bytes", "sols (frames)")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head) - 1)]
    return "\n".join(["", *(_line(row, widths) for row in [head, *rows]), "", total])


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    query, camera, count, cost, sols = row
    return f"{query:<{widths[0]}}  {camera:<{widths[1]}}  {count:>{widths[2]}}  {cost:>{widths[3]}}  {sols}"


def _sols(part: pd.DataFrame) -> str:
    counts = part[part["n_missing"] > 0].groupby("sol", dropna=False)["n_missing"].sum()
    named = [f"{'unknown' if pd.isna(sol) else sol} ({count})" for sol, count in counts.items()]
    told = shorten(", ".join(named), _SOLS_CHARS, placeholder=" ...")
    return told if len(told) < _SOLS_CHARS - 5 else f"{told} {len(named)} sols to {counts.index.max()}"


def _cost(part: pd.DataFrame) -> str:
    missing = part[part["n_missing"] > 0]
    if missing.empty:
        return ""
    known = missing["bytes_missing"].dropna()
    if known.empty:
        return ", size unknown"
    return f", {'about' if len(known) == len(missing) else 'at least'} {amount(float(known.sum()))}"


def amount(n_bytes: float) -> str:
    """Return a number of bytes in words: `812 kB`, `3.1 GB` (powers of ten, as disks are sold)."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 999.5:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"
