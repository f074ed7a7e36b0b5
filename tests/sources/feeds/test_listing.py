"""The laws of a listing: complete, each file once, no more questions than needed, the same with a cache as without."""

import gzip
import itertools
import json
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.feeds.curiosity import CuriositySource
from rovervision.sources.feeds.feed_source import FeedSource
from rovervision.sources.feeds.perseverance import PerseveranceSource
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.config import HttpConfig
from rovervision.sources.http.transport import FetchError
from tests.sources.feeds.fakes import ITEMS, RSS, FakeItems, FakeRss, FakeTransport, clock, item, rss_record

_NUMBERS = itertools.count()
DAY = 24 * 60


def rss_source(fake: FakeRss, folder: Path | str, relist_sols: int = 3) -> tuple[FeedSource, FakeTransport]:
    transport = FakeTransport({RSS: fake})
    listing = ListingConfig(cache_folder=str(folder), relist_sols=relist_sols)
    return PerseveranceSource(transport, RSS, listing, HttpConfig()), transport


def query(**asked: Any) -> Query:
    return Query(**({"name": "q", "source": "perseverance"} | asked))


def listed(fake: FakeRss, folder: Path | str, **asked: Any) -> tuple[list[Frame], int]:
    """The frames, and how many questions they took."""
    source, transport = rss_source(fake, folder)
    return list(source.search(query(**asked))), len(transport.asked)


def downlink(fake: FakeRss, minutes: float, sols: list[int]) -> None:
    """Images of some sols come in, at a time that the archive then states as its latest."""
    for sol in sols:
        fake.records.append(rss_record(sol=sol, n=next(_NUMBERS), received=clock(minutes)))
    fake.latest = clock(minutes)


def archive(*sols: int) -> FakeRss:
    fake = FakeRss()
    downlink(fake, 0, list(sols))
    return fake


# --- complete, and once


@given(
    sols=st.lists(st.integers(0, 90), max_size=60),
    cap=st.integers(1, 100),
    sol_min=st.integers(0, 90),
    n_sols=st.integers(1, 60),
    sol_step=st.sampled_from([1, 1, 4, 10]),
)
@settings(max_examples=40)
def test_every_matching_record_is_listed_once_whatever_the_size_of_pages(
    sols: list[int], cap: int, sol_min: int, n_sols: int, sol_step: int
) -> None:
    fake = archive(*sols, 95)
    fake.cap = cap
    asked = {"sol_min": sol_min, "sol_max": sol_min + n_sols, "sol_step": sol_step}
    with tempfile.TemporaryDirectory() as folder:
        frames, _ = listed(fake, folder, **asked)
    wanted = [
        each for each in fake.records if sol_min <= each["sol"] <= sol_min + n_sols and not each["sol"] % sol_step
    ]
    assert sorted(frame.url for frame in frames) == sorted(each["image_files"]["full_res"] for each in wanted)
    assert [frame.sol for frame in frames] == sorted((each["sol"] for each in wanted), reverse=True)


@given(
    steps=st.lists(
        st.tuples(st.lists(st.integers(0, 80), min_size=1, max_size=6), st.booleans(), st.integers(1, 2000)), max_size=5
    ),
    asked=st.sampled_from(
        [{}, {"sol_min": 7}, {"sol_min": 13, "sol_max": 60}, {"sol_step": 5}, {"cameras": ("watson",)}]
    ),
    ignores_dates=st.booleans(),
)
@settings(max_examples=60)
def test_with_a_cache_a_listing_is_what_it_is_without(
    steps: list[tuple[list[int], bool, int]], asked: dict[str, Any], ignores_dates: bool
) -> None:
    fake, minutes = archive(*range(0, 60, 2)), 0
    fake.ignores_dates = ignores_dates
    with tempfile.TemporaryDirectory() as folder:
        for sols, is_listed_between, pause in steps:
            minutes += pause
            downlink(fake, minutes, sols)
            if is_listed_between:
                listed(fake, folder, **asked)
        kept, _ = listed(fake, folder, **asked)
        again, n_questions = listed(fake, folder, **asked)
        with tempfile.TemporaryDirectory() as empty:
            fresh, _ = listed(fake, empty, **asked)
    assert kept == again == fresh
    assert n_questions == 1


def test_images_that_appear_long_after_they_came_in_are_found(tmp_path: Path) -> None:
    fake = mission(100)
    before, _ = listed(fake, tmp_path)
    assert len(listed(fake, tmp_path, newest_sols=3)[0]) == 3
    for step, sol in enumerate((5, 6), start=1):
        downlink(fake, 99 * DAY - 300 * step, [sol])  # received before the last listing, and shown only now
        fake.latest = clock(99 * DAY + step)
        after, _ = listed(fake, tmp_path)
        assert len(after) == len(before) + step
    assert [frame.sol for frame in listed(fake, tmp_path, newest_sols=3)[0]] == [99, 98, 97, 6]


