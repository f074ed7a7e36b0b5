"""A feed as a source: search lists it, fetch asks for one image."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from rovervision.errors import RovervisionError
from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.feeds.feed import Feed
from rovervision.sources.feeds.listing import Listing
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import Transport
from rovervision.sources.selection import select


class FeedSource(ABC):
    """What the sources with a live feed have in common: all but the feed."""

    def __init__(
        self,
        transport: Transport,
        listing: ListingConfig,
        http: HttpConfig,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        """Ask nothing yet.

        Args:
            transport: The network, shared with all other sources.
            listing: What a listing asks anew, and what it keeps.
            http: Limits on images.
            progress: Told now and then how far a listing is; by default the log is.
        """
        self._transport = transport
        self._listing = listing
        self._http = http
        self._progress = progress

    @abstractmethod
    def feed(self, query: Query) -> Feed:
        """Return the feed that a query asks."""

    def search(self, query: Query) -> Iterator[Frame]:
        """Yield the frames that answer the query, newest sols first, as the pages arrive.

        Raises:
            RovervisionError: At once for a camera or rover that the feed does not know; FetchError, while frames are
                taken, where the feed cannot be asked or has changed.
        """
        feed = self.feed(query)
        if query.rover not in (None, feed.rover):
            raise RovervisionError(
                f"The query `{query.name}` asks {feed.name} for the rover `{query.rover}`; it has {feed.rover} only."
            )
        instruments = feed.instruments(query.cameras, query.name)
        listing = Listing(feed, self._transport, self._listing, instruments, self._progress)
        return select(listing.frames(query), query)

    def fetch(self, frame: Frame) -> bytes:
        """Return the image file's bytes, verified. Raises FetchError where it cannot be had whole."""
        from rovervision.sources.http.verification import fetch_image

        return fetch_image(self._transport, frame, self._http)

    def size_bytes(self, frame: Frame) -> int | None:
        """Return the length of the image file; None where the server does not say."""
        return self._transport.size_bytes(frame.url)
