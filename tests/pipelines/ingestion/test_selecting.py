"""Which frames are wanted: laws, against a slow reading of the rules."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.pipelines.ingestion.nodes import select_frames
from rovervision.pipelines.ingestion.selecting import OUTCOMES, judge_listing
from rovervision.sources.frame import Frame, Query
from rovervision.sources.frame_table import listing_of, table_of
from rovervision.sources.registry import IngestionConfig

NAVCAM = "NLF_{sol:04}_0726421423_362ECM_N0320604NCAM08111_01_095J{version}.png"


def frame(sol: int = 1, version: str = "01", query: str = "q", frame_id: str | None = None) -> Frame:
    name = NAVCAM.format(sol=sol, version=version)
    return Frame(frame_id=frame_id or name[:-4], file_name=name, source="s", query=query, sol=sol, version=version)


def queries(*names: str, **settings: object) -> tuple[Query, ...]:
    return tuple(Query(name=name, source="s", **settings) for name in names)  # type: ignore[arg-type]


def judged(listed: list[Frame], asked: tuple[Query, ...]) -> list[str]:
    return list(judge_listing(lambda: listed, asked))


def test_the_highest_version_of_a_product_wins() -> None:
    listed = [frame(version=version) for version in ["01", "A0", "03"]] + [frame(sol=2, version="01")]
    assert judged(listed, queries("q")) == ["older_version", "selected", "older_version", "selected"]


def test_a_version_that_answers_no_query_does_not_win() -> None:
    listed = [frame(version="01"), frame(version="02", query="gone")]
    assert judged(listed, queries("q")) == ["selected", "outside_query"]


def test_names_that_no_mission_gave_are_all_kept() -> None:
    listed = [Frame(frame_id=f"{n}", file_name="holiday.jpg", source="s", query="q") for n in range(3)]
    assert judged(listed, queries("q")) == ["selected"] * 3


def test_a_frame_of_two_queries_is_kept_once_and_limits_count_what_is_kept() -> None:
    listed = [frame(sol=1), frame(sol=1), frame(sol=2), frame(sol=3), frame(sol=2, query="r"), frame(sol=4, query="r")]
    asked = (*queries("q", limit=2), *queries("r"))
    assert judged(listed, asked) == ["selected", "repeated", "selected", "over_limit", "repeated", "selected"]


listings = st.lists(
    st.builds(frame, sol=st.integers(1, 4), version=st.sampled_from(["01", "02", "A0"]), query=st.sampled_from("qrx")),
    max_size=25,
)


@given(listings, st.none() | st.integers(1, 3), st.integers(1, 4))
def test_laws_of_selection(listed: list[Frame], limit: int | None, sol_min: int) -> None:
    asked = queries("q", "r", limit=limit, sol_min=sol_min)
    outcomes = judged(listed, asked)
    chosen = [one for one, outcome in zip(listed, outcomes, strict=True) if outcome == "selected"]
    assert set(outcomes) <= set(OUTCOMES)
    assert len({one.frame_id for one in chosen}) == len(chosen)
    assert len({one.sol for one in chosen}) == len(chosen), "one version of each product"
    assert all(one.query in "qr" and one.sol is not None and one.sol >= sol_min for one in chosen)
    assert limit is None or all(count <= limit for count in Counter(one.query for one in chosen).values())
    wanted = {one.sol: max(two.version for two in listed if two.query in "qr" and two.sol == one.sol) for one in chosen}
    assert all(one.version == wanted[one.sol] for one in chosen)
    if limit is None:
        assert {one.sol for one in chosen} == {o.sol for o in listed if o.query in "qr" and (o.sol or 0) >= sol_min}
    assert judged(chosen, asked) == ["selected"] * len(chosen), "selecting again changes nothing"


def test_the_node_counts_every_outcome_and_changes_no_argument() -> None:
    listed = table_of([frame(sol=1), frame(sol=1, version="02"), frame(sol=2), frame(sol=2), frame(sol=9, query="r")])
    before = listed.copy()
    config = IngestionConfig(queries=(*queries("q"), *queries("r", sol_max=5)))
    chosen, counts = select_frames(listing_of(listed), config)
    pd.testing.assert_frame_equal(listed, before)
    assert list(chosen["version"]) == ["02", "01"]
    assert counts["q"] == {
        "listed": 4, "outside_query": 0, "repeated": 1, "older_version": 1, "over_limit": 0, "selected": 2,
    }  # fmt: skip
    assert counts["r"]["outside_query"] == counts["r"]["listed"] == 1


def test_nothing_left_is_told() -> None:
    with pytest.raises(RovervisionError, match="No listed frame answers"):
        select_frames(listing_of(table_of([frame(query="old")])), IngestionConfig(queries=queries("q")))