def test_sols_that_the_archive_names_as_grown_are_listed_anew(tmp_path: Path) -> None:
    fake = mission(100)
    before, _ = listed(fake, tmp_path)
    fake.records.append(rss_record(sol=5, n=next(_NUMBERS), received="UNK"))
    fake.latest, fake.latest_sols = clock(100 * DAY), [5, 99]
    assert len(listed(fake, tmp_path)[0]) == len(before) + 1


# --- no more questions than needed


def mission(n_sols: int) -> FakeRss:
    """An archive to which each day brought a sol."""
    fake = FakeRss()
    for sol in range(n_sols):
        downlink(fake, sol * DAY, [sol])
    return fake


def test_old_sols_are_asked_once_and_new_ones_again(tmp_path: Path) -> None:
    fake = mission(200)
    frames, n_questions = listed(fake, tmp_path)
    assert len(frames) == 200
    assert n_questions == 1 + 3, "blocks of sols are kept one by one and asked for together"
    downlink(fake, 200 * DAY, [200, 30])
    source, transport = rss_source(fake, tmp_path)
    assert len(list(source.search(query()))) == 202
    assert [(params["order"], params.get("condition_2")) for _, params in transport.asked[1:]] == [
        ("date_received desc", f"{clock(198.5 * DAY)}:date_received:gte"),
        ("sol desc", "175:sol:gte"),
        ("sol desc", "25:sol:gte"),
    ]


def test_arrivals_are_read_no_further_than_the_last_listing_though_the_server_ignores_the_condition(
    tmp_path: Path,
) -> None:
    fake = mission(300)
    fake.ignores_dates, fake.cap = True, 10
    listed(fake, tmp_path)
    downlink(fake, 300 * DAY, [300])
    source, transport = rss_source(fake, tmp_path)
    list(source.search(query(sol_min=0, sol_max=10)))
    assert sum(params["order"] == "date_received desc" for _, params in transport.asked) == 2


def test_a_wider_window_takes_what_a_narrower_one_kept(tmp_path: Path) -> None:
    fake = archive(*range(200))
    listed(fake, tmp_path, sol_min=25, sol_max=74)
    assert listed(fake, tmp_path, sol_min=30, sol_max=40) == (
        listed(fake, tmp_path / "x", sol_min=30, sol_max=40)[0],
        1,
    )
    assert listed(fake, tmp_path, sol_min=0, sol_max=74)[1] == 2
    assert listed(fake, tmp_path, sol_min=25, sol_max=74, sol_step=10)[1] == 1


def test_a_limit_ends_the_questions_and_what_is_cut_is_not_kept(tmp_path: Path) -> None:
    fake = archive(*[50] * 350, 100)
    source, transport = rss_source(fake, tmp_path)
    assert len(list(source.search(query(sol_max=74, limit=150)))) == 150
    assert len(transport.asked) == 1 + 2
    assert len(listed(fake, tmp_path, sol_max=74)[0]) == 350


def test_frames_come_as_the_pages_do(tmp_path: Path) -> None:
    source, transport = rss_source(archive(*[50] * 350), tmp_path)
    next(source.search(query(sol_min=50)))
    assert len(transport.asked) == 2


def test_what_was_whole_is_kept_when_the_network_goes(tmp_path: Path) -> None:
    fake = archive(*range(100))
    fake.cap = 30
    source, transport = rss_source(fake, tmp_path)

    def failing(params: dict[str, str]) -> Any:
        if params.get("order") == "sol desc" and params["page"] == "2":
            raise FetchError("timeout", "no answer in 60 s.")
        return fake(params)

    transport.routes = {RSS: failing}
    with pytest.raises(FetchError, match=r"rss/api, asked for images of perseverance: no answer in 60 s\.$") as caught:
        list(source.search(query()))
    assert caught.value.reason == "timeout"
    kept = sorted(path.name for path in tmp_path.rglob("0*.jsonl.gz"))
    assert kept == ["00050-00074.jsonl.gz", "00075-00099.recent.jsonl.gz"]
    assert listed(fake, tmp_path) == (listed(fake, tmp_path / "x")[0], 1 + 2)


def test_sols_with_nothing_are_asked_again_only_when_something_came_in(tmp_path: Path) -> None:
    fake = archive(0, 100)
    assert listed(fake, tmp_path, sol_min=30, sol_max=40) == ([], 2)
    assert listed(fake, tmp_path, sol_min=30, sol_max=40) == ([], 1)
    downlink(fake, 1, [101])
    assert listed(fake, tmp_path, sol_min=30, sol_max=40)[1] == 3, "the fallback may have been a mishap"


