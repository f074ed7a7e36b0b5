"""Portions that are listed together, kept one by one as the listing passes them."""

from collections.abc import Sequence

from rovervision.sources.feeds.listing_cache import CacheState, ListingCache, PackedLines
from rovervision.sources.feeds.windows import Portion


class Filing:
    """Files the records of adjoining portions, newest first: a portion is whole once a record of an older one comes.

    A feed that does not keep the order is caught by a record of a portion that was passed; that one is forgotten again.
    Nothing is kept once another run has compared the cache with a later state of the archive.
    """

    def __init__(self, cache: ListingCache, state: CacheState | None, run: Sequence[Portion]) -> None:
        self._cache = cache
        self._state = state
        self._run = list(run)
        self._lines = PackedLines()
        self._in_doubt = False

    def add(self, sol: int, line: str) -> None:
        """File one record."""
        if not self._run or sol > self._run[0].sols.last:
            self._cache.forget({sol})
            return
        while sol < self._run[0].sols.first:
            self._keep_first()
        self._lines.add(line)

    def doubt(self) -> None:
        """Keep what is still open only until something comes in: how the listing ended may have been a mishap."""
        self._in_doubt = True

    def close(self) -> None:
        """Keep what is still open: the listing is at its end."""
        while self._run:
            self._keep_first()

    def _keep_first(self) -> None:
        portion = self._run.pop(0)
        if self._cache.state() == self._state:
            self._cache.keep(portion.sols, self._lines, is_settled=portion.is_settled and not self._in_doubt)
        self._lines = PackedLines()
