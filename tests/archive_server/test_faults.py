"""Every fault as it arrives at a plain client."""

import itertools
import time
from collections.abc import Iterator

import pytest
import requests

from tests.archive_server.answers import PAGE
from tests.archive_server.catalog import make_catalog
from tests.archive_server.faults import Fault, Kind, sow_faults
from tests.archive_server.images import image_bytes
from tests.archive_server.server import ArchiveServer, archive_server

NAME = make_catalog({"mars2020": [5]}).names("mars2020")[0]
_FOLDERS = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[ArchiveServer]:
    with archive_server(make_catalog({"mars2020": [5]})) as running:
        yield running


def ask(server: ArchiveServer, fault: Fault, times: int = 1) -> list[requests.Response | requests.RequestException]:
    """Return what comes of asking so many times for an image with this fault, never asked for before."""
    url = f"{server.base_url}/mars2020-raw-images/{next(_FOLDERS)}/{NAME}"
    server.faults = {NAME: fault}
    answers: list[requests.Response | requests.RequestException] = []
    for _ in range(times):
        try:
            answers.append(requests.get(url, timeout=0.5))
        except requests.RequestException as error:
            answers.append(error)
    return answers


def answer(server: ArchiveServer, kind: Kind) -> requests.Response:
    (only,) = ask(server, Fault(kind))
    assert isinstance(only, requests.Response)
    return only


@pytest.mark.parametrize(
    ("kind", "status"),
    [(Kind.GONE, 404), (Kind.FORBIDDEN, 403), (Kind.BUSY, 503), (Kind.SERVER_ERROR, 500)],
)
def test_statuses(server: ArchiveServer, kind: Kind, status: int) -> None:
    assert answer(server, kind).status_code == status


@pytest.mark.parametrize("kind", [Kind.BUSY_THEN_OK, Kind.SERVER_ERROR_THEN_OK, Kind.RATE_LIMITED_THEN_OK])
def test_what_passes_passes_after_its_times(server: ArchiveServer, kind: Kind) -> None:
    answers = ask(server, Fault(kind, times=2), times=3)
    assert [each.ok for each in answers if isinstance(each, requests.Response)] == [False, False, True]
    assert isinstance(answers[-1], requests.Response)
    assert answers[-1].content == image_bytes(NAME)
    if kind is Kind.RATE_LIMITED_THEN_OK:
        assert isinstance(answers[0], requests.Response)
        assert (answers[0].status_code, answers[0].headers["Retry-After"]) == (429, "0")


@pytest.mark.parametrize("kind", [Kind.CUT_OFF, Kind.DROPPED])
def test_broken_connections(server: ArchiveServer, kind: Kind) -> None:
    for each in ask(server, Fault(kind), times=2):
        assert isinstance(each, requests.RequestException)


@pytest.mark.parametrize("kind", [Kind.CUT_OFF_THEN_OK, Kind.DROPPED_THEN_OK])
def test_broken_connections_that_heal(server: ArchiveServer, kind: Kind) -> None:
    first, second = ask(server, Fault(kind), times=2)
    assert isinstance(first, requests.RequestException)
    assert isinstance(second, requests.Response)
    assert second.content == image_bytes(NAME)


def test_bodies(server: ArchiveServer) -> None:
    good = image_bytes(NAME)
    assert answer(server, Kind.EMPTY).content == b""
    short = answer(server, Kind.SHORT)
    assert short.content == good[: len(good) // 2]
    assert int(short.headers["Content-Length"]) == len(short.content)
    assert answer(server, Kind.BROKEN_INSIDE).content[:8] == good[:8]
    assert answer(server, Kind.NOT_AN_IMAGE).content[:8] != good[:8]
    assert answer(server, Kind.HTML_200).content == answer(server, Kind.HTML_REDIRECT).content == PAGE
    wrong_type = answer(server, Kind.WRONG_TYPE)
    assert (wrong_type.content, wrong_type.headers["Content-Type"]) == (good, "application/octet-stream")


def test_other_sizes(server: ArchiveServer) -> None:
    import io

    from PIL import Image

    wrong = Image.open(io.BytesIO(answer(server, Kind.WRONG_SIZE).content))
    wrong.load()
    assert wrong.size != Image.open(io.BytesIO(image_bytes(NAME))).size
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(answer(server, Kind.BOMB).content))


def test_redirects(server: ArchiveServer) -> None:
    server.forget_requests()
    inside = answer(server, Kind.REDIRECT)
    assert inside.url == f"{server.base_url}/moved/{NAME}"
    assert inside.content == image_bytes(NAME)
    assert server.count("/elsewhere/") == 0
    assert "//localhost:" in answer(server, Kind.FOREIGN_REDIRECT).url
    assert server.count("/elsewhere/") == 1, "whoever follows it is seen"


def test_silence(server: ArchiveServer) -> None:
    began_s = time.monotonic()
    (slow,) = ask(server, Fault(Kind.SLOW, delay_s=0.1))
    assert isinstance(slow, requests.Response)
    assert time.monotonic() - began_s > 0.1
    (silent,) = ask(server, Fault(Kind.SILENT, delay_s=1.0))
    assert isinstance(silent, requests.Timeout)


def test_faults_are_drawn_by_their_seed() -> None:
    names = make_catalog({"mars2020": range(5, 60), "msl": range(5, 60)}).names("msl")
    faults = sow_faults(names, 0.1, seed=1)
    assert len(faults) == round(0.1 * len(names))
    assert faults == sow_faults(names, 0.1, seed=1) != sow_faults(names, 0.1, seed=2)
    assert {fault.kind for fault in faults.values()} >= {*Kind} - {Kind.WRONG_SIZE}
    assert all(name.endswith(".PNG") for name, fault in faults.items() if fault.kind is Kind.WRONG_SIZE)