# --- windows that move


def test_newest_sols_count_from_the_newest_and_add_what_came_in_late(tmp_path: Path) -> None:
    fake = archive(*range(100))
    assert [frame.sol for frame in listed(fake, tmp_path, newest_sols=3)[0]] == [99, 98, 97]
    downlink(fake, DAY, [100, 7, 98])
    late, _ = listed(fake, tmp_path, newest_sols=3)
    assert [frame.sol for frame in late] == [100, 99, 98, 98, 7]
    assert listed(fake, tmp_path, newest_sols=3) == (late, 1), "the same until something else comes in"
    downlink(fake, 2 * DAY, [101])
    assert [frame.sol for frame in listed(fake, tmp_path, newest_sols=3)[0]] == [101, 100, 99]


def test_late_frames_answer_the_query_too(tmp_path: Path) -> None:
    fake = archive(*range(100))
    listed(fake, tmp_path, newest_sols=3, name_pattern="NLF_00*")
    downlink(fake, DAY, [100, 7])
    assert [frame.sol for frame in listed(fake, tmp_path, newest_sols=3, name_pattern="NLF_01*")[0]] == [100]


def test_new_sols_below_the_newest_are_not_late(tmp_path: Path) -> None:
    fake = mission(100)
    listed(fake, tmp_path, newest_sols=3)
    downlink(fake, 120 * DAY, [*range(100, 120), 40])
    assert [frame.sol for frame in listed(fake, tmp_path, newest_sols=3)[0]] == [119, 118, 117, 40]


def test_no_question_is_spent_on_sols_that_cannot_answer(tmp_path: Path) -> None:
    fake = archive(*range(30))
    assert listed(fake, tmp_path, sol_step=10)[1] == 1 + 3
    assert listed(fake, tmp_path / "x", sol_max=10_000)[1] == 1 + 1


def test_a_camera_that_is_seldom_used_costs_few_questions(tmp_path: Path) -> None:
    fake = archive(*range(0, 1000, 90))
    frames, n_questions = listed(fake, tmp_path)
    assert len(frames) == 12
    assert n_questions == 1 + 4, "250 sols at once"
    assert len(list(tmp_path.rglob("0*.jsonl.gz"))) == 40, "also those that hold nothing are known"
    assert listed(fake, tmp_path, sol_min=300, sol_max=400)[1] == 1


def test_a_feed_out_of_order_is_listed_whole_and_not_kept_by_mistake(tmp_path: Path) -> None:
    fake = archive(*range(100), 200)
    source, transport = rss_source(fake, tmp_path)

    def shuffled(params: dict[str, str]) -> Any:
        answer = fake(params)
        if "images" in answer:
            answer["images"] = sorted(answer["images"], key=lambda record: -(record["sol"] * 37 % 101))
        return answer

    transport.routes = {RSS: shuffled}
    first = {frame.frame_id for frame in source.search(query(sol_max=99))}
    assert len(first) == 100
    assert {frame.frame_id for frame in listed(fake, tmp_path, sol_max=99)[0]} == first


def test_since_last_run_keeps_its_start_and_grows(tmp_path: Path) -> None:
    asked = {"newest_sols": 2, "since_last_run": True}
    fake = archive(*range(100))
    assert [frame.sol for frame in listed(fake, tmp_path, **asked)[0]] == [99, 98]
    downlink(fake, DAY, [100, 101, 102, 98, 7])
    assert [frame.sol for frame in listed(fake, tmp_path, **asked)[0]] == [102, 101, 100, 99, 98, 98]
    assert [frame.sol for frame in listed(fake, tmp_path, **asked, limit=3)[0]] == [102, 101, 100], (
        "a limit is no other question"
    )
    assert [frame.sol for frame in listed(fake, tmp_path, **asked, name="other")[0]] == [102, 101]


def test_a_window_beyond_the_newest_sol_is_empty(tmp_path: Path) -> None:
    assert listed(archive(1, 2, 3), tmp_path, sol_min=4) == ([], 1)


# --- what is kept


def test_each_choice_of_cameras_and_each_address_is_kept_apart(tmp_path: Path) -> None:
    fake = archive(*range(10))
    fake.records[5] = rss_record(sol=5, n=5, instrument="NAVCAM_RIGHT", letters="NRF")
    assert len(listed(fake, tmp_path, cameras=("navcam_left",))[0]) == 9
    assert len(listed(fake, tmp_path, cameras=("navcam_right",))[0]) == 1
    assert len(listed(fake, tmp_path)[0]) == 10
    other = FakeTransport({RSS.replace("mars.nasa", "mirror.example"): archive(9)})  # as far, and not as full
    address = RSS.replace("mars.nasa", "mirror.example")
    mirror = PerseveranceSource(other, address, ListingConfig(cache_folder=str(tmp_path)), HttpConfig())
    assert len(list(mirror.search(query()))) == 1


