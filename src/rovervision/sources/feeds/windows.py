"""Which sols a query asks for, and in which portions they are listed."""

from collections.abc import Iterator
from dataclasses import dataclass

from rovervision.sources.feeds.feed import Latest, SolRange
from rovervision.sources.frame import Query


@dataclass(frozen=True, slots=True)
class Portion:
    """Sols that are asked for together, and kept together."""

    sols: SolRange
    is_settled: bool
    """True for sols so old that few images will still come in; such that do show among the arrivals."""


def first_sol(query: Query, newest_sol: int) -> int:
    """Return the sol at which a query that remembers no earlier listing begins."""
    if query.newest_sols is not None:
        return max(0, newest_sol - query.newest_sols + 1)
    return query.sol_min or 0


def window(query: Query, newest_sol: int, remembered_first: int | None) -> SolRange | None:
    """Return the sols that a query asks for; None where the archive has not come so far.

    Args:
        query: What is asked.
        newest_sol: Of the archive.
        remembered_first: Where the first listing of a `since_last_run` query began.
    """
    first = first_sol(query, newest_sol) if remembered_first is None else remembered_first
    last = newest_sol if query.sol_max is None else min(query.sol_max, newest_sol)
    return SolRange(first, last) if first <= last else None


def portions(asked: SolRange, sol_step: int, block_sols: int, latest: Latest, relist_sols: int) -> Iterator[Portion]:
    """Cut a window into portions, newest first.

    Args:
        asked: The window.
        sol_step: Only multiples of it; above 1, each sol is a portion.
        block_sols: Sols of a portion: it ends at a multiple, so that overlapping windows share portions.
        latest: The archive's newest sol, and where it counts them the sols that hold anything.
        relist_sols: The newest sols, which are never settled.
    """
    span = 1 if sol_step > 1 else block_sols
    for block in range(asked.last // span, asked.first // span - 1, -1):
        sols = SolRange(max(asked.first, block * span), min(asked.last, block * span + span - 1))
        is_stepped_over = sol_step > 1 and sols.first % sol_step
        is_empty = span == 1 and latest.totals is not None and not latest.totals.get(sols.first)
        if not is_stepped_over and not is_empty:
            yield Portion(sols, is_settled=sols.last <= latest.newest_sol - relist_sols)
