"""Which records of a page belong to what was asked, each file once."""

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rovervision.sources.feeds.feed import Feed, Mark, Page, SolRange
from rovervision.sources.feeds.records import moment
from rovervision.sources.frame import Frame
from rovervision.sources.http.transport import FetchError

_logger = logging.getLogger(__name__)

_SCHEMA_RECORDS: Final = 2  # one bad record is a bad record; a page of nothing else is a changed schema


@dataclass(slots=True)
class Tally:
    """Records that could not be read."""

    n_bad: int = 0
    first_reason: str = ""

    def count(self, reason: str) -> None:
        """Count one, and keep the first reason."""
        self.n_bad += 1
        self.first_reason = self.first_reason or reason

    def warn(self, feed: str) -> None:
        """Tell, once, how many there were."""
        if self.n_bad:
            _logger.warning("%s: %d records were passed over; of the first, %s.", feed, self.n_bad, self.first_reason)
            self.n_bad, self.first_reason = 0, ""


@dataclass(slots=True)
class Sifted:
    """What one page holds of what was asked."""

    accepted: list[tuple[Frame, Mark, str]] = field(default_factory=list)
    """Frame, mark, and the record as JSON."""
    n_recent: int = 0
    """Records that came in at or after the time asked for."""
    is_fallback: bool = False
    """True where no record is of the sols and the mission that were asked for."""


class Sieve:
    """Passes the records of one mission, some cameras, some sols; of twins only the first."""

    def __init__(self, feed: Feed, instruments: Collection[str], sols: SolRange, tally: Tally) -> None:
        self._feed = feed
        self._instruments = frozenset(name.upper() for name in instruments)
        self._sols = sols
        self._tally = tally
        self._seen: set[str] = set()

    def sift(self, page: Page, since: datetime | None = None) -> Sifted:
        """Sift one page. FetchError where not a single record can be read: the schema has changed.

        Args:
            page: As the feed gave it.
            since: Only what came in then or later.
        """
        sifted = Sifted()
        n_bad = n_foreign = 0
        for record in page.records:
            try:
                mark = self._feed.mark_of(record)
                if page.is_foreign or not mark.is_ours or mark.sol not in self._sols:
                    n_foreign += 1
                elif since is None or came_in(mark, since):
                    sifted.n_recent += 1
                    self._accept(record, mark, sifted)
            except ValueError as error:
                n_bad += 1
                self._tally.count(str(error))
        if n_bad == len(page.records) >= _SCHEMA_RECORDS:
            raise FetchError(
                "unexpected_answer",
                f"The feed of {self._feed.name} has changed: none of {n_bad} records can be read; "
                f"of the first, {self._tally.first_reason}.",
            )
        sifted.is_fallback = n_foreign > 0 and n_foreign + n_bad == len(page.records)
        return sifted

    def _accept(self, record: Any, mark: Mark, sifted: Sifted) -> None:
        if self._instruments and mark.instrument not in self._instruments:
            return
        text = json.dumps(record, separators=(",", ":"))
        frame = self._feed.frame_of(record, text)
        if frame.frame_id.casefold() not in self._seen:
            self._seen.add(frame.frame_id.casefold())
            sifted.accepted.append((frame, mark, text))


def came_in(mark: Mark, since: datetime) -> bool:
    """Tell whether a record came in at a time or later; one that does not say when did not."""
    received = moment(mark.received_utc)
    return received is not None and received >= since