def test_what_a_slow_run_lists_is_not_kept_as_newer_than_it_is(tmp_path: Path) -> None:
    fake = archive(*[5] * 150, 100)
    slow = rss_source(fake, tmp_path)[0].search(query(sol_max=24))
    first = next(slow)
    fake.records.append(rss_record(sol=5, n=next(_NUMBERS), received=clock(DAY)))
    fake.latest = clock(DAY)
    listed(fake, tmp_path, cameras=())  # another run, which ends first; the folder now holds up to the new moment
    (portion,) = tmp_path.rglob("00000-00024.jsonl.gz")
    portion.unlink()
    fake.records.pop()
    assert len([first, *slow]) == 150
    fake.records.append(rss_record(sol=5, n=next(_NUMBERS), received=clock(DAY)))
    assert len(listed(fake, tmp_path, sol_max=24)[0]) == 151


def test_an_archive_that_went_back_is_another_archive(tmp_path: Path) -> None:
    listed(mission(100), tmp_path)
    other = mission(50)
    assert listed(other, tmp_path)[0] == listed(other, tmp_path / "x")[0]


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"{}", b"not gzip at all"])
def test_a_broken_cache_is_an_absent_one(tmp_path: Path, content: bytes) -> None:
    fake = archive(*range(100))
    fresh, n_questions = listed(fake, tmp_path)
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        whole = path.read_bytes()
        path.write_bytes(content)
        assert listed(fake, tmp_path)[0] == fresh
        path.write_bytes(whole[: len(whole) // 2])
        assert listed(fake, tmp_path)[0] == fresh
    assert listed(fake, tmp_path) == (fresh, 1)
    assert n_questions == 3


def test_a_kept_file_with_a_line_too_few_is_an_absent_one(tmp_path: Path) -> None:
    fake = archive(*range(30), 100)
    fresh, _ = listed(fake, tmp_path)
    (kept,) = tmp_path.rglob("00000-00024.jsonl.gz")
    kept.write_bytes(gzip.compress(b"\n".join(gzip.decompress(kept.read_bytes()).split(b"\n")[1:])))
    assert listed(fake, tmp_path) == (fresh, 2)


def test_the_cache_holds_whole_files_with_known_names_only(tmp_path: Path) -> None:
    listed(archive(*range(100)), tmp_path)
    names = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert names == [
        "00000-00024.jsonl.gz",
        "00025-00049.jsonl.gz",
        "00050-00074.jsonl.gz",
        "00075-00099.recent.jsonl.gz",
        "state.json",
    ]


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match=r"listing cache .* cannot be written.*ingestion\.listing\.cache_folder"):
        listed(archive(1), tmp_path / "file")


# --- told, and the other feed


def test_progress_is_told_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    seconds = itertools.count(step=3)
    monkeypatch.setattr("rovervision.sources.feeds.listing.time.monotonic", lambda: float(next(seconds)))
    transport = FakeTransport({RSS: archive(*range(100))})
    source = PerseveranceSource(
        transport, RSS, ListingConfig(cache_folder=str(tmp_path)), HttpConfig(), progress=told.append
    )
    assert len(list(source.search(query()))) == 100
    assert 30 < len(told) < 60
    assert told[0] == "perseverance: 2 images listed, now at sol 98"


def test_progress_goes_to_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    monkeypatch.setattr("rovervision.sources.feeds.listing._REPORT_EVERY_S", 0.0)
    with caplog.at_level(logging.INFO):
        listed(archive(1), tmp_path)
    assert "perseverance: 1 images listed" in caplog.text


def test_late_images_of_curiosity_are_found_by_the_same_law(tmp_path: Path) -> None:
    fake = FakeItems([item(sol=sol, n=sol, received=clock(0)) for sol in range(0, 100, 3)])

    def frames() -> tuple[list[Frame], int]:
        transport = FakeTransport(fake.routes())
        source = CuriositySource(transport, ITEMS, ListingConfig(cache_folder=str(tmp_path)), HttpConfig())
        return list(source.search(Query(name="q", source="curiosity"))), len(transport.asked)

    first, _ = frames()
    assert frames() == (first, 1)
    fake.records.append(item(sol=6, n=777, received=clock(90)))
    fake.latest = clock(90)
    second, _ = frames()
    assert len(second) == len(first) + 1
    assert frames() == (second, 1)
    assert json.loads(next(frame for frame in second if "777" in frame.frame_id).record)["sol"] == 6
    assert all(replace(frame, query="") == frame for frame in second)
