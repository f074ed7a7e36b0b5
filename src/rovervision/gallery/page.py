"""The page as HTML."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from rovervision.gallery.facts import RunFacts
from rovervision.gallery.lede import heading, lede
from rovervision.gallery.pictures import Encoding, Picture
from rovervision.gallery.rooms import TITLES, Rooms

PAGE_MAX_BYTES = 4_000_000
"""A page is never larger: it is opened from a mail, and one is kept for each run."""

ENCODINGS = (Encoding(82, 1600), Encoding(70, 1600), Encoding(55, 1200), Encoding(40, 900), Encoding(25, 600))
"""Ways to pack the pictures, from the best; the first that fits is taken."""


class PageTooLargeError(Exception):
    """No way to pack the pictures makes the page small enough."""


@dataclass(frozen=True)
class Link:
    """A place beside the page: an earlier page, a figure, a table."""

    address: str
    """Relative to the folder of reports."""
    title: str


def write_page(rooms: Rooms, facts: RunFacts, links: Mapping[str, list[Link]], up: str = "") -> str:
    """Return the page.

    Args:
        rooms: What is to be seen.
        facts: What made it.
        links: Heading → places in the folder of reports.
        up: Way from the page to that folder, such as `../`.

    Raises:
        PageTooLargeError: It would have more than `PAGE_MAX_BYTES`.
    """
    for encoding in ENCODINGS:
        page = rendered(rooms, facts, links, up, encoding)
        if len(page.encode()) <= PAGE_MAX_BYTES:
            return page
    raise PageTooLargeError(f"it would be larger than {PAGE_MAX_BYTES:,} bytes")


def rendered(rooms: Rooms, facts: RunFacts, links: Mapping[str, list[Link]], up: str, encoding: Encoding) -> str:
    """Return the page with its pictures packed in one way."""
    style, script = asset("gallery.css"), asset("gallery.js")
    environment = Environment(
        loader=PackageLoader("rovervision.gallery"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"percent": percent, "megabytes": megabytes, "data": data_block}
    environment.globals |= {
        "address": lambda picture: picture.address(encoding),
        "size": lambda one: shown_size(one, encoding),
    }
    return environment.get_template("page.html.j2").render(
        rooms=rooms.rooms, missing=rooms.missing, frieze=rooms.frieze, credits=rooms.credits, facts=facts, links=links,
        up=up, titles={key: title for key, (title, _) in TITLES.items()} | {"film": "The film"},
        heading=heading(rooms), lede=lede(rooms), style=style, script=script,
        policy=policy(style, script),
    )  # fmt: skip


def asset(name: str) -> str:
    """Return the text of a file of the page's own."""
    return files("rovervision.gallery").joinpath("assets", name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> str:
    """Return the content security policy: nothing from elsewhere, and no style or script but these two."""
    return (
        f"default-src 'none'; img-src data:; media-src data:; style-src '{source_hash(style)}'; "
        f"script-src '{source_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def source_hash(text: str) -> str:
    """Return the hash by which a policy knows an inline element (Content Security Policy Level 3, hash-source)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def shown_size(picture: Picture, encoding: Encoding) -> tuple[int, int]:
    """Return width and height of a picture as it is packed."""
    factor = min(1.0, encoding.longest_px / max(picture.width, picture.height))
    return max(1, round(picture.width * factor)), max(1, round(picture.height * factor))


def percent(share: float) -> str:
    """Return a share as `12 %`; small ones with a decimal, and none as less than it is."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{max(value, 0.1):.1f} %"


def megabytes(count: int) -> str:
    """Return a number of bytes as `20.4 MB`."""
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def data_block(value: Any) -> str:
    """Return JSON that may stand in a script element: nothing in it can end the element."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
