"""The card of a published set of tiles: what it is, where it comes from, who is to be credited, what was left out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import pandas as pd
import yaml

from rovervision import __version__
from rovervision.imaging.balance import share_column
from rovervision.imaging.tiles import TileStore
from rovervision.sources.regions import REGION_NAMES

SYNTHETIC: Final = "synthetic"
"""The source whose images this program renders itself."""

_NASA_CREDIT: Final = "NASA/JPL"
_POLICY_URL: Final = "https://www.jpl.nasa.gov/jpl-image-use-policy"

_SIZES: Final = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
)
"""Upper ends of the classes of size that dataset hosts know."""

_COLUMNS: Final = {
    "image": "the tile, PNG, sRGB; a gray frame has R = G = B",
    "regions": "where exported, a PNG of region numbers: "
    + ", ".join(f"{n} {name}" for n, name in REGION_NAMES.items()),
    "tile_id, frame_id": "names of the tile and of the frame it was cut from",
    "rover, camera, sol": "who took it, on which Martian day of the mission",
    "taken_utc, sclk_s": "when, as UTC and on the rover's clock, where known",
    "label": "the class that the archive's makers gave the frame, where they did",
    "split, group": "train, val or test; what must stay in one split",
    "left_px, top_px, side_px": "the tile's square in the decoded source image",
    "is_color": "whether the frame has colour",
    "is_debayered": "colour was made of a Bayer mosaic and keeps the white balance of the sensor",
    "weight": "1 / (tiles of the frame × frames that show nearly the same)",
}

_FURTHER_COLUMNS: Final = {
    "sampling_weight": "`weight`, balanced so that rare regions are drawn more often; of mean 1 within a split",
    "recipe": "the set of rules by which the frame was judged",
    "n_alike": "frames that show nearly the same, this one included",
    "region": "the scarcest region that the tile shows",
}
"""Explained where an index has them."""


def dataset_card(tiles: TileStore, frames: pd.DataFrame, title: str = "Tiles of Mars rover images") -> str:
    """Return the card of an export as Markdown with a YAML front matter.

    Args:
        tiles: what is exported.
        frames: every frame of the curation, kept or not, with kept, reasons, and where known source and credit.
        title: heading and pretty name.
    """
    kept = frames[frames["kept"].astype(bool)]
    return "\n".join(
        [
            "---",
            yaml.safe_dump(front_matter(tiles, kept, title), sort_keys=False, allow_unicode=True).strip(),
            "---",
            "",
            f"# {title}",
            "",
            *_introduction(tiles, frames, kept),
            *_section("Splits", _splits(tiles.index)),
            *_section("Where the images come from", _cameras(tiles.index, kept)),
            *_section("Credit and use", _credits(kept)),
            *_section("What was left out", _rejected(frames)),
            *_section("How it was made", _making(tiles)),
            *_section("Columns", _columns(tiles.index)),
            *_section("Limits", _LIMITS),
        ]
    )


def front_matter(tiles: TileStore, kept: pd.DataFrame, title: str) -> dict[str, Any]:
    """Return what a dataset host reads: name, licence, size, tasks."""
    index = tiles.index
    tasks = ["unconditional-image-generation", "image-feature-extraction"]
    tasks += ["image-to-image"] if index["is_color"].astype(bool).any() else []
    tasks += ["image-classification"] if index["label"].notna().any() else []
    size = next((name for most, name in _SIZES if len(tiles) < most), "100M<n<1B")
    tags = ["mars", "planetary-science", *sorted({str(rover) for rover in index["rover"].unique()} - {"unknown"})]
    return {"pretty_name": title, **_license(kept), "size_categories": [size], "task_categories": tasks, "tags": tags}


def _license(kept: pd.DataFrame) -> dict[str, str]:
    """Return the licence as hosts name it; nothing for images that need none."""
    credits = _credit_counts(kept)
    if not credits:
        return {}
    if all(_NASA_CREDIT in credit for credit in credits) and not _has_labelled(kept):
        return {"license": "other", "license_name": "jpl-image-use-policy", "license_link": _POLICY_URL}
    return {"license": "other", "license_name": "several", "license_link": "README.md"}


def _introduction(tiles: TileStore, frames: pd.DataFrame, kept: pd.DataFrame) -> list[str]:
    index, px = tiles.index, tiles.tile_px
    n_frames = index["frame_id"].nunique()
    return [
        f"{len(tiles):,} square tiles of {px} × {px} pixels, cut from {n_frames:,} frames of the rovers' cameras. "
        f"{len(frames):,} frames were examined and {len(kept):,} kept.",
        "",
        "```python",
        "from datasets import load_dataset",
        'tiles = load_dataset("<this folder>")  # tiles["train"][0]["image"]',
        "```",
        "",
    ]


def _splits(index: pd.DataFrame) -> list[str]:
    rows = [
        (split, f"{len(part):,}", f"{part['frame_id'].nunique():,}", f"{part['group'].nunique():,}")
        for split, part in index.groupby("split", sort=False)
    ]
    return [
        "Frames that show the same scene (near duplicates, bursts, neighbouring sols of one rover) form a group, and a "
        "group stands in one split. `val` is exported as `validation`.",
        "",
        *_table(("split", "tiles", "frames", "groups"), rows),
    ]


def _cameras(index: pd.DataFrame, kept: pd.DataFrame) -> list[str]:
    sources = kept.set_index("frame_id")["source"] if "source" in kept else pd.Series(dtype=object)
    placed = index.assign(source=index["frame_id"].map(sources).fillna("unknown"))
    rows = [
        (*map(str, names), f"{part['frame_id'].nunique():,}", f"{len(part):,}", _span(part["sol"]))
        for names, part in placed.groupby(["source", "rover", "camera"], sort=True)
    ]
    return _table(("source", "rover", "camera", "frames", "tiles", "sols"), rows)


def _span(sols: pd.Series) -> str:
    known = sols.dropna()
    return f"{int(known.min())} to {int(known.max())}" if len(known) else "unknown"


def _credits(kept: pd.DataFrame) -> list[str]:
    credits = _credit_counts(kept)
    lines = [f"{_n_synthetic(kept):,} frames were rendered by a program; they need no credit.", ""]
    lines = lines if _n_synthetic(kept) else []
    if any(_NASA_CREDIT in credit for credit in credits):
        lines += [
            f"JPL's [image use policy]({_POLICY_URL}) lets the images of NASA's rovers be used for any purpose without "
            'prior permission. Credit them with the line below, or with "Courtesy NASA/JPL-Caltech" where none is more '
            "exact. No endorsement by NASA, JPL or Caltech may be implied, and their insignia, logotypes and seals may "
            "not be used.",
            "",
        ]
    if any(_NASA_CREDIT not in credit for credit in credits):
        lines += ["For lines without NASA/JPL the policy says nothing: find out what applies before you publish.", ""]
    if _has_labelled(kept):
        lines += [
            "The labelled set of Curiosity images is the work of Wagstaff et al. (IAAI 2018, doi "
            "10.5281/zenodo.1049137); read the licence on its own page before you pass it on.",
            "",
        ]
    rows = [(credit, f"{count:,}") for credit, count in credits.most_common()]
    return lines + (_table(("credit", "frames kept"), rows) if rows else [])


def _credit_counts(kept: pd.DataFrame) -> Counter[str]:
    """Return the credit lines of the frames that need one."""
    real = kept[kept["source"] != SYNTHETIC] if "source" in kept else kept
    lines = real["credit"].fillna("not stated") if "credit" in real else ["not stated"] * len(real)
    return Counter(str(line) for line in lines)


def _has_labelled(kept: pd.DataFrame) -> bool:
    """Tell whether the published set of labelled images is among the sources: it has a licence of its own."""
    return "source" in kept and bool((kept["source"] == "msl_labelled").any())


def _n_synthetic(kept: pd.DataFrame) -> int:
    return int((kept["source"] == SYNTHETIC).sum()) if "source" in kept else 0


def _rejected(frames: pd.DataFrame) -> list[str]:
    n_rejected = int((~frames["kept"].astype(bool)).sum())
    reasons = Counter(reason for listed in frames["reasons"] for reason in listed)
    if not n_rejected:
        return [f"Nothing: all of {len(frames):,} frames were kept."]
    rows = [(reason, f"{count:,}") for reason, count in reasons.most_common()]
    return [
        f"{n_rejected:,} of {len(frames):,} frames. A frame may have several reasons.",
        "",
        *_table(("reason", "frames"), rows),
    ]


def _making(tiles: TileStore) -> list[str]:
    return [
        f"With rovervision {__version__}: every frame was decoded once and measured; black borders were cut away and "
        "Bayer mosaics debayered; frames that broke a rule or repeated another were rejected; groups were shared out "
        f"by hash; squares of the kept frames were resized to {tiles.tile_px} pixels, by area averaging where they "
        "shrank and cubically where they grew.",
    ]


def _columns(index: pd.DataFrame) -> list[str]:
    told = _COLUMNS | {name: meaning for name, meaning in _FURTHER_COLUMNS.items() if name in index.columns}
    names = {name for joined in told for name in joined.split(", ")}
    shares = [name for name in map(share_column, REGION_NAMES.values()) if name in index.columns]
    measures = [str(name) for name in index.columns if name not in names.union(shares)]
    rest = {", ".join(shares): "share of the tile that shows the region", ", ".join(measures): "measures of the frame"}
    return _table(("column", "what it is"), [row for row in (told | rest).items() if row[0]])


_LIMITS: Final = [
    "- Colours are those that the archives publish: stretched image by image, and not comparable between frames.",
    "- Rovers photograph far more soil than hardware, sky or rare scenes.",
    "- Tiles of one frame may overlap.",
    "- Near duplicates are found on small copies of the frames: the same rocks seen from another place are not.",
]


def _section(heading: str, lines: Sequence[str]) -> list[str]:
    return [f"## {heading}", "", *lines, ""]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in [list(head), ["---"] * len(head), *cells]]
