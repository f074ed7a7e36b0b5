"""Curiosity and InSight: the `raw_image_items` service behind the missions' own galleries.

It counts and pages reliably. Left to be handled here: cameras of both computers, fields that are null or missing,
addresses in http, and cameras of InSight in lower case.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Literal

from rovervision.sources.feeds.cameras import CURIOSITY, INSIGHT, camera_words, instruments_of
from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.feeds.feed import Latest, Mark, Page, Record, Request, SolRange
from rovervision.sources.feeds.feed_source import FeedSource
from rovervision.sources.feeds.frames import frame, image_file
from rovervision.sources.feeds.records import (
    at,
    filter_digit,
    latest_of,
    listed,
    number,
    sol_of,
    text,
    utc,
    whole,
)
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import Transport

ItemsMission = Literal["msl", "insight"]

_PAGE_RECORDS: Final = 200  # what the server gives at most
_NEWEST_FIRST: Final = "sol desc,instrument_sort asc,sample_type_sort asc, date_taken desc"  # as the gallery asks
_KNOWN: Final = {"msl": CURIOSITY, "insight": INSIGHT}
_ROVERS: Final = {"msl": "curiosity", "insight": "insight"}


class ItemsFeed:
    """One mission of `raw_image_items`."""

    block_sols = 25
    is_slow = False

    def __init__(self, address: str, mission: ItemsMission = "msl") -> None:
        self.address = address.rstrip("/")
        self._mission = mission
        self.name = self.rover = _ROVERS[mission]
        self._words = camera_words(_KNOWN[mission])

    def headers(self) -> None:
        """Return None: the service wants no headers."""

    def instruments(self, cameras: Collection[str], query_name: str) -> tuple[str, ...]:
        """Return the service's names of cameras."""
        return instruments_of(cameras, _KNOWN[self._mission], query_name, self.name)

    def latest_requests(self) -> Sequence[Request]:
        """Ask how far the mission has come."""
        return (Request(f"{self.address}/{self._mission}/latest/"),)

    def parse_latest(self, body: Any, instruments: Collection[str]) -> Latest:
        """Read `latest_data`."""
        return latest_of(at(body, "latest_data"), self.name)

    def absent(self) -> str:
        """Say where the address is set."""
        return "Check `ingestion.addresses.raw_image_items`"

    def request(self, sols: SolRange, instruments: Sequence[str], page: int) -> Request:
        """Ask for one page of the images of some sols, newest first."""
        conditions = {"condition_2": f"{sols.first}:sol:gte", "condition_3": f"{sols.last}:sol:lte"}
        return self._request(_NEWEST_FIRST, conditions, instruments, page)

    def arrivals_request(self, since_utc: str, instruments: Sequence[str], page: int) -> Request:
        """Ask for one page of what came in since a time, latest first."""
        conditions = {"condition_2": f"{since_utc}:date_received:gte"}
        return self._request("date_received desc", conditions, instruments, page)

    def parse(self, body: Any) -> Page:
        """Read one page; `more` tells whether another follows, else `total` does, else a page that is not full."""
        records = listed(body, "items", self.name)
        more, total, page = at(body, "more"), whole(body, "total"), whole(body, "page")
        size = whole(body, "per_page") or _PAGE_RECORDS
        if isinstance(more, bool):
            return Page(records, is_last=not more)
        if total is not None and page is not None:
            return Page(records, is_last=(page + 1) * size >= total)
        return Page(records, is_last=len(records) < size)

    def key_of(self, record: Any) -> str | None:
        """Return the image id and the file, since an image may come again in another version."""
        image_id = text(record, "imageid")
        return image_id and f"{image_id} {text(record, 'url')}"

    def mark_of(self, record: Any) -> Mark:
        """Read mission, sol, instrument and time of arrival."""
        return Mark(
            sol=sol_of(record),
            instrument=(text(record, "instrument") or "").upper(),
            is_ours=(text(record, "mission") or "").lower() == self._mission,
            received_utc=utc(record, "date_received"),
        )

    def frame_of(self, record: Record, text_of_record: str) -> Frame:
        """Describe one image."""
        file = image_file(text(record, "https_url") or text(record, "url"), f"{self.address}/")
        return frame(
            file,
            source=self.name,
            rover=self.rover,
            camera=self._camera(record),
            sol=sol_of(record),
            told_sample_type=text(record, "extended", "sample_type"),
            is_thumbnail=at(record, "is_thumbnail") is True,
            told_filter=filter_digit(text(record, "extended", "filter_name")),
            sclk_s=number(record, "spacecraft_clock"),
            site=text(record, "site"),
            taken_utc=utc(record, "date_taken"),
            received_utc=utc(record, "date_received"),
            credit=text(record, "image_credit"),
            record=text_of_record,
        )

    def _camera(self, record: Record) -> str | None:
        return self._words.get((text(record, "instrument") or "").upper())

    def _request(self, order: str, conditions: dict[str, str], instruments: Sequence[str], page: int) -> Request:
        params = {"order": order, "per_page": str(_PAGE_RECORDS), "page": str(page)}
        params |= {"condition_1": f"{self._mission}:mission"} | conditions
        if instruments:
            params["search"] = "|".join(instruments)
        return Request(f"{self.address}/", params)


class CuriositySource(FeedSource):
    """Curiosity, or with the mission `insight` InSight."""

    def __init__(
        self,
        transport: Transport,
        address: str,
        listing: ListingConfig,
        http: HttpConfig,
        mission: ItemsMission = "msl",
        progress: Callable[[str], None] | None = None,
    ) -> None:
        """Ask nothing yet."""
        super().__init__(transport, listing, http, progress)
        self._feed = ItemsFeed(address, mission)

    def feed(self, query: Query) -> ItemsFeed:
        """Return the one feed."""
        return self._feed
