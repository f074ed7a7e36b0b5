"""The listing of a feed: page by page, checked record by record, with a memory of what cannot have changed.

How it knows what cannot have changed: one question after the newest image comes first. If nothing came in since the
kept listings were last compared, they hold. Else what came in since is listed, latest first, and the portions of its
sols are forgotten; so are the newest sols, always. Times are the feed's own; no clock of this machine is asked.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.feeds.feed import Feed, Latest, Page, Request, SolRange
from rovervision.sources.feeds.filing import Filing
from rovervision.sources.feeds.listing_cache import (
    CacheState,
    ListingCache,
    PackedLines,
    counted_changes,
    remembered_first,
)
from rovervision.sources.feeds.records import iso, moment
from rovervision.sources.feeds.sifting import Sieve, Tally, came_in
from rovervision.sources.feeds.windows import Portion, first_sol, portions, window
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.transport import FetchError, Transport

_PUBLISHING_LAG: Final = timedelta(hours=12)  # images appear some time after they reached Earth
_RESOLUTION: Final = timedelta(seconds=1)  # of the time that an archive states as its latest
_REPORT_EVERY_S: Final = 5.0
_MOST_SOLS_AT_ONCE: Final = 250  # few enough that paging does not go deep
_EVER: Final = SolRange(0, 99_999)

_logger = logging.getLogger(__name__)


class Listing:
    """One feed's images of one choice of cameras."""

    def __init__(
        self,
        feed: Feed,
        transport: Transport,
        config: ListingConfig,
        instruments: Sequence[str],
        progress: Callable[[str], None] | None = None,
    ) -> None:
        """Ask nothing yet.

        Args:
            feed: How to ask, and how to read the answers.
            transport: The network.
            config: What to ask anew, what to keep.
            instruments: The feed's names of the cameras wanted; none for all.
            progress: Told now and then how far a listing is; by default the log is.
        """
        self._feed = feed
        self._transport = transport
        self._config = config
        self._instruments = tuple(instruments)
        self._progress = progress or _logger.info
        self._tally = Tally()
        self._reported_s = time.monotonic()
        self._n_listed = 0
        asked = json.dumps([feed.address, feed.rover, sorted(instruments)])
        self._digest = hashlib.sha256(asked.encode()).hexdigest()[:12]
        self._folder = Path(config.cache_folder, feed.name)
        self._cache = ListingCache(self._folder / self._digest)
        self._state: CacheState | None = None

    def frames(self, query: Query) -> Iterator[Frame]:
        """Yield the frames of the query's sols, newest first; for `newest_sols` also what came in late for older ones.

        Cameras beyond the feed's distinctions, types, patterns and limits are the caller's to apply.
        """
        latest = self._latest()
        self._refresh(latest)
        asked = window(query, latest.newest_sol, self._remembered_first(query, latest))
        try:
            if asked is not None:
                for frame in self._listed(
                    portions(asked, query.sol_step, self._feed.block_sols, latest, self._config.relist_sols)
                ):
                    self._n_listed += 1
                    self._report(frame)
                    yield frame
                if query.newest_sols is not None and not query.since_last_run:
                    yield from self._late(SolRange(0, asked.first - 1))
        finally:
            self._tally.warn(self._feed.name)

    def _remembered_first(self, query: Query, latest: Latest) -> int | None:
        if not query.since_last_run:
            return None
        asked = query.model_dump_json(exclude={"limit", "limit_per_sol"}) + self._digest
        key = f"{query.name[:60]}-{hashlib.sha256(asked.encode()).hexdigest()[:12]}"
        return remembered_first(self._folder / "first_sols", key, first_sol(query, latest.newest_sol))

    # --- what came in

    def _latest(self) -> Latest:
        for request in self._feed.latest_requests():
            try:
                body = self._get(request)
            except FetchError as error:
                if error.reason not in ("not_found", "html_page"):
                    raise
                absent = error
            else:
                return self._feed.parse_latest(body, self._instruments)
        raise FetchError(absent.reason, f"{absent} {self._feed.absent()}.") from absent

    def _refresh(self, latest: Latest) -> None:
        """Make the cache hold up to the latest state of the archive."""
        before = self._cache.state()
        self._state = now = CacheState(latest.stamp, latest.newest_sol, latest.totals)
        if before == now:
            return
        if before is None or not self._can_compare(before, latest):
            self._cache.forget_all()
        else:
            sols, shown = self._list_arrivals(before, latest)
            now = replace(now, shown=shown)
            self._cache.forget(sols | latest.grown_sols | counted_changes(before.totals, latest.totals))
        self._cache.set_state(now)

    def _can_compare(self, before: CacheState, latest: Latest) -> bool:
        """Tell whether the archive went on from a state; one that went back is another archive."""
        then, now = moment(before.stamp), moment(latest.stamp)
        if then is None or now is None:
            return (before.totals is None) == (latest.totals is None)
        return then <= now and before.newest_sol <= latest.newest_sol

    def _list_arrivals(self, before: CacheState, latest: Latest) -> tuple[set[int], frozenset[str] | None]:
        """List what came in since a state, and keep those of its records whose sols were known then.

        Images appear some time after they came in, so the list goes back a little further; what had been shown there
        already is remembered from the time before.

        Returns:
            Sols of which images may have come in, and the frame ids to remember for the next time.
        """
        then, now = moment(before.stamp), moment(latest.stamp)
        if then is None or now is None or self._feed.arrivals_request(before.stamp, self._instruments, 0) is None:
            return set(), None
        since = then - _PUBLISHING_LAG
        sieve = Sieve(self._feed, self._instruments, _EVER, self._tally)
        sols: set[int] = set()
        shown: set[str] = set()
        late = PackedLines()
        for page in self._pages(lambda number: self._feed.arrivals_request(iso(since), self._instruments, number)):
            sifted = sieve.sift(page, since)
            for frame, mark, text in sifted.accepted:
                if came_in(mark, now - _PUBLISHING_LAG):
                    shown.add(frame.frame_id)
                if before.shown is not None and frame.frame_id in before.shown:
                    continue
                sols.add(mark.sol)
                if mark.sol <= before.newest_sol and (before.shown is not None or came_in(mark, then + _RESOLUTION)):
                    late.add(text)
            if not sifted.n_recent:  # a server may ignore the condition, but then it keeps the order
                break
        self._cache.keep_late(late)
        return sols, frozenset(shown)

    # --- portions of sols

    def _listed(self, asked: Iterable[Portion]) -> Iterator[Frame]:
        """Yield the frames of portions; adjoining ones that are not kept are asked for in one go.

        So a camera that took ten images in a year costs one question, and not one for every block of sols.
        """
        run: list[Portion] = []
        for portion in asked:
            kept = self._cache.read(portion.sols, self._feed.block_sols)
            if run and (kept is not None or not self._adjoins(run, portion)):
                yield from self._fresh(run)
                run = []
            if kept is None:
                run.append(portion)
            else:
                yield from self._kept(kept, portion.sols)
        if run:
            yield from self._fresh(run)

    def _adjoins(self, run: Sequence[Portion], portion: Portion) -> bool:
        is_next = self._feed.block_sols > 1 and portion.sols.last == run[-1].sols.first - 1
        return is_next and run[0].sols.last - portion.sols.first < _MOST_SOLS_AT_ONCE

    def _kept(self, lines: Iterable[str], sols: SolRange) -> Iterator[Frame]:
        for line in lines:
            try:
                frame = self._feed.frame_of(json.loads(line), line)
            except ValueError as error:  # kept by a version that read more
                self._tally.count(str(error))
                continue
            if frame.sol is not None and frame.sol in sols:
                yield frame

    def _fresh(self, run: Sequence[Portion]) -> Iterator[Frame]:
        """List adjoining portions, and keep each once it is whole.

        A page without a single record of what was asked is the feed's fallback. It ends the listing, and what is open
        then is kept only until something comes in: it may have been a mishap.
        """
        sols = SolRange(run[-1].sols.first, run[0].sols.last)
        sieve = Sieve(self._feed, self._instruments, sols, self._tally)
        filing = Filing(self._cache, self._state, run)
        for page in self._pages(lambda number: self._feed.request(sols, self._instruments, number)):
            sifted = sieve.sift(page)
            for frame, mark, text in sifted.accepted:
                filing.add(mark.sol, text)
                yield frame
            if sifted.is_fallback:
                filing.doubt()
                break
        filing.close()

    def _late(self, sols: SolRange) -> Iterator[Frame]:
        yield from self._kept(self._cache.read_late(), sols)

    # --- questions

    def _pages(self, request: Callable[[int], Request | None]) -> Iterator[Page]:
        """Ask for page after page, until one is the last, or brings nothing that those before it did not."""
        seen: set[str] = set()
        for number in count():
            asked = request(number)
            if asked is None:
                return
            page = self._feed.parse(self._get(asked))
            keys = {key for record in page.records if (key := self._feed.key_of(record)) is not None}
            if number and keys <= seen:
                return
            yield page
            if page.is_last:
                return
            seen |= keys

    def _get(self, request: Request) -> Any:
        spacing_s = self._config.page_spacing_s if self._feed.is_slow else 0.0
        try:
            return self._transport.get_json(
                request.url, dict(request.params), spacing_s=spacing_s, headers=self._feed.headers()
            )
        except FetchError as error:
            raise FetchError(
                error.reason,
                f"{self._feed.address}, asked for images of {self._feed.rover}: {str(error).rstrip('.')}.",
            ) from error

    def _report(self, frame: Frame) -> None:
        now_s = time.monotonic()
        if now_s - self._reported_s >= _REPORT_EVERY_S:
            self._reported_s = now_s
            self._progress(f"{self._feed.name}: {self._n_listed:,} images listed, now at sol {frame.sol}")
