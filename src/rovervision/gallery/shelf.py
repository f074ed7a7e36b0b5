"""Files beside the page: where pages go, what they link to, and the hashes of what they show."""

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pandas as pd

from rovervision.gallery.facts import Hash
from rovervision.gallery.page import Link

FOLDER, LATEST = "gallery", "gallery.html"
"""Below the folder of reports: where the pages of all runs lie, and the last of them."""
EARLIER_MAX = 20

FIGURE_SUFFIXES = frozenset({".png", ".jpg", ".svg", ".gif", ".html", ".mp4"})


def page_name(finished_utc: str, run_name: str) -> str:
    """Return a file name that sorts by time: `2026-11-20_1842_whole-project.html`."""
    words = re.sub(r"[^a-z0-9]+", "-", run_name.lower()).strip("-")[:60].rstrip("-")
    return f"{finished_utc.replace(' ', '_').replace(':', '')}_{words or 'run'}.html"


def store_page(reports: Path, name: str, own: str, latest: str) -> Path:
    """Write a run's page and the latest one, each whole or not at all; return where the latest is.

    Args:
        reports: The folder of reports.
        name: Of the run's own file; a page of this name is not overwritten, but gets a number behind it.
        own: The page as it lies in the folder of pages.
        latest: The same as it lies in the folder of reports.
    """
    folder = reports / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path, number = folder / name, 2
    while path.exists():
        path, number = folder / f"{Path(name).stem}_{number}.html", number + 1
    for place, text in ((path, own), (reports / LATEST, latest)):
        passing = place.with_name(f".{place.name}.{uuid4().hex}.part")  # another run may end at the same time
        passing.write_text(text, encoding="utf-8")
        passing.replace(place)
    return reports / LATEST


def link_to(path: Path, reports: Path, title: str) -> Link:
    """Return a link from the folder of reports."""
    return Link(quote(Path(os.path.relpath(path.resolve(), reports.resolve())).as_posix()), title)


def earlier_pages(reports: Path) -> list[Link]:
    """Return the pages of runs before, newest first."""
    pages = sorted((reports / FOLDER).glob("*.html"), reverse=True)[:EARLIER_MAX]
    return [link_to(path, reports, path.stem.replace("_", " ")) for path in pages]


def file_hash(name: str, path: Path) -> Hash:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return Hash(name, "SHA-256 of the file", hashlib.file_digest(file, "sha256").hexdigest())


def frames_hash(frames_fetched: pd.DataFrame) -> Hash:
    """Return one hash of all image files, whatever order they came in."""
    known = sorted(frames_fetched["sha256"].dropna().astype(str))
    digest = hashlib.sha256("\n".join(known).encode()).hexdigest()
    return Hash("images_raw", f"SHA-256 of the sorted SHA-256 of {len(known):,} files", digest)
