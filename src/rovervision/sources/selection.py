"""Whether a frame answers a query, and what to tell a user when none does."""

from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import islice
from typing import Final

from rovervision.sources.frame import Frame, Query

_EXPLAINED_FRAMES: Final = 20_000  # enough to know an archive by, and soon read


def answers(frame: Frame, query: Query) -> bool:
    """Tell whether a frame answers a query, its limit aside. A frame of unknown sol lies in no range of sols."""
    if query.sol_min is not None and (frame.sol is None or frame.sol < query.sol_min):
        return False
    if query.sol_max is not None and (frame.sol is None or frame.sol > query.sol_max):
        return False
    if query.sol_step > 1 and (frame.sol is None or frame.sol % query.sol_step):
        return False
    return (
        (query.rover is None or frame.rover == query.rover)
        and (not query.cameras or frame.camera in query.cameras)
        and (not query.product_types or frame.product_type in query.product_types)
        and (not query.sample_types or frame.sample_type in query.sample_types)
        and (not query.color_types or frame.color_type in query.color_types)
        and (not query.filters or frame.filter in query.filters)
        and (query.name_pattern is None or fnmatchcase(frame.file_name, query.name_pattern))
    )


class Allowance:
    """How many more frames a query's limits let in."""

    def __init__(self, query: Query) -> None:
        self._limit = query.limit
        self._limit_per_sol = query.limit_per_sol
        self._taken = 0
        self._of_sol: Counter[tuple[str, str, int | None]] = Counter()

    @property
    def is_spent(self) -> bool:
        """True when no frame whatever can come in any more."""
        return self._limit is not None and self._taken >= self._limit

    def admits(self, frame: Frame) -> bool:
        """Tell whether one more frame may come in. Changes nothing."""
        per_sol = self._limit_per_sol
        return not self.is_spent and (per_sol is None or self._of_sol[_day(frame)] < per_sol)

    def take(self, frame: Frame) -> None:
        """Count a frame that came in."""
        self._taken += 1
        if self._limit_per_sol is not None:
            self._of_sol[_day(frame)] += 1


def _day(frame: Frame) -> tuple[str, str, int | None]:
    """Return what `limit_per_sol` counts by: two rovers' cameras share names, and sols numbers."""
    return frame.rover, frame.camera, frame.sol


def select(frames: Iterable[Frame], query: Query) -> Iterator[Frame]:
    """Yield the frames that answer a query, no more than its limits let in, and read no further than they do."""
    allowance = Allowance(query)
    if allowance.is_spent:
        return
    for frame in frames:
        if answers(frame, query) and allowance.admits(frame):
            allowance.take(frame)
            yield frame
            if allowance.is_spent:
                return


def unrestricted(query: Query) -> Query:
    """Return the query that asks the same archive for everything."""
    return Query(name=query.name, source=query.source, rover=query.rover)


def without_limits(query: Query) -> Query:
    """Return the same query with nothing that thins its frames out."""
    return query.model_copy(update={"limit": None, "limit_per_sol": None, "sol_step": 1})


def describe_holdings(frames: Iterable[Frame]) -> str:
    """Say in one clause what an archive holds: how many frames, of which cameras, sols and types."""
    known = list(islice(frames, _EXPLAINED_FRAMES))
    if not known:
        return "it holds no image at all"
    more = "at least " if len(known) == _EXPLAINED_FRAMES else ""
    sols = [frame.sol for frame in known if frame.sol is not None]
    return (
        f"it holds {more}{len(known)} frames: cameras {_tally(frame.camera for frame in known)}; "
        + (f"sols {min(sols)} to {max(sols)}; " if sols else "sols unknown; ")
        + f"product types {_tally(frame.product_type for frame in known)}; "
        + f"sample types {_tally(frame.sample_type for frame in known)}; names such as {known[0].file_name}"
    )


def _tally(words: Iterable[str]) -> str:
    return ", ".join(f"{word} ({count})" for word, count in Counter(words).most_common(12))
