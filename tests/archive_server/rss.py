"""The feed of Perseverance and Ingenuity, `/rss/api/`, with its quirks."""

from collections import Counter
from typing import Final
from urllib.parse import parse_qsl

from tests.archive_server.answers import Answer, as_json, page, redirect
from tests.archive_server.catalog import Catalog, news
from tests.archive_server.conditions import Record, conditions_of, held_by, in_order, instruments_of

PAGE_IMAGES: Final = 100
"""The server's own page size, whatever is asked."""
_DEFAULTS: Final = {"feed": "raw_images", "category": "mars2020", "feedtype": "json", "order": "sol desc"}
_NO_PAGE: Final = {"message": "This page was not found. Please check the address."}


def answer(query: str, catalog: Catalog, host: str) -> Answer:
    """Answer a query string, as it came over the wire."""
    if refusal := _refusal(query):
        return refusal
    pairs = parse_qsl(query, keep_blank_values=True)
    # A key that comes twice makes the feed forget the whole query, and say nothing.
    is_repeated = any(count > 1 for count in Counter(key for key, _ in pairs).values())
    parameters = dict(_DEFAULTS) if is_repeated else dict(pairs)
    categories = parameters.get("category", "mars2020").split(",")
    if parameters.get("feed") != "raw_images" or not {*categories} <= {"mars2020", "ingenuity", "msl"}:
        return as_json(_NO_PAGE, status=404)
    if categories == ["msl"]:
        return as_json({"message": "No more images."})
    held = [record for category in categories for record in catalog.images.get(category, [])]
    return _answer(parameters, held, host)


def _refusal(query: str) -> Answer | None:
    """Return what the feed says to a query that it refuses for its spelling."""
    if "|" in query:
        return page(400)
    order = next((part for part in query.split("&") if part.startswith("order=")), "")
    return redirect("/not-json.html") if "%2b" in order.lower() else None


def _answer(parameters: dict[str, str], held: list[Record], host: str) -> Answer:
    if parameters.get("latest") == "true":
        summary = news(held) if held else {}
        newest_first = summary.get("latest_sols", [])[::-1]
        return as_json({**summary, "latest_sols": newest_first, "type": "mars2020-latest-images-1.1"}, host)
    if "id" in parameters:
        found = [record for record in held if record["imageid"] == parameters["id"]]
        return as_json(found[-1], host) if found else as_json(_NO_PAGE, status=404)
    if not parameters.get("order"):
        return page(403)
    chosen = in_order((record for record in held if _answers(record, parameters)), parameters["order"])
    return as_json(
        _one_sol(parameters, chosen, held) if "sol" in parameters else _paged(parameters, chosen, held), host
    )


def _answers(record: Record, parameters: dict[str, str]) -> bool:
    instruments = instruments_of(parameters.get("search", ""))
    # Ranges of the date taken are ignored.
    conditions = [each for each in conditions_of(parameters) if ":date_taken" not in each and ":mission" not in each]
    return (
        (not instruments or record["camera"]["instrument"] in instruments)
        and all(held_by(condition, record) for condition in conditions)
        and all(_extends(record, part) for part in parameters.get("extended", "").split(",") if part)
    )


def _extends(record: Record, part: str) -> bool:
    """Apply one part of `extended`: `sample_type::full` compares with `Full`, and so finds nothing since 2023."""
    name, _, value = part.replace("::", ":").partition(":")
    return record["sample_type"] == value if name == "sample_type" else value in record["imageid"].lower()


def _one_sol(parameters: dict[str, str], chosen: list[Record], held: list[Record]) -> Record:
    """Return all images of a sol, page sizes ignored; where it has none, those of the newest sol."""
    of_sol = [record for record in chosen if str(record["sol"]) == parameters["sol"]]
    newest = max((record["sol"] for record in held), default=None)
    images = of_sol or [record for record in held if record["sol"] == newest]
    return {"images": images, "num_images": len(images), "mission": parameters.get("category", "mars2020")}


def _paged(parameters: dict[str, str], chosen: list[Record], held: list[Record]) -> Record:
    size = max(1, min(int(parameters.get("num") or PAGE_IMAGES), PAGE_IMAGES))
    number = int(parameters.get("page") or 0)
    return {
        "images": chosen[number * size : (number + 1) * size],
        "per_page": str(size),
        "total_results": len(chosen),
        "page": str(number) if number % 2 else number,
        "mission": parameters.get("category", "mars2020"),
        "total_images": len(held),
    }
