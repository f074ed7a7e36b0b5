"""What the fake archives hold: a few dozen sols of every mission, and the means to let more come down."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Final

from tests.archive_server.curiosity_items import Record, curiosity_items, insight_items
from tests.archive_server.mars2020_images import ingenuity_images, mars2020_images, newer_version, without_values
from tests.archive_server.rover_products import Product, rover_products

SOLS: Final[Mapping[str, Iterable[int]]] = {
    "msl": range(1000, 1024),
    "insight": range(190, 196),
    "mars2020": range(100, 124),
    "ingenuity": range(100, 110),
    "opportunity": range(1, 13),
    "spirit": range(1, 7),
}
_BURST: Final = timedelta(hours=24)
"""What came within so long before the newest arrival is news."""
_IMAGES: Final[Mapping[str, Callable[..., list[Record]]]] = {"mars2020": mars2020_images, "ingenuity": ingenuity_images}
_ITEMS: Final[Mapping[str, Callable[..., list[Record]]]] = {"msl": curiosity_items, "insight": insight_items}
_MAKERS: Final = {**_IMAGES, **_ITEMS}


@dataclass
class Catalog:
    """All records, by mission. Addresses in them begin with @HOST@, for which the server puts its own."""

    items: dict[str, list[Record]] = field(default_factory=dict)
    """msl and insight, as raw_image_items has them."""
    images: dict[str, list[Record]] = field(default_factory=dict)
    """mars2020 and ingenuity, as rss/api has them."""
    products: list[Product] = field(default_factory=list)
    """Spirit's and Opportunity's, as the PDS volumes have them."""
    lock: Lock = field(default_factory=Lock)

    def add_downlink(self, mission: str, sol: int) -> list[str]:
        """Let another pointing of a sol, new or old, come down now; return its image names.

        It is newer than all before it: `latest` moves, and `latest_sols` names the sol, however old. Spirit's and
        Opportunity's products go to the end of the index, as with a release.
        """
        with self.lock:
            pointing = 20 + sum(1 for _ in self._pointings(mission, sol))
            if mission in ("opportunity", "spirit"):
                products = rover_products(mission, sol, pointing)
                self.products += products
                return [f"{product.file_name}.jpg" for product in products]
            received = newest_arrival(self.records(mission)) + timedelta(hours=1)
            make = _MAKERS[mission]
            records = make(sol, pointing, received)
            self.records(mission).extend(records)
            return [image_name(record) for record in records]

    def records(self, mission: str) -> list[Record]:
        """Return the records of a mission that has a feed."""
        return self.items.setdefault(mission, []) if mission in _ITEMS else self.images.setdefault(mission, [])

    def names(self, mission: str) -> list[str]:
        """Return the file names of a mission's images in full size, in the order of the records."""
        if mission in ("opportunity", "spirit"):
            return [f"{each.file_name}.jpg" for each in self.products if each.rover == mission]
        return [image_name(record) for record in self.records(mission)]

    def _pointings(self, mission: str, sol: int) -> Iterable[object]:
        if mission in ("opportunity", "spirit"):
            return (each for each in self.products if each.rover == mission and each.sol == sol)
        return (record for record in self.records(mission) if record["sol"] == sol)


def make_catalog(sols: Mapping[str, Iterable[int]] = SOLS, *, pointings: int = 1) -> Catalog:
    """Return a catalog of these missions' sols, every camera photographing so many times on each.

    Mars 2020 begins with the feed's oddities: a record of unknown values, and one imageid that comes twice, the second
    time with the file's next version.
    """
    catalog = Catalog()
    for mission, wanted in sols.items():
        for place, sol in enumerate(wanted):
            for pointing in range(pointings):
                if mission == "msl":
                    catalog.records(mission).extend(curiosity_items(sol, pointing, is_first=place == pointing == 0))
                elif mission in ("opportunity", "spirit"):
                    catalog.products += rover_products(mission, sol, pointing)
                else:
                    catalog.records(mission).extend(_MAKERS[mission](sol, pointing))
    if images := catalog.images.get("mars2020"):
        images[1] = without_values(images[1])
        images.append(newer_version(images[0]))
    return catalog


def image_name(record: Record) -> str:
    """Return the file name of a record's image in full size."""
    url: str = record["image_files"]["full_res"] if "image_files" in record else record["https_url"]
    return url.rpartition("/")[2]


def newest_arrival(records: list[Record]) -> datetime:
    """Return when the last of the records came down."""
    return max(arrival(record) for record in records)


def arrival(record: Record) -> datetime:
    """Return when a record came down."""
    return datetime.fromisoformat(record["date_received"]).astimezone(UTC)


def news(records: list[Record]) -> dict[str, Any]:
    """Return what both feeds tell of the newest: when, how many, of which sols."""
    newest = newest_arrival(records)
    fresh = [record for record in records if arrival(record) > newest - _BURST]
    last_sol = max(record["sol"] for record in records)
    return {
        "latest": f"{newest:%Y-%m-%dT%H:%M:%SZ}",
        "new_count": len(fresh),
        "sol_count": sum(record["sol"] == last_sol for record in records),
        "latest_sols": sorted({record["sol"] for record in fresh}),
        "total": len(records),
        "latest_sol": last_sol,
    }
