"""The PDS volumes of Spirit and Opportunity: Apache's plain folders, indexes of a few hundred megabytes, images."""

import hashlib
import re
from email.utils import formatdate
from typing import Final

from tests.archive_server.answers import HTML, Answer, page
from tests.archive_server.catalog import Catalog
from tests.archive_server.images import image_bytes
from tests.archive_server.rover_products import Product, index_of

BASE: Final = "/img/data/mer"
_VOLUME: Final = re.compile(r"/(?P<rover>opportunity|spirit)/(?P<volume>mer[12][a-z]{2}_0xxx)/(?P<rest>.*)")
_FOLDERS: Final = ("browse", "calib", "catalog", "data", "document", "index")


def answer(path: str, headers: dict[str, str], catalog: Catalog) -> Answer:
    """Answer a path below the rovers' folder; `headers` in lower case. What does not exist is a 404 of Apache."""
    match = _VOLUME.fullmatch(path.removeprefix(BASE))
    if not match:
        return page(404)
    products = [each for each in catalog.products if each.volume == match["volume"] and each.rover == match["rover"]]
    rest = match["rest"]
    if not products:
        return page(404)
    if rest in ("index/edrindex.lbl", "index/edrindex.tab"):
        label, table = index_of(products)
        return ranged(label if rest.endswith("lbl") else table, headers)
    if rest in ("data/", "browse/"):
        return page(504)  # a listing of thousands of sols never ends
    folders = {"": [f"{name}/" for name in _FOLDERS], "index/": ["edrindex.lbl", "edrindex.tab"]}
    names = folders.get(rest) or (_names(rest, products) if rest.endswith("/") else [])
    return Answer(200, _autoindex(path, names), HTML) if names else page(404)


def image_paths(catalog: Catalog) -> frozenset[str]:
    """Return the paths of all images, both those with a label and those for people."""
    rovers = ((f"{BASE}/{product.rover}", product) for product in catalog.products)
    return frozenset(base + path for base, product in rovers for path in (product.data_path, product.browse_path))


def ranged(body: bytes, headers: dict[str, str]) -> Answer:
    """Answer with a file or its part: Range is honoured, but not where If-Range names another state of the file."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    about = {"ETag": tag, "Last-Modified": formatdate(1_100_000_000 + len(body), usegmt=True), "Accept-Ranges": "bytes"}
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
    if not wanted or headers.get("if-range", tag) not in (tag, about["Last-Modified"]):
        return Answer(200, body, "text/plain", about)
    start, end = int(wanted[1]), min(int(wanted[2] or len(body) - 1), len(body) - 1)
    if start > end:
        return Answer(416, b"", "text/plain", about | {"Content-Range": f"bytes */{len(body)}"})
    return Answer(
        206, body[start : end + 1], "text/plain", about | {"Content-Range": f"bytes {start}-{end}/{len(body)}"}
    )


def _names(folder: str, products: list[Product]) -> list[str]:
    """Return what a sol's folder holds."""
    files = []
    for product in products:
        _, _, kind, sol, level, name = product.data_path.split("/")
        files += [name] if folder == f"{kind}/{sol}/{level}/" else []
        files += [f"{name}.jpg"] if folder == f"browse/{sol}/{level}/" else []
        files += [f"{level}/"] if folder in (f"{kind}/{sol}/", f"browse/{sol}/") else []
    return sorted({*files})


def _autoindex(path: str, names: list[str]) -> bytes:
    rows = [
        f'<img src="/icons/image2.gif" alt="[IMG]"> <a href="{name}">{name}</a> 2013-03-14 12:00 {_size(name)}'
        for name in names
    ]
    parent = path.rstrip("/").rpartition("/")[0]
    up = f'<img src="/icons/back.gif" alt="[PARENTDIR]"> <a href="{parent}/">Parent Directory</a> -'
    head = f"<!DOCTYPE HTML>\n<html><head><title>Index of {path}</title></head><body><h1>Index of {path}</h1><pre>"
    return "\n".join([head, up, *rows, "</pre></body></html>"]).encode()


def _size(name: str) -> str:
    return f"{len(image_bytes(name)) / 1024:.1f}K" if name.endswith((".img", ".jpg")) else "-"
