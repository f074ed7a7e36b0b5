"""Services that speak the schema of api.nasa.gov/mars-photos, which NASA retired in October 2025.

One question for each sol that the rover's manifest counts images of. There is no time of arrival: what came in late
shows in the manifest's counts.
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from rovervision.errors import RovervisionError
from rovervision.sources.feeds.cameras import MARS_PHOTOS, camera_words, instruments_of
from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.feeds.feed import Latest, Mark, Page, Record, Request, SolRange
from rovervision.sources.feeds.feed_source import FeedSource
from rovervision.sources.feeds.frames import frame, image_file
from rovervision.sources.feeds.records import at, listed, sol_of, text, whole
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import FetchError, Transport

_PAGE_RECORDS: Final = 25  # of services that page without being asked to
_SUCCESSORS: Final = (
    "NASA retired api.nasa.gov/mars-photos, and this address answers the same way. Point "
    "`ingestion.addresses.mars_photos` at a service that still speaks its schema, or use the sources `curiosity`, "
    "`perseverance` or `exploration_rovers`"
)


class PhotosFeed:
    """One rover of such a service."""

    name = "mars_photos"
    block_sols = 1
    is_slow = False

    def __init__(self, address: str, rover: str, key_variable: str | None = None) -> None:
        self.address = address.rstrip("/")
        self.rover = rover
        self._key_variable = key_variable
        self._words = camera_words(MARS_PHOTOS[rover])

    def headers(self) -> Mapping[str, str] | None:
        """Return the service's key, out of the environment; RovervisionError where it is not there."""
        if self._key_variable is None:
            return None
        key = os.environ.get(self._key_variable, "").strip()
        if not key:
            raise RovervisionError(
                f"The environment variable {self._key_variable}, which `ingestion.addresses.mars_photos_key_variable` "
                "names, holds no key. Set it, or set the parameter to null for a service that wants none."
            )
        return {"X-API-Key": key}

    def instruments(self, cameras: Collection[str], query_name: str) -> tuple[str, ...]:
        """Return the service's names of cameras."""
        return instruments_of(cameras, MARS_PHOTOS[self.rover], query_name, f"{self.name} of {self.rover}")

    def latest_requests(self) -> Sequence[Request]:
        """Ask for the manifest; where the service has none, for the newest photos."""
        return (
            Request(f"{self.address}/manifests/{self.rover}"),
            Request(f"{self.address}/rovers/{self.rover}/latest_photos"),
        )

    def parse_latest(self, body: Any, instruments: Collection[str]) -> Latest:
        """Read the manifest, or the newest photos; FetchError where it is neither."""
        manifest = at(body, "photo_manifest")
        if isinstance(manifest, dict):
            return self._of_manifest(manifest, instruments)
        photos = listed(body, "latest_photos", self.name)
        sols = [sol for photo in photos if (sol := whole(photo, "sol")) is not None]
        if not sols:
            raise FetchError("unexpected_answer", f"The service has no newest photos of {self.rover}.")
        newest_id = max((whole(photo, "id") or 0 for photo in photos), default=0)
        return Latest(f"sol {max(sols)} {newest_id}", max(sols))

    def absent(self) -> str:
        """Say that this service was retired, and what took its place."""
        return _SUCCESSORS

    def request(self, sols: SolRange, instruments: Sequence[str], page: int) -> Request:
        """Ask for one sol: without a page, which gives everything, unless the service pages all the same."""
        params = {"sol": str(sols.first)}
        if len(instruments) == 1:
            params["camera"] = instruments[0].lower()
        if page:
            params["page"] = str(page + 1)
        return Request(f"{self.address}/rovers/{self.rover}/photos", params)

    def arrivals_request(self, since_utc: str, instruments: Sequence[str], page: int) -> None:
        """Return None: there is no time of arrival."""

    def parse(self, body: Any) -> Page:
        """Read one answer. One of whole pages may have been cut."""
        records = listed(body, "photos", self.name)
        return Page(records, is_last=not records or len(records) % _PAGE_RECORDS > 0)

    def key_of(self, record: Any) -> str | None:
        """Return the photo's address."""
        return text(record, "img_src")

    def mark_of(self, record: Any) -> Mark:
        """Read rover, sol and camera."""
        rover = text(record, "rover", "name")
        return Mark(
            sol=sol_of(record),
            instrument=(text(record, "camera", "name") or "").upper(),
            is_ours=rover is None or rover.lower() == self.rover,
        )

    def frame_of(self, record: Record, text_of_record: str) -> Frame:
        """Describe one photo. Its `earth_date` is computed and may be a day off: no time is taken from it."""
        return frame(
            image_file(text(record, "img_src"), f"{self.address}/"),
            source=self.name,
            rover=self.rover,
            camera=self._words.get((text(record, "camera", "name") or "").upper()),
            sol=sol_of(record),
            record=text_of_record,
        )

    def _of_manifest(self, manifest: dict[str, Any], instruments: Collection[str]) -> Latest:
        wanted = {name.upper() for name in instruments}
        totals: dict[int, int] = {}
        for each in listed(manifest, "photos", self.name):
            sol, total = whole(each, "sol"), whole(each, "total_photos")
            cameras = at(each, "cameras")
            named = {str(camera).upper() for camera in cameras} if isinstance(cameras, list) else set()
            if sol is not None and sol >= 0 and (not wanted or not named or wanted & named):
                totals[sol] = -1 if total is None else total
        newest_sol = whole(manifest, "max_sol")
        if newest_sol is None or newest_sol < 0:
            raise FetchError("unexpected_answer", "The service's manifest has changed: it has no `max_sol`.")
        stamp = f"sol {newest_sol} {whole(manifest, 'total_photos')} {sum(totals.values())}"
        return Latest(stamp, newest_sol, totals=totals)


class MarsPhotosSource(FeedSource):
    """A service that speaks the retired schema; `Query.rover` chooses the rover, Curiosity where it is None."""

    def __init__(
        self,
        transport: Transport,
        address: str,
        listing: ListingConfig,
        http: HttpConfig,
        key_variable: str | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        """Ask nothing yet; the variable of the environment with the service's key is read at the first question."""
        super().__init__(transport, listing, http, progress)
        self._address = address
        self._key_variable = key_variable

    def feed(self, query: Query) -> PhotosFeed:
        """Return the rover's part. RovervisionError for a rover that these services never had."""
        rover = query.rover or "curiosity"
        if rover not in MARS_PHOTOS:
            raise RovervisionError(
                f"The query `{query.name}` asks mars_photos for the unknown rover `{rover}`. "
                f"Known: {', '.join(MARS_PHOTOS)}."
            )
        return PhotosFeed(self._address, rover, self._key_variable)
