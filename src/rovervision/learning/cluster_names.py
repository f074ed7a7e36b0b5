"""What a cluster holds, in numbers and in a few words."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rovervision.errors import RovervisionError
from rovervision.imaging.balance import region_shares, share_column
from rovervision.imaging.color import rgb_to_lab
from rovervision.imaging.descriptors import resize
from rovervision.imaging.tiles import TileStore
from rovervision.learning.cluster_scores import known_rows
from rovervision.learning.clusters import OUTLIER
from rovervision.sources.regions import REGION_NAMES, UNKNOWN

CLUSTER_COLUMNS = (
    "cluster",
    "name",
    "n_tiles",
    "share_frac",
    "medoid_tile_id",
    "medoid_row",
    "top_camera",
    "top_camera_frac",
    "top_camera_lift",
    "first_sol",
    "median_sol",
    "last_sol",
    "lightness",
    "chroma",
    "texture",
    "sky_frac",
    "ridge_frac",
    "ground_frac",
    "hardware_frac",
    "n_labelled",
    "purity",
    "top_labels",
    "mean_confidence",
)
"""One row per cluster. share_frac: of all tiles. top_camera: the camera whose share in the cluster exceeds its share of
all tiles the most, in tiles; its lift is the one share divided by the other. lightness and chroma: means in CIELAB.
texture: mean step of lightness between neighbours of a 32-pixel image. Shares of regions are of the pixels whose region
is known, and missing where there are none; ground is soil and rock. purity: share of the commonest label; sols and
labels are missing where none is known."""

_SIDE_PX = 32
_CHUNK_TILES = 1024
_GRAY_CHROMA = 8.0
"""Below, rover hardware and gray frames; Martian soil lies above."""
_MOST = 0.5
"""What covers so much gives the name."""
_MEASURES = ("lightness", "chroma", "texture")
_SUBJECTS = {"sky": ("sky",), "ridge": ("ridge",), "ground": ("ground", "rock"), "hardware": ("hardware",)}
_WORDS = {"lightness": ("dark", "bright"), "texture": ("smooth", "rough")}
_ACRONYMS = {"mahli", "mardi", "sherloc", "watson", "aci", "edl", "rmi", "mi"}


@dataclass(frozen=True)
class _Archive:
    """What is known of all tiles, a row each."""

    index: pd.DataFrame
    measures: pd.DataFrame
    regions: pd.DataFrame
    """Shares of the regions of `_SUBJECTS` among the pixels whose region is known; missing where there are none."""
    labels: pd.Series


def describe_clusters(
    tiles: TileStore,
    labels: NDArray[np.int64],
    distances: NDArray[np.float32],
    confidences: NDArray[np.float32] | None = None,
) -> pd.DataFrame:
    """Return a row of `CLUSTER_COLUMNS` for each cluster that has members, ascending, outliers (-1) last.

    The name tells what stands out: tone and subject (the commonest label, or two, or the region, where these cover at
    least half; else light and texture), the camera where it has more of the cluster than of the archive, and the middle
    90 % of the sols, as in "dark ground, Mastcam right, sols 3-52". A name that two clusters would share gets a number.

    Args:
        tiles: N tiles.
        labels: (N,) their clusters.
        distances: (N,) to the own centre. The medoid is the tile with the smallest: the member with the least squared
            distances to the others is the one nearest to their mean.
        confidences: (N,) of the assignment, 0 to 1.

    Raises:
        RovervisionError: cluster numbers or distances are not as many as the tiles.
    """
    labels = np.asarray(labels)
    if not len(tiles) == len(labels) == len(distances):
        raise RovervisionError(
            f"There are {len(labels)} cluster numbers and {len(distances)} distances for {len(tiles)} tiles: they are "
            "of other tiles. Cluster again."
        )
    archive = _look_at(tiles)
    found = sorted(set(labels.tolist()), key=lambda each: (each == OUTLIER, each))
    rows = [_describe(each, np.flatnonzero(labels == each), archive, distances, confidences) for each in found]
    table = pd.DataFrame(rows, columns=CLUSTER_COLUMNS)
    table["name"] = _told_apart(table["name"].tolist())
    return table


def measure_looks(pixels: NDArray[np.uint8]) -> pd.DataFrame:
    """Return (N, 3) lightness, chroma and texture of (N, P, P, 3) uint8 sRGB, as in `CLUSTER_COLUMNS`."""
    looks = np.zeros((len(pixels), 3))
    for top in range(0, len(pixels), _CHUNK_TILES):
        lab = rgb_to_lab(resize(np.asarray(pixels[top : top + _CHUNK_TILES]), _SIDE_PX))
        lightness, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
        steps = [np.abs(np.diff(lightness, axis=axis)).mean((1, 2)) for axis in (1, 2)]
        columns = lightness.mean((1, 2)), chroma.mean((1, 2)), (steps[0] + steps[1]) / 2
        looks[top : top + _CHUNK_TILES] = np.stack(columns, 1)
    return pd.DataFrame(looks, columns=_MEASURES)


def _look_at(tiles: TileStore) -> _Archive:
    shares = region_shares(tiles.regions, REGION_NAMES)
    known = 1 - shares[share_column(REGION_NAMES[UNKNOWN])]
    regions = pd.DataFrame(
        {
            subject: shares[[share_column(name) for name in names]].sum(axis=1) / known.where(known > 0)
            for subject, names in _SUBJECTS.items()
        }
    )
    raw = tiles.index["label"].astype("object")
    names = raw.where(known_rows(raw), None)
    return _Archive(tiles.index, measure_looks(tiles.pixels), regions, names)


def _describe(
    cluster: int,
    rows: NDArray[np.intp],
    archive: _Archive,
    distances: NDArray[np.float32],
    confidences: NDArray[np.float32] | None,
) -> dict[str, Any]:
    medoid = int(rows[np.argmin(np.asarray(distances)[rows])])
    row: dict[str, Any] = {
        "cluster": cluster,
        "n_tiles": len(rows),
        "share_frac": len(rows) / len(archive.index),
        "medoid_tile_id": archive.index["tile_id"].iloc[medoid],
        "medoid_row": medoid,
        "mean_confidence": np.nan if confidences is None else float(np.mean(confidences[rows])),
        **archive.measures.iloc[rows].mean().to_dict(),
        **{f"{name}_frac": share for name, share in archive.regions.iloc[rows].mean().items()},
        **_cameras(archive.index["camera"], rows),
        **_sols(archive.index["sol"].iloc[rows]),
        **_labels(archive.labels.iloc[rows]),
    }
    row["name"] = _name(row, archive)
    return row


def _cameras(cameras: pd.Series, rows: NDArray[np.intp]) -> dict[str, Any]:
    names = cameras.astype(str)
    everywhere, here = names.value_counts(normalize=True), names.iloc[rows].value_counts(normalize=True)
    top = (here - everywhere.reindex(here.index)).idxmax()
    return {"top_camera": top, "top_camera_frac": here[top], "top_camera_lift": here[top] / everywhere[top]}


def _sols(sols: pd.Series) -> dict[str, Any]:
    known = pd.to_numeric(sols, errors="coerce").dropna().astype(float)
    if known.empty:
        return {"first_sol": np.nan, "median_sol": np.nan, "last_sol": np.nan, "_sols": None}
    ends = tuple(int(each) for each in known.quantile([0.05, 0.95], interpolation="nearest"))
    return {"first_sol": known.min(), "median_sol": known.median(), "last_sol": known.max(), "_sols": ends}


def _labels(labels: pd.Series) -> dict[str, Any]:
    counts = labels.dropna().astype(str).value_counts()
    if counts.empty:
        return {"n_labelled": 0, "purity": np.nan, "top_labels": "", "_labels": ""}
    shares = (counts / counts.sum()).rename(index=lambda name: name.replace("_", " ").lower())
    told = ", ".join(f"{name} {share:.0%}" for name, share in shares.head(3).items() if share >= 0.005)
    fewest = next((n for n in (1, 2) if shares.head(n).sum() >= _MOST), 0)
    most = " and ".join(shares.index[:fewest])
    return {"n_labelled": int(counts.sum()), "purity": shares.iloc[0], "top_labels": told, "_labels": most}


def _name(row: dict[str, Any], archive: _Archive) -> str:
    cameras, sols = archive.index["camera"], row.pop("_sols")
    parts = [_subject(row, archive.measures)]
    if row["top_camera_frac"] >= _MOST and row["top_camera_lift"] >= 1.1 and cameras.nunique() > 1:
        parts.append(camera_words(row["top_camera"]))
    if sols is not None:
        parts.append(f"sol {sols[0]}" if sols[0] == sols[1] else f"sols {sols[0]}-{sols[1]}")
    return ", ".join(parts)


def _subject(row: dict[str, Any], measures: pd.DataFrame) -> str:
    """Return tone and subject: dark ground."""
    named, tone = row.pop("_labels"), _tone("lightness", row, measures)
    region = next((subject for subject in _SUBJECTS if row[f"{subject}_frac"] >= _MOST), "")
    look = [_tone("texture", row, measures), "gray" if row["chroma"] < _GRAY_CHROMA else "", "scenes"]
    subject = "outliers" if row["cluster"] == OUTLIER else named or region or " ".join(filter(None, look))
    return f"{tone} {subject}".strip()


def _tone(measure: str, row: dict[str, Any], measures: pd.DataFrame) -> str:
    """Return the word for a mean in the lowest or highest quarter of all tiles, or none."""
    low, high = measures[measure].quantile([0.25, 0.75])
    return _WORDS[measure][0] if row[measure] < low else _WORDS[measure][1] if row[measure] > high else ""


def camera_words(camera: str) -> str:
    """Return a camera's name to read: mastcam_right becomes Mastcam right, mahli MAHLI."""
    first, *rest = camera.split("_")
    return " ".join([first.upper() if first in _ACRONYMS else first.capitalize(), *rest])


def _told_apart(names: list[str]) -> list[str]:
    """Number the names that occur more than once."""
    total, seen = Counter(names), Counter[str]()
    told = []
    for name in names:
        seen[name] += 1
        told.append(f"{name} ({seen[name]})" if total[name] > 1 else name)
    return told
