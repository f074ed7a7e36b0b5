"""Which of the listed frames are wanted: those that answer, each once, each in its latest version."""

from collections.abc import Callable, Iterable, Iterator

from rovervision.sources.frame import Frame, Query
from rovervision.sources.product_names import parse_product_name
from rovervision.sources.selection import Allowance, answers

OUTCOMES = ("listed", "outside_query", "repeated", "older_version", "over_limit", "selected")


def judge_listing(read: Callable[[], Iterable[Frame]], queries: Iterable[Query]) -> Iterator[str]:
    """Say for each frame what becomes of it: one of OUTCOMES but "listed".

    A frame of a query that is no longer asked counts as outside. The first frame of an id wins; of the versions of one
    product the highest does, and all that share it stay.

    Args:
        read: Gives the listed frames from the first on; called twice, since a later version may stand further down.
        queries: What is asked.
    """
    asked = {query.name: query for query in queries}
    latest = _latest_versions(frame for frame in read() if _is_answer(frame, asked))
    allowances = {name: Allowance(query) for name, query in asked.items()}
    seen: set[str] = set()
    for frame in read():
        outcome = _judge(frame, asked, latest, seen, allowances)
        if outcome == "selected":
            seen.add(frame.frame_id)
            allowances[frame.query].take(frame)
        yield outcome


def _judge(
    frame: Frame, asked: dict[str, Query], latest: dict[str, str], seen: set[str], allowances: dict[str, Allowance]
) -> str:
    if not _is_answer(frame, asked):
        return "outside_query"
    if frame.frame_id in seen:
        return "repeated"
    if version_of(frame) < latest[product_of(frame)]:
        return "older_version"
    return "selected" if allowances[frame.query].admits(frame) else "over_limit"


def _is_answer(frame: Frame, asked: dict[str, Query]) -> bool:
    return frame.query in asked and answers(frame, asked[frame.query])


def _latest_versions(frames: Iterable[Frame]) -> dict[str, str]:
    latest: dict[str, str] = {}
    for frame in frames:
        product = product_of(frame)
        latest[product] = max(latest.get(product, ""), version_of(frame))
    return latest


def product_of(frame: Frame) -> str:
    """Return what all versions of a frame's product share: the product name without version, else the frame id."""
    name = parse_product_name(frame.file_name)
    return name.product if name else frame.frame_id


def version_of(frame: Frame) -> str:
    """Return the version, comparable as text among the versions of one product."""
    name = parse_product_name(frame.file_name)
    return name.version if name else ""
