"""Perseverance and Ingenuity: the `rss/api` feed behind the mission's own gallery.

A slow feed that falls back on its newest images, without an error, when it does not like a question. So every question
names its order, no parameter comes twice, sols are asked as a range, and each record is checked against the question.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Literal

from rovervision.sources.feeds.cameras import INGENUITY, PERSEVERANCE, camera_words, instruments_of
from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.feeds.feed import Latest, Mark, Page, Record, Request, SolRange
from rovervision.sources.feeds.feed_source import FeedSource
from rovervision.sources.feeds.frames import frame, image_file
from rovervision.sources.feeds.records import (
    BadRecordError,
    filter_digit,
    latest_of,
    listed,
    number,
    pair,
    sol_of,
    text,
    utc,
    whole,
)
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import Transport
from rovervision.sources.product_names import parse_product_name

RssCategory = Literal["mars2020", "ingenuity"]

_PAGE_RECORDS: Final = 100  # the server's cap, whatever is asked
_KNOWN: Final = {"mars2020": PERSEVERANCE, "ingenuity": INGENUITY}
_ROVERS: Final = {"mars2020": "perseverance", "ingenuity": "ingenuity"}


class RssFeed:
    """One category of `rss/api`."""

    block_sols = 25
    is_slow = True

    def __init__(self, address: str, category: RssCategory = "mars2020") -> None:
        self.address = address.rstrip("/")
        self._category = category
        self.name = self.rover = _ROVERS[category]
        self._words = camera_words(_KNOWN[category])

    def headers(self) -> None:
        """Return None: the feed wants no headers."""

    def instruments(self, cameras: Collection[str], query_name: str) -> tuple[str, ...]:
        """Return the feed's names of cameras."""
        return instruments_of(cameras, _KNOWN[self._category], query_name, self.name)

    def latest_requests(self) -> Sequence[Request]:
        """Ask how far the mission has come."""
        return (self._request("sol desc", {"latest": "true"}, (), 0),)

    def parse_latest(self, body: Any, instruments: Collection[str]) -> Latest:
        """Read the summary of the newest images."""
        return latest_of(body, self.name)

    def absent(self) -> str:
        """Say where the address is set."""
        return "Check `ingestion.addresses.rss_api`"

    def request(self, sols: SolRange, instruments: Sequence[str], page: int) -> Request:
        """Ask for one page of the images of some sols, newest first."""
        conditions = {"condition_2": f"{sols.first}:sol:gte", "condition_3": f"{sols.last}:sol:lte"}
        return self._request("sol desc", conditions, instruments, page)

    def arrivals_request(self, since_utc: str, instruments: Sequence[str], page: int) -> Request:
        """Ask for one page of what came in since a time, latest first."""
        conditions = {"condition_2": f"{since_utc}:date_received:gte"}
        return self._request("date_received desc", conditions, instruments, page)

    def parse(self, body: Any) -> Page:
        """Read one page. A page that is not full is the last; how full it can be, the answer says."""
        records = listed(body, "images", self.name)
        size = min(whole(body, "per_page") or _PAGE_RECORDS, _PAGE_RECORDS)
        mission = text(body, "mission")
        return Page(
            records,
            is_last=len(records) < size,
            is_foreign=mission is not None and self._category not in mission.lower().split(","),
        )

    def key_of(self, record: Any) -> str | None:
        """Return the image id and the file: the id alone is the same for all versions of an image."""
        image_id = text(record, "imageid")
        return image_id and f"{image_id} {text(record, 'image_files', 'full_res')}"

    def mark_of(self, record: Any) -> Mark:
        """Read sol, instrument and time of arrival; whose image it is, instrument and image id tell."""
        instrument = (text(record, "camera", "instrument") or "").upper()
        name = parse_product_name(text(record, "imageid") or "")
        if not instrument and name is None:
            raise BadRecordError("`camera.instrument` is missing")
        is_helicopter = instrument.startswith("HELI") or (name is not None and name.rover == "ingenuity")
        of_mission = name is None or name.rover in ("perseverance", "ingenuity")
        return Mark(
            sol=sol_of(record),
            instrument=instrument,
            is_ours=of_mission and is_helicopter == (self._category == "ingenuity"),
            received_utc=utc(record, "date_received"),
        )

    def frame_of(self, record: Record, text_of_record: str) -> Frame:
        """Describe one image. `dimension` is what the file holds; `subframeRect` would be pixels of the detector."""
        return frame(
            image_file(text(record, "image_files", "full_res"), f"{self.address}/"),
            source=self.name,
            rover=self.rover,
            camera=self._words.get((text(record, "camera", "instrument") or "").upper()),
            sol=sol_of(record),
            told_sample_type=text(record, "sample_type"),
            told_filter=filter_digit(text(record, "camera", "filter_name")),
            sclk_s=number(record, "extended", "sclk"),
            site=text(record, "site"),
            size_px=pair(record, "extended", "dimension"),
            taken_utc=utc(record, "date_taken_utc") or utc(record, "date_taken"),
            received_utc=utc(record, "date_received"),
            credit=text(record, "credit"),
            record=text_of_record,
        )

    def _request(self, order: str, conditions: dict[str, str], instruments: Sequence[str], page: int) -> Request:
        params = {"feed": "raw_images", "category": self._category, "feedtype": "json", "ver": "1.2"}
        params |= {"num": str(_PAGE_RECORDS), "page": str(page), "order": order} | conditions
        if instruments:
            params["search"] = "|" + "|".join(instruments)
        return Request(f"{self.address}/", params)


class PerseveranceSource(FeedSource):
    """Perseverance, or with the category `ingenuity` its helicopter."""

    def __init__(
        self,
        transport: Transport,
        address: str,
        listing: ListingConfig,
        http: HttpConfig,
        category: RssCategory = "mars2020",
        progress: Callable[[str], None] | None = None,
    ) -> None:
        """Ask nothing yet."""
        super().__init__(transport, listing, http, progress)
        self._feed = RssFeed(address, category)

    def feed(self, query: Query) -> RssFeed:
        """Return the one feed."""
        return self._feed
