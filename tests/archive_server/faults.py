"""How single images misbehave, and what must be told of each."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from typing import Final

from rovervision.sources.http.transport import FailureReason
from tests.archive_server.answers import HTML, PAGE, Answer, page, redirect
from tests.archive_server.images import image_bytes, image_header_only, image_size


class Kind(Enum):
    """A way of misbehaving. The value: the reason that must be told, or None where the image must arrive whole."""

    EMPTY = ("empty", "no bytes")
    CUT_OFF = ("truncated", "half of the promised bytes, then the connection closes")
    CUT_OFF_THEN_OK = (None, "the same, at first")
    SHORT = ("truncated", "half of the image, complete by its length")
    BROKEN_INSIDE = ("undecodable", "begins and ends like an image, and is none")
    NOT_AN_IMAGE = ("not_an_image", "other bytes")
    HTML_200 = ("html_page", "a page for people with status 200")
    HTML_REDIRECT = ("html_page", "a redirect to such a page")
    GONE = ("not_found", "404 for a listed image")
    FORBIDDEN = ("refused", "403")
    BUSY = ("busy", "503 for ever")
    BUSY_THEN_OK = (None, "503 at first")
    RATE_LIMITED_THEN_OK = (None, "429 with Retry-After at first")
    SERVER_ERROR = ("server_error", "500 for ever")
    SERVER_ERROR_THEN_OK = (None, "500 at first")
    SLOW = (None, "late, but in time")
    SILENT = ("timeout", "no answer in time")
    WRONG_TYPE = (None, "the right bytes as application/octet-stream")
    FOREIGN_REDIRECT = ("unsafe_address", "a redirect to a host that is not allowed")
    REDIRECT = (None, "a redirect within the archive")
    WRONG_SIZE = ("wrong_dimensions", "a good image of another size than the record tells")
    BOMB = ("too_large", "a header of 60000 x 60000 pixels")
    DROPPED = ("unreachable", "the connection closes without an answer")
    DROPPED_THEN_OK = (None, "the same, at first")

    def __init__(self, reason: FailureReason | None, meaning: str) -> None:
        self.reason: Final = reason
        self.meaning: Final = meaning

    @property
    def is_recoverable(self) -> bool:
        """Whether a patient client gets the image."""
        return self.reason is None


@dataclass(frozen=True)
class Fault:
    """One image's misbehaviour."""

    kind: Kind
    times: int = 1
    """Requests that fail before a fault of the THEN_OK kind passes."""
    delay_s: float = 0.0
    """Silence before the answer of SLOW and SILENT."""
    retry_after: str = "0"


@dataclass(frozen=True)
class Misbehaviour:
    """What the server does in place of its answer."""

    answer: Answer | None
    """None: the connection closes without a word."""
    sent_frac: float = 1.0
    """Part of the body that is sent before the connection closes."""
    delay_s: float = 0.0


def sow_faults(
    names: Sequence[str],
    frac: float,
    seed: int,
    kinds: Iterable[Kind] = tuple(Kind),
    *,
    slow_s: float = 0.05,
    silent_s: float = 1.0,
) -> dict[str, Fault]:
    """Return faults for a share of the names, drawn by the seed; each kind about as often as the others.

    WRONG_SIZE befalls only PNG, as the records of the JPEG cameras of Curiosity tell no size.
    """
    rng = random.Random(seed)
    chosen = rng.sample(list(names), round(frac * len(names)))
    every = list(kinds)
    faults = {}
    for name in chosen:
        possible = [kind for kind in every if kind is not Kind.WRONG_SIZE or name.endswith((".png", ".PNG"))]
        kind = rng.choice(possible)
        delay_s = {Kind.SLOW: slow_s, Kind.SILENT: silent_s}.get(kind, 0.0)
        faults[name] = Fault(kind, times=rng.randint(1, 2), delay_s=delay_s)
    return faults


def misbehave(fault: Fault, name: str, requests_before: int, host: str) -> Misbehaviour:
    """Return what to do with a request for an image, of which there have been so many before."""
    good = good_answer(name)
    kind = fault.kind
    if kind.name.endswith("_THEN_OK") and requests_before >= fault.times:
        return Misbehaviour(good)
    if kind in (Kind.DROPPED, Kind.DROPPED_THEN_OK):
        return Misbehaviour(None)
    if kind in (Kind.CUT_OFF, Kind.CUT_OFF_THEN_OK):
        return Misbehaviour(good, sent_frac=0.5)
    if kind in (Kind.SLOW, Kind.SILENT):
        return Misbehaviour(good, delay_s=fault.delay_s)
    return Misbehaviour(_answer(fault, name, good, host))


def good_answer(name: str) -> Answer:
    """Return the answer that brings the image."""
    types = {".png": "image/png", ".jpg": "image/jpeg", ".img": "application/octet-stream"}
    # A browse image's two suffixes puzzle the archive's own server.
    kind = "application/octet-stream" if name.endswith(".img.jpg") else types[PurePosixPath(name).suffix.lower()]
    return Answer(200, image_bytes(name), kind)


def _answer(fault: Fault, name: str, good: Answer, host: str) -> Answer:
    suffix = PurePosixPath(name).suffix.lower()
    statuses = {
        Kind.FORBIDDEN: 403, Kind.GONE: 404, Kind.BUSY: 503, Kind.BUSY_THEN_OK: 503,
        Kind.SERVER_ERROR: 500, Kind.SERVER_ERROR_THEN_OK: 500,
    }  # fmt: skip
    bodies = {
        Kind.EMPTY: b"",
        Kind.SHORT: good.body[: len(good.body) // 2],
        Kind.BROKEN_INSIDE: broken_inside(good.body),
        Kind.NOT_AN_IMAGE: b"SIMPLE  =                    T / FITS" * 4,
        Kind.WRONG_SIZE: _of_another_size(name),
        Kind.BOMB: image_header_only(suffix, 60_000),
    }
    places = {
        Kind.HTML_REDIRECT: "/not-json.html",
        Kind.FOREIGN_REDIRECT: f"{host.replace('127.0.0.1', 'localhost')}/elsewhere/{name}",
        Kind.REDIRECT: f"/moved/{name}",
    }
    if fault.kind in statuses:
        return page(statuses[fault.kind])
    if fault.kind in places:
        return redirect(places[fault.kind])
    if fault.kind is Kind.RATE_LIMITED_THEN_OK:
        return Answer(429, PAGE, HTML, {"Retry-After": fault.retry_after})
    if fault.kind is Kind.WRONG_TYPE:
        return Answer(200, good.body, "application/octet-stream")
    if fault.kind is Kind.HTML_200:
        return page()
    return Answer(200, bodies[fault.kind], good.content_type)


def broken_inside(body: bytes) -> bytes:
    """Return the file with its middle spoiled: a PNG whose check sum is wrong, a JPEG without tables."""
    if body.startswith(b"\x89PNG"):
        at = body.index(b"IDAT") + 4
        return body[:at] + bytes(255 - each for each in body[at : at + 40]) + body[at + 40 :]
    return body[:20] + bytes(100) + body[120:]


def _of_another_size(name: str) -> bytes:
    """Return the bytes of an image in the same format that is 40 x 30, or 20 x 15 in the place of such a one."""
    helicopter = "HNM_0100_0675811844_584ECM_N0050700HELI06416_0000A0J01"
    thumbnail = "NLM_0100_0675811904_584ECM_T0050700NCAM00503_00_2I3J01"
    other = thumbnail if image_size(name) == image_size(helicopter) else helicopter
    return image_bytes(other + PurePosixPath(name).suffix.lower())
