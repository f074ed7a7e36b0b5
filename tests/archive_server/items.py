"""The feed of Curiosity and InSight, `/api/v1/raw_image_items/`, with its quirks."""

from typing import Final
from urllib.parse import parse_qsl

from tests.archive_server.answers import Answer, as_json, page
from tests.archive_server.catalog import Catalog, news
from tests.archive_server.conditions import conditions_of, held_by, in_order, instruments_of

PAGE_ITEMS: Final = 200
"""The server's own page size, whatever is asked."""
_SUMMARY: Final = ("latest", "latest_sol", "latest_sols", "new_count", "sol_count", "total")


def answer(path: str, query: str, catalog: Catalog, host: str) -> Answer:
    """Answer the list or, under `msl/latest` and `insight/latest`, what is newest."""
    if "|" in query:
        return page(400)
    rest = path.removeprefix("/api/v1/raw_image_items").strip("/")
    mission = rest.removesuffix("/latest")
    if rest.endswith("/latest") and catalog.items.get(mission):
        summary = news(catalog.items[mission])
        return as_json({"success": True, "latest_data": {key: summary[key] for key in _SUMMARY}}, host)
    return page(404) if rest else _list(dict(parse_qsl(query)), catalog, host)


def _list(parameters: dict[str, str], catalog: Catalog, host: str) -> Answer:
    instruments = instruments_of(parameters.get("search", ""))
    conditions = conditions_of(parameters) + [part for part in _extended(parameters) if part]
    chosen = [
        item
        for items in catalog.items.values()
        for item in items
        if (not instruments or item["instrument"] in instruments)
        # A range of dates finds nothing, whatever was photographed then.
        and all(":date_taken" not in condition and held_by(condition, item) for condition in conditions)
    ]
    size = max(1, min(int(parameters.get("per_page") or PAGE_ITEMS), PAGE_ITEMS))
    number = int(parameters.get("page") or 0)
    shown = in_order(chosen, parameters.get("order", ""))[number * size : (number + 1) * size]
    more = (number + 1) * size < len(chosen)
    return as_json({"items": shown, "more": more, "total": len(chosen), "page": number, "per_page": size}, host)


def _extended(parameters: dict[str, str]) -> list[str]:
    """Return the conditions of `extended`, which writes two colons where the others write one."""
    return parameters.get("extended", "").replace("::", ":").split(",")
