"""Which frames answer a query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.sources.frame import Frame, Query
from rovervision.sources.selection import answers, describe_holdings, select, unrestricted, without_limits

FRAME = Frame(
    frame_id="a",
    file_name="NLF_1.png",
    source="s",
    camera="navcam_left",
    sol=10,
    product_type="ECM",
    sample_type="full",
    rover="r",
    filter="4",
    color_type="color",
)


@pytest.mark.parametrize(
    ("asked", "is_answer"),
    [({}, True), ({"cameras": ("navcam_left",)}, True), ({"cameras": ("navcam",)}, False), ({"sol_min": 10}, True),
     ({"sol_min": 11}, False), ({"sol_max": 10}, True), ({"sol_max": 9}, False), ({"product_types": ("EDR",)}, False),
     ({"sample_types": ("full", "mixed")}, True), ({"name_pattern": "NLF_*"}, True),
     ({"rover": "r"}, True), ({"rover": "x"}, False), ({"filters": ("0", "4")}, True), ({"filters": ("5",)}, False),
     ({"color_types": ("color",)}, True), ({"color_types": ("gray",)}, False), ({"name_pattern": "NR*"}, False)],
)  # fmt: skip
def test_each_filter(asked: dict, is_answer: bool) -> None:
    assert answers(FRAME, Query(name="q", source="s", **asked)) is is_answer


def test_an_unknown_sol_lies_in_no_range() -> None:
    frame = Frame(frame_id="a", file_name="a.png", source="s")
    assert answers(frame, Query(name="q", source="s"))
    assert not answers(frame, Query(name="q", source="s", sol_min=0))
    assert not answers(frame, Query(name="q", source="s", sol_max=9999))


def test_a_limit_by_sol_counts_each_rovers_cameras_apart_and_the_search_ends_with_the_limit() -> None:
    query = Query(name="q", source="s", limit=4, limit_per_sol=1)
    told = [
        Frame(frame_id=f"{n}", file_name="x", source="s", rover=rover, camera=camera, sol=sol)
        for n, (sol, rover, camera) in enumerate(
            [(1, "r", "a"), (1, "r", "a"), (1, "r", "b"), (1, "s", "a"), (1, "s", "a"), (2, "r", "a"), (3, "r", "a")]
        )
    ]
    pulled = []
    chosen = [frame.frame_id for frame in select((pulled.append(f) or f for f in told), query)]  # type: ignore[func-returns-value]
    assert chosen == ["0", "2", "3", "5"]
    assert len(pulled) == 6, "nothing is read beyond the last frame that comes in"
    assert [f.frame_id for f in select(told, without_limits(query))] == [f.frame_id for f in told]


def test_only_multiples_of_the_step() -> None:
    frames = [Frame(frame_id=f"{n}", file_name="x", source="s", sol=n or None) for n in range(9)]
    query = Query(name="q", source="s", sol_step=4)
    assert [f.sol for f in select(frames, query)] == [4, 8]
    assert list(select(frames, without_limits(query))) == frames


sols = st.lists(st.none() | st.integers(0, 30), max_size=20)


@given(sols, st.integers(0, 30), st.integers(0, 30), st.none() | st.integers(1, 5))
def test_selecting_is_filtering_in_order_up_to_the_limit(sols: list, low: int, high: int, limit: int | None) -> None:
    low, high = sorted((low, high))
    frames = [Frame(frame_id=str(n), file_name="x", source="s", sol=sol) for n, sol in enumerate(sols)]
    query = Query(name="q", source="s", sol_min=low, sol_max=high, limit=limit)
    slow = [frame for frame in frames if frame.sol is not None and low <= frame.sol <= high][:limit]
    assert list(select(frames, query)) == slow
    assert list(select(select(frames, query), query)) == slow
    assert list(select(frames, unrestricted(query))) == frames


def test_holdings_are_told_in_words() -> None:
    told = describe_holdings([FRAME])
    assert all(word in told for word in ["1 frames", "navcam_left (1)", "sols 10 to 10", "ECM", "full", "NLF_1.png"])
    assert "no image" in describe_holdings([])
